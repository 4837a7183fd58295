// What is heard of the embedding explorer: the bins that are like the chosen one, out of the mixture.
import { masked, standing } from "./embedding_space.js";
import { computed, once, readWav } from "./explorer_sound.js";
import { Stft } from "./explorer_stft.js";

/** How much of each point is wanted: all of the chosen one's source or cluster, or as much as its affinity says. */
export function wantedOf({ paint, chosen, groups, values }) {
  if (paint === "affinity") return (point) => Math.min(1, Math.max(0, values[point]));
  return (point) => Number(groups[paint][point] === groups[paint][chosen]);
}

/** The loop of the explorer. `now()` gives what `wantedOf` takes, and whether the whole mixture is wanted. */
export function likeSound({ el, view, spec, bins, files, now }) {
  const [F] = spec.size;
  const stft = new Stft(2 * (F - 1), spec.hop);
  const stands = standing(bins, spec.size);
  let [samples, mixture] = [null, null];
  const load = once(async () => {
    samples = await readWav(files[spec.sound]);
    mixture = stft.forward(samples);
    return samples;
  }, view.parts.status);
  const made = () => (now().whole ? samples : stft.inverse(mixture, masked(stands, spec.size, wantedOf(now())), samples.length));
  const seconds = ((spec.size[1] - 1) * spec.hop) / spec.rate;
  return Object.assign(computed({ el, button: view.play, rate: spec.rate, seconds, load, samples: made }), { load, made });
}
