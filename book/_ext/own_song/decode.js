// From a file or the microphone to samples at the network's rate: [C][N], one or two channels.

export const LONGEST = 360; // seconds: a tab has to hold the song, its stems and the player's copies
const LARGEST = 200e6; // bytes of a file that is read at all

/** The length that a file says it has; NaN where it does not say. */
function stated(file) {
  return new Promise((done) => {
    const [audio, url] = [new Audio(), URL.createObjectURL(file)];
    const end = (seconds) => (URL.revokeObjectURL(url), clearTimeout(timer), done(seconds));
    const timer = setTimeout(() => end(NaN), 5000);
    audio.preload = "metadata";
    audio.onloadedmetadata = () => end(audio.duration);
    audio.onerror = () => end(NaN);
    audio.src = url;
  });
}

const minutes = (seconds) => `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

function refuseLong(name, seconds) {
  if (!(seconds > LONGEST)) return;
  throw new Error(
    `“${name}” lasts ${Number.isFinite(seconds) ? minutes(seconds) : "too long"}, and a page can hold ${minutes(LONGEST)}. Cut a part out of it, or ` +
      "separate it with the package, which has no limit: sepbook separate FILE --system unet"
  );
}

/** Decode a file. Throws an Error that says what was given, and what would do. */
export async function decode(file, rate) {
  const { name, size } = file;
  if (!size) throw new Error(`“${name}” is empty: it has no bytes. Choose a sound file, such as mp3, wav, flac or ogg.`);
  const seconds = await stated(file);
  if (Number.isFinite(seconds)) refuseLong(name, seconds);
  if (size > LARGEST) throw new Error(`“${name}” has ${Math.round(size / 1e6)} MB, more than this page reads. Give a sound file of a few minutes.`);
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
  } catch {
    const kind = file.type && !/^(audio|video)\//.test(file.type) ? ` (it is ${file.type})` : "";
    throw new Error(`This browser finds no sound in “${name}”${kind}: no sound file, a kind it does not know, or a damaged one. Try mp3, wav, flac or ogg.`);
  }
  refuseLong(name, sound.duration);
  if (!sound.length) throw new Error(`“${name}” holds no samples. Choose a sound file of a few minutes.`);
  const channels = Array.from({ length: Math.min(sound.numberOfChannels, 2) }, (_, c) => sound.getChannelData(c).slice());
  for (const samples of channels) for (let n = 0; n < samples.length; n++) if (!Number.isFinite(samples[n])) samples[n] = 0;
  return channels;
}

/** Record the microphone until `stop` is called, `most` seconds at most. Returns {stop, file}: file is a promise. */
export async function record(most) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const [recorder, parts] = [new MediaRecorder(stream), []];
  const stop = () => recorder.state !== "inactive" && recorder.stop();
  const file = new Promise((done) => {
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      stream.getTracks().forEach((track) => track.stop());
      done(new File(parts, "recording", { type: recorder.mimeType }));
    };
  });
  recorder.start();
  setTimeout(stop, 1000 * most);
  return { stop, file };
}
