// The arithmetic of the convolution explorer, along one axis: the same steps, in the same words, as shapes.conv_length.

/** How long is the output? Returns {length, lines: [[name, sum], …]} or {length: 0, lines, error}. */
export function solve(geometry) {
  return geometry.transposed ? painted(geometry) : direct(geometry);
}

function direct({ n, kernel: k, stride: s, padding: p, dilation: d }) {
  const covers = d * (k - 1) + 1;
  const padded = n + 2 * p;
  const lines = [
    ["the kernel covers", `dilation * (kernel - 1) + 1 = ${d} * (${k} - 1) + 1 = ${covers}`],
    ["the padded input has", `n + before + after = ${n} + ${p} + ${p} = ${padded}`],
  ];
  if (covers > padded) {
    const error = `The kernel covers ${covers} values, but the padded input has only ${padded}: there is no place to put it. Give a longer input (n of at least ${covers - 2 * p}), more padding, or a smaller kernel.`;
    return { length: 0, lines, error };
  }
  const length = Math.floor((padded - covers) / s) + 1;
  const rest = (padded - covers) % s;
  lines.push(["the kernel fits", `(${padded} - ${covers}) // ${s} + 1 = ${length} times`]);
  if (rest) lines.push(["left over", `${rest} at the end, which no position of the kernel reaches`]);
  return { length, lines: [...lines, ["output length", `${length}`]] };
}

function painted({ n, kernel: k, stride: s, padding: p, dilation: d, output_padding: extra }) {
  const covers = d * (k - 1) + 1;
  const all = (n - 1) * s + covers;
  const length = all - 2 * p + extra;
  const lines = [
    ["each value paints", `dilation * (kernel - 1) + 1 = ${d} * (${k} - 1) + 1 = ${covers}`],
    ["the last one starts at", `(n - 1) * stride = (${n} - 1) * ${s} = ${(n - 1) * s}`],
    ["painted in all", `${(n - 1) * s} + ${covers} = ${all}`],
    ["padding crops", `${all} - ${p} - ${p} = ${all - 2 * p}`],
  ];
  if (extra >= Math.max(s, d)) {
    const error = `output_padding is ${extra}, but must be smaller than the stride (${s}) or the dilation (${d}): it only chooses between the lengths that a convolution with this stride would map to the same n.`;
    return { length: 0, lines, error };
  }
  if (length < 1) {
    const error = `Padding crops ${p} + ${p} values, but only ${all} were painted: nothing is left. Use less padding, a longer input or a larger kernel.`;
    return { length: 0, lines, error };
  }
  if (extra) lines.push(["output padding adds", `${all - 2 * p} + ${extra} = ${length}`]);
  return { length, lines: [...lines, ["output length", `${length}`]] };
}

/** The places on the fine axis that belong to place t of the coarse one: read by an output, or painted by an input. */
export function touched({ kernel, stride, padding, dilation }, t) {
  return Array.from({ length: kernel }, (_, m) => t * stride + m * dilation - padding);
}

/** Both axes as {first, count, from, to}: places first … first + count - 1 are drawn, from … to - 1 are no padding. */
export function axes(geometry) {
  const { n, kernel, stride, padding: p, dilation, transposed } = geometry;
  const { length } = solve(geometry);
  const inner = transposed ? length : n; // of the fine axis: what is no padding and is not cropped
  const all = (n - 1) * stride + dilation * (kernel - 1) + 1;
  const count = transposed ? Math.max(all, length + p) : n + 2 * p;
  const number = transposed ? n : length; // of the coarse axis
  return { fine: { first: -p, count, from: 0, to: inner }, coarse: { first: 0, count: number, from: 0, to: number } };
}

/** How often each place of the fine axis is read or painted, in the order in which it is drawn. */
export function counts(geometry) {
  const { fine, coarse } = axes(geometry);
  const found = new Array(fine.count).fill(0);
  for (let t = 0; t < coarse.count; t++) for (const place of touched(geometry, t)) found[place - fine.first]++;
  return found;
}
