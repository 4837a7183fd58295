// What becomes of samples: wav and zip files, levels for a picture, a loudness. Clips are lists of channels.

import { Stft } from "../widgets/explorer_stft.js";

const CEILING = 0.999;

/** The gain at which all these clips fit into 16 bits: one for all, so that stems still add up to the song. */
export function fitting(clips) {
  let peak = CEILING;
  for (const samples of clips.flat()) for (const value of samples) peak = Math.max(peak, Math.abs(value));
  return CEILING / peak;
}

/** A 16-bit wav file. */
export function wav(channels, rate, gain) {
  const [C, N] = [channels.length, channels[0].length];
  const view = new DataView(new ArrayBuffer(44 + 2 * C * N));
  const text = (at, words) => [...words].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  const numbers = [[16, 16, 4], [20, 1, 2], [22, C, 2], [24, rate, 4], [28, 2 * C * rate, 4], [32, 2 * C, 2], [34, 16, 2]];
  for (const [at, value, size] of numbers) size === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true);
  text(0, "RIFF"), text(8, "WAVEfmt "), text(36, "data");
  view.setUint32(4, 36 + 2 * C * N, true);
  view.setUint32(40, 2 * C * N, true);
  const samples = new Int16Array(view.buffer, 44);
  for (let c = 0; c < C; c++) for (let n = 0; n < N; n++) samples[n * C + c] = Math.round(32767 * gain * channels[c][n]);
  return view.buffer;
}

const CODES = Uint32Array.from({ length: 256 }, (_, n) => {
  let code = n;
  for (let k = 0; k < 8; k++) code = code & 1 ? 0xedb88320 ^ (code >>> 1) : code >>> 1;
  return code >>> 0;
});

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) sum = CODES[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** A zip file of {name, bytes}, stored as they are: sound hardly gets smaller. */
export function zip(files) {
  const [parts, list] = [[], []];
  let at = 0;
  for (const { name, bytes } of files) {
    const letters = new TextEncoder().encode(name);
    const about = [20, 0x800, 0, 0, 0x21].flatMap((value) => [value & 255, value >> 8]); // version, UTF-8, stored, 1980
    const four = (value) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
    const sizes = [...about, ...four(crc(bytes)), ...four(bytes.length), ...four(bytes.length), letters.length, 0, 0, 0];
    const head = Uint8Array.from([0x50, 0x4b, 3, 4, ...sizes, ...letters]);
    list.push(Uint8Array.from([0x50, 0x4b, 1, 2, 20, 0, ...sizes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...four(at), ...letters]));
    parts.push(head, bytes);
    at += head.length + bytes.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  const size = list.reduce((sum, entry) => sum + entry.length, 0);
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return new Blob([...parts, ...list, end], { type: "application/zip" });
}

/** Level in dB of all channels together, or null for silence. It only has to compare one version with another. */
export function loudnessOf(channels) {
  let [sum, count] = [0, 0];
  for (const samples of channels) for (const value of samples) (sum += value * value), count++;
  const level = 10 * Math.log10(sum / count);
  return level > -70 ? level : null;
}

const [WIDTH, HEIGHT, SIZE, RANGE, LOWEST] = [640, 44, 1024, 60, 60];

/** Power of a clip's first channel as a picture of WIDTH × HEIGHT, on a logarithmic axis of frequency. */
export function powers([samples], rate) {
  const bins = new Stft(SIZE, Math.max(1, Math.ceil(samples.length / WIDTH))).forward(samples);
  const found = new Float32Array(WIDTH * HEIGHT);
  const bin = (row) => ((LOWEST * (rate / 2 / LOWEST) ** (row / HEIGHT)) / rate) * SIZE;
  for (let row = 0; row < HEIGHT; row++) {
    const [from, to] = [Math.floor(bin(row)), Math.max(Math.floor(bin(row)) + 1, Math.floor(bin(row + 1)))];
    for (let x = 0; x < WIDTH; x++) {
      const frame = Math.min(Math.floor((x * bins.T) / WIDTH), bins.T - 1) * (SIZE / 2 + 1);
      let sum = 0;
      for (let f = from; f < to; f++) sum += bins.re[frame + f] ** 2 + bins.im[frame + f] ** 2;
      found[(HEIGHT - 1 - row) * WIDTH + x] = sum / (to - from);
    }
  }
  return found;
}

/** Opacities of such pictures, on one scale. */
export function pictures(all) {
  const loudest = all.reduce((most, power) => power.reduce((a, b) => Math.max(a, b), most), 1e-20);
  const level = (value) => 255 * Math.min(1, Math.max(0, 1 + (10 * Math.log10(value / loudest + 1e-20)) / RANGE)) ** 1.5;
  return all.map((power) => ({ width: WIDTH, height: HEIGHT, levels: Uint8Array.from(power, level) }));
}
