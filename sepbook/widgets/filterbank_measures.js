// The arithmetic of the filter explorer: responses as sepbook.building_blocks.filterbank has them, and noise through a filter.

export const toMel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
export const fromMel = (mel) => 700 * (10 ** (mel / 2595) - 1);

/** K waveforms, an Int8Array each, from text. */
export function unpack({ K, size, waveforms }) {
  const bytes = Int8Array.from(atob(waveforms), (letter) => letter.charCodeAt(0));
  return Array.from({ length: K }, (_, k) => bytes.subarray(k * size, (k + 1) * size));
}

/** How strongly a waveform answers to a wave of this frequency. */
export function answer(waveform, hertz, rate) {
  const turn = (2 * Math.PI * hertz) / rate;
  let [real, imaginary] = [0, 0];
  for (let n = 0; n < waveform.length; n++) {
    real += waveform[n] * Math.cos(turn * n);
    imaginary += waveform[n] * Math.sin(turn * n);
  }
  return Math.hypot(real, imaginary);
}

/** Answers at several frequencies, the largest being 1. */
export function curve(waveform, frequencies, rate) {
  const answers = frequencies.map((hertz) => answer(waveform, hertz, rate));
  const most = Math.max(...answers, 1e-9);
  return answers.map((value) => value / most);
}

/** So many frequencies from 0 to half the rate, evenly spaced in Hz or in mel; from the middle of each step. */
export function tones(count, rate, mel) {
  const place = (n) => (n + 0.5) / count;
  return Array.from({ length: count }, (_, n) => (mel ? fromMel(place(n) * toMel(rate / 2)) : (place(n) * rate) / 2));
}

/** Where the filters of a mel bank of K have their centres, from low to high. */
export const melCentres = (K, rate) => Array.from({ length: K }, (_, k) => fromMel(((k + 1) / (K + 1)) * toMel(rate / 2)));

/** White noise that is the same each time, after the filter, with the same energy for every filter. */
export function through(waveform, length) {
  let state = 1;
  const noise = Float64Array.from({ length: length + waveform.length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  const out = new Float32Array(length);
  let energy = 1e-12;
  for (let n = 0; n < length; n++) {
    let sum = 0;
    for (let i = 0; i < waveform.length; i++) sum += waveform[i] * noise[n + waveform.length - 1 - i];
    out[n] = sum;
    energy += sum * sum;
  }
  const scale = 0.1 / Math.sqrt(energy / length);
  return out.map((value) => Math.max(-1, Math.min(1, scale * value)));
}
