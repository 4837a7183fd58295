// Where answers are kept: in this browser and nowhere else. Nothing is sent; a file is written when the listener asks.
import { code, csv } from "./listening_test_trials.js";

const KEY = "sepbook-listening";
const WHO = "sepbook-listener";
const CHANGED = "sepbook-listening";
let unkept = null; // what this page alone remembers, where the browser keeps nothing

/** All runs, the oldest first: {test, listener, run, of, rows}. */
export function runs() {
  if (unkept) return unkept;
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(found) ? found.filter((run) => Array.isArray(run?.rows)) : [];
  } catch {
    return [];
  }
}

/** Whether the browser keeps what is written, also after the page is left: what a page of the book puts in place of refused storage forgets. */
export function isKept() {
  try {
    return unkept === null && !localStorage.forgets;
  } catch {
    return unkept === null; // nothing has been written yet
  }
}

let who = null;

/** The listener's code: the same in all tests, drawn when first asked for. */
export function listener() {
  try {
    who = localStorage.getItem(WHO) || who;
  } catch {
    // this page alone remembers it
  }
  return (who ||= code());
}

/** Give the listener another code; an empty one is drawn anew. */
export function call(name) {
  who = name || code();
  try {
    localStorage.setItem(WHO, who);
  } catch {
    // this page alone remembers it
  }
  document.dispatchEvent(new CustomEvent(CHANGED));
}

function write(all) {
  try {
    if (all.length) localStorage.setItem(KEY, JSON.stringify(all));
    else localStorage.removeItem(KEY);
    unkept = null;
  } catch {
    unkept = all;
  }
  document.dispatchEvent(new CustomEvent(CHANGED));
}

/** Keep a run as it stands after one more trial, in place of what was kept of it before. */
export const keep = (run) => write([...runs().filter((each) => each.run !== run.run), { ...run, rows: [...run.rows] }]);

/** Forget all answers, and the listener's code. */
export function clear() {
  who = null;
  try {
    localStorage.removeItem(WHO);
  } catch {
    // nothing was kept
  }
  write([]);
}

/** Call `show` whenever something is kept or cleared, by whichever test of the page. Returns how to stop. */
export function follow(show) {
  document.addEventListener(CHANGED, show);
  addEventListener("storage", show);
  return () => {
    document.removeEventListener(CHANGED, show);
    removeEventListener("storage", show);
  };
}

/** Hand all that is kept to the listener as one file. */
export function download() {
  const all = runs();
  const names = [...new Set(all.map((run) => run.listener))];
  const text = csv(all.flatMap((run) => run.rows));
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `listening-${names.length === 1 ? names[0] : "answers"}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
