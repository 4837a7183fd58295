// What the pictures of the explorers share: a sharp canvas, the colours of the page, lines and points.

/** Fit a canvas to its width on the page; `tallOf` gives its height. Returns its context, in CSS pixels like both sizes. */
export function fitted(canvas, tallOf) {
  const width = canvas.clientWidth || 300;
  const tall = tallOf(width);
  const sharp = Math.min(devicePixelRatio || 1, 2);
  Object.assign(canvas, { width: width * sharp, height: tall * sharp });
  canvas.style.height = `${tall}px`;
  const context = canvas.getContext("2d");
  context.scale(sharp, sharp);
  context.font = "12px sans-serif";
  return { context, width, tall };
}

/** The context of a canvas that is not on the page, of so many pixels. */
export function hidden(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
}

/** The present colours of an explorer by name: its style sheet has them as --PREFIX-NAME. */
export function palette(el, prefix, ...names) {
  const style = getComputedStyle(el);
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${prefix}-${name}`).trim()]));
}

/** Draw a line through points, in a style such as { strokeStyle, lineWidth }. */
export function polyline(context, points, style = {}, dashes = []) {
  Object.assign(context, style);
  context.setLineDash(dashes);
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
}

/** Fill a disc in the present colour; its outline is then the path. */
export function disc(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}

/** Draw again whenever an element's size changes, or the page turns from light to dark. Returns how to stop. */
export function watch(el, draw) {
  const [sized, theme] = [new ResizeObserver(draw), new MutationObserver(draw)];
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  sized.observe(el);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "theme"] });
  scheme.addEventListener("change", draw);
  return () => {
    sized.disconnect();
    theme.disconnect();
    scheme.removeEventListener("change", draw);
  };
}
