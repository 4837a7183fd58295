// How an explorer comes to life on a page, and how it ends.
import { palette, watch } from "./explorer_canvas.js";

/** The present colours of the shared sheet, explorer.css. */
export const colours = (el) => palette(el, "ex", "ink", "paper", "quiet", "line", "raised", "accent", "first", "second", "warm");

/** Put an explorer into its place, draw it whenever that changes, and return how to end it. */
export function mount({ el, name, root, draw, handle, stops = [] }) {
  el.classList.add("sepbook-shell", `sepbook-${name}`);
  el.replaceChildren(root);
  el[`sepbook${name[0].toUpperCase()}${name.slice(1)}`] = handle;
  const all = [watch(el, draw), ...stops];
  return () => {
    for (const stop of all) stop();
  };
}
