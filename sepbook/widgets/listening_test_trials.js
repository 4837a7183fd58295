// What a listening test is made of, without anything to see: who is drawn, what an answer is worth, how it is written.

/** A whole number from 0 to n - 1, each as likely as the others, and not to be foreseen. */
export function below(n) {
  const limit = 2 ** 32 - (2 ** 32 % n);
  const draw = new Uint32Array(1);
  do crypto.getRandomValues(draw);
  while (draw[0] >= limit);
  return draw[0] % n;
}

export function shuffled(list) {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** A short name that nobody has chosen: of a listener, or of a run. */
export const code = () => Array.from({ length: 6 }, () => "abcdefghjkmnpqrstuvwxyz23456789"[below(31)]).join("");

/** The trials of an ABX test: A and B are drawn once, what X is for each trial anew. A sound is found by its label. */
export function abxTrials(item, count) {
  const [a, b] = shuffled(item.sounds);
  return Array.from({ length: count }, () => ({ item, sounds: new Map([["A", a], ["B", b], ["X", [a, b][below(2)]]]) }));
}

/** The trials of a MUSHRA: one per item, in an order that is drawn; the reference openly, and all sounds under digits. */
export function mushraTrials(items) {
  return shuffled(items).map((item) => {
    const hidden = shuffled(item.sounds).map((sound, k) => [String(k + 1), sound]);
    return { item, sounds: new Map([["reference", item.sounds[0]], ...hidden]) };
  });
}

/** The labels to be rated: all but the open reference. */
export const rated = ({ sounds }) => [...sounds.keys()].filter((label) => label !== "reference");

/** The rows of one trial that was answered: by ABX one, 1 for right and 0 for wrong; by MUSHRA one for each sound. */
export function rowsOf(run, number, { item, sounds }, answer) {
  const row = (sound, score) => ({ test: run.test, listener: run.listener, run: run.run, trial: number, of: run.of, item: item.name, condition: sound.name, score, si_sdr: sound.si_sdr ?? "" });
  if (run.test === "abx") return [row(sounds.get("X"), Number(sounds.get(answer) === sounds.get("X")))];
  return Object.entries(answer).map(([label, score]) => row(sounds.get(label), score));
}

/** How often guessing alone gets so many or more right: the sum of the binomial distribution's upper end. */
export function guessing(right, trials) {
  let [term, sum] = [0.5 ** trials, 0];
  for (let k = 0; k <= trials; k++) {
    if (k >= right) sum += term;
    term *= (trials - k) / (k + 1);
  }
  return sum;
}

export const COLUMNS = ["test", "listener", "run", "trial", "of", "item", "condition", "score", "si_sdr"];

/** All rows as CSV: commas between, a point in numbers, quotation marks where a text needs them. */
export function csv(rows) {
  const cell = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))].map((cells) => `${cells.map(cell).join(",")}\n`).join("");
}
