// What a listening test looks like: its elements, without behaviour. data-action says what a control does.
import { button, element } from "./explorer_parts.js";
import { guessing, rated } from "./listening_test_trials.js";

const WORDS = ["bad", "poor", "fair", "good", "excellent"];
const COUNTS = [5, 10, 16, 20];

const paragraph = (...words) => element("p", { class: "lt-words" }, ...words);
const percent = (share) => (share >= 0.0995 ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(1)} %`);

/** Which keys do what, folded. */
function keys(list) {
  const items = list.flatMap(([name, does]) => [element("dt", {}, element("kbd", {}, name)), element("dd", {}, does)]);
  return element("details", { class: "lt-keys" }, element("summary", {}, "keys"), element("dl", {}, ...items));
}

const KEYS = {
  abx: [["a b x", "hear A, B or X"], ["space", "pause, go on"], ["1", "X is A"], ["2", "X is B"], ["n", "next trial"]],
  mushra: [["r", "hear the reference"], ["1 2 3 …", "hear this sound, and go to its slider"], ["← → page ↑ page ↓ end", "rate"], ["space", "pause, go on"], ["n", "next trial"]],
};

/** Before a run: what is asked, the choices that are made once, the listener's code. */
export function setupView(spec, parts, { listener, item, trials }) {
  const counts = [...new Set([...COUNTS, spec.trials])].sort((a, b) => a - b);
  const input = element("input", { type: "text", "data-action": "listener", value: listener, maxlength: 24, autocomplete: "off", spellcheck: "false" });
  const start = button("start", "Start");
  const words =
    spec.kind === "abx"
      ? "X is A or B. Listen to all three as often as you like, and say which of the two it is. How well you did is shown at the end."
      : "Compare each sound with the reference and rate how good it is. One of them is the reference itself: it deserves 100. What the others are is shown at the end.";
  const children = [paragraph(words, ` All sounds to be compared are equally loud, to within ${spec.spread.toFixed(2)} LU.`)];
  if (spec.kind === "abx") {
    children.push(
      parts.choice("item", "What is compared", spec.items.map(({ name }, k) => [k, name]), item),
      parts.choice("trials", "Trials", counts.map((count) => [count, `${count} trials`]), trials),
    );
  }
  children.push(element("label", { class: "lt-listener" }, element("span", {}, "Your code (no name)"), input), element("div", { class: "lt-tools" }, start));
  return { children, focus: start };
}

/** One of the sounds to be heard. */
const sound = (label, text, more = {}) => button("hear", text, { value: label, "aria-pressed": "false", ...more });

/** The scale's words, over the sliders, and one slider for each sound to be rated. */
function sliders(labels) {
  const scale = element("div", { class: "lt-scale", "aria-hidden": "true" }, ...WORDS.map((word) => element("span", {}, word)));
  const rows = labels.map((label) => {
    const input = element("input", { type: "range", "data-action": "rate", "data-label": label, min: 0, max: 100, step: 1, value: 0, "aria-label": `Sound ${label}: how good`, "aria-valuetext": "not rated yet" });
    return element("div", { class: "lt-row" }, sound(label, label, { "aria-label": `Hear sound ${label}` }), input, element("output", {}, "–"));
  });
  return [element("div", { class: "lt-row lt-head" }, element("span"), scale, element("span")), ...rows];
}

/** One trial. Nothing here says which sound is which: labels are all there is. */
export function trialView(spec, parts, trial, number, count) {
  const abx = spec.kind === "abx";
  const play = button("play", "❚❚ pause", { class: "lt-play" });
  const open = abx ? ["A", "B", "X"].map((label) => sound(label, label, { "aria-label": `Hear ${label}` })) : [sound("reference", "reference", { "aria-label": "Hear the reference" })];
  const at = element("div", { class: "lt-at", "aria-hidden": "true" });
  const heard = element("div", { class: "lt-tools", role: "group", "aria-label": "Listen" }, ...open, play);
  const last = number === count;
  const next = button("next", last ? "finish" : "next");
  const vote = abx ? [parts.choice("vote", "X is", [["A", "X is A"], ["B", "X is B"]])] : sliders(rated(trial));
  const progress = element("p", { class: "lt-progress" }, `Trial ${number} of ${count}`);
  const children = [progress, heard, at, ...vote, element("div", { class: "lt-tools" }, next, button("stop", "give up"), keys(KEYS[spec.kind]))];
  return { children, play, next, focus: null };
}

function table(head, rows) {
  const cells = (tag, row) => element("tr", {}, ...row.map((cell) => element(tag, tag === "th" ? { scope: "col" } : {}, String(cell))));
  const body = element("table", {}, element("thead", {}, cells("th", head)), element("tbody", {}, ...rows.map((row) => cells("td", row))));
  return element("div", { class: "lt-table", tabindex: 0, role: "region", "aria-label": "All answers" }, body);
}

function abxWords(run, trials) {
  const right = run.rows.reduce((sum, { score }) => sum + score, 0);
  const [a, b] = ["A", "B"].map((label) => trials[0].sounds.get(label).name);
  const chance = `Guessing alone gets ${right} or more of ${run.of} right in ${percent(guessing(right, run.of))} of all runs.`;
  const rows = run.rows.map(({ trial, condition, score }) => [trial, condition, score ? "right" : "wrong"]);
  return [paragraph(element("strong", {}, `You were right in ${right} of ${run.of} trials.`), ` ${chance} A was “${a}”, B was “${b}”.`), table(["trial", "X was", "your answer"], rows)];
}

function mushraWords(run, trials, reference) {
  const names = [...new Set(run.rows.map(({ condition }) => condition))];
  const scores = (name) => run.rows.filter(({ condition }) => condition === name).map(({ score }) => score);
  const mean = (name) => scores(name).reduce((sum, score) => sum + score, 0) / trials.length;
  const low = scores(reference).filter((score) => score < 90).length;
  const rows = names.sort((a, b) => mean(b) - mean(a)).map((name) => [name, mean(name).toFixed(1), ...scores(name)]);
  const hidden = low ? `In ${low} of ${trials.length} trials you rated the hidden reference below 90.` : "You rated the hidden reference 90 or more each time.";
  return [paragraph(element("strong", {}, "This is what you heard."), ` ${hidden}`), table(["sound", "mean", ...trials.map(({ item }) => item.name)], rows)];
}

/** After a run: what was what, and how it went. */
export function resultView(spec, run, trials) {
  const words = spec.kind === "abx" ? abxWords(run, trials) : mushraWords(run, trials, spec.items[0].sounds[0].name);
  const again = button("again", "another run");
  return { children: [...words, element("div", { class: "lt-tools" }, again)], focus: again };
}

/** What is kept in this browser, and what can be done with it. Shown between runs only. */
export function keptView(all, isKept, sure) {
  const answers = all.reduce((sum, { rows }) => sum + rows.length, 0);
  const where = isKept ? "They are kept in this browser and sent nowhere." : "This browser keeps nothing: save them before you leave the page.";
  const words = all.length ? `${all.length} ${all.length === 1 ? "run" : "runs"} with ${answers} ${answers === 1 ? "answer" : "answers"}. ${where}` : "No answers yet. They will be kept in this browser and sent nowhere.";
  const buttons = all.length ? [button("save", "save as CSV"), button("clear", sure ? "really clear all answers" : "clear")] : [];
  return element("div", { class: "lt-kept" }, element("span", {}, words), ...buttons);
}
