// Value and gradient of each activation. activation.py has the same.

const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** Return [value, gradient] at x; `slope` is that of a leaky ReLU below 0. At a corner the gradient is autograd's. */
export function bend(name, x, slope) {
  if (name === "sigmoid") return [sigmoid(x), sigmoid(x) * (1 - sigmoid(x))];
  if (name === "tanh") return [Math.tanh(x), 1 - Math.tanh(x) ** 2];
  const below = { relu: 0, leaky: slope, linear: 1 }[name];
  return x > 0 ? [x, 1] : [below * x + 0, below];
}
