// The short-time Fourier transform and its inverse, as in sepbook/building_blocks/stft.py: Hann window, zeros at both
// ends. Bins are stored frame by frame: the bin f of frame t is at t * F + f.

export class Stft {
  constructor(size, hop) {
    const turn = (2 * Math.PI) / size;
    Object.assign(this, { size, hop, F: size / 2 + 1, lengths: {} });
    this.window = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos(turn * n));
    this.cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos(turn * k));
    this.sin = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin(turn * k));
    this.mirrored = new Uint32Array(size); // each index with its binary digits in reverse order
    for (let i = 1; i < size; i++) this.mirrored[i] = (this.mirrored[i >> 1] >> 1) | (i & 1 && size / 2);
    [this.re, this.im] = [new Float64Array(size), new Float64Array(size)];
  }

  frames(length) {
    return 1 + Math.ceil(length / this.hop);
  }

  /** Fourier transform in place, radix 2. With re and im exchanged it is the inverse, times the size. */
  #transform(re, im) {
    const { size, cos, sin, mirrored } = this;
    for (let i = 0; i < size; i++) {
      const j = mirrored[i];
      if (j > i) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const a = start + k;
          const b = a + half;
          const x = re[b] * cos[k * step] - im[b] * sin[k * step];
          const y = re[b] * sin[k * step] + im[b] * cos[k * step];
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }

  /** Samples to bins {re, im, T}. Two frames share one complex transform: one as its real part, one as its imaginary. */
  forward(samples) {
    const { size, hop, F, window, re, im } = this;
    const T = this.frames(samples.length);
    const bins = { re: new Float32Array(T * F), im: new Float32Array(T * F), T };
    for (let t = 0; t < T; t += 2) {
      for (let n = 0; n < size; n++) {
        const at = t * hop + n - size / 2;
        re[n] = window[n] * (samples[at] ?? 0);
        im[n] = t + 1 < T ? window[n] * (samples[at + hop] ?? 0) : 0;
      }
      this.#transform(re, im);
      for (let f = 0; f < F; f++) {
        const i = t * F + f;
        const m = (size - f) % size;
        bins.re[i] = (re[f] + re[m]) / 2;
        bins.im[i] = (im[f] - im[m]) / 2;
        if (t + 1 === T) continue;
        bins.re[i + F] = (im[f] + im[m]) / 2;
        bins.im[i + F] = (re[m] - re[f]) / 2;
      }
    }
    return bins;
  }

  /** Bins times a real mask, back to samples: frames are added up and divided by the sum of the squared windows. */
  inverse({ re: X, im: Y, T }, mask, length) {
    const { size, hop, F, window, re, im } = this;
    const sum = new Float64Array((T + 1) * hop + size);
    for (let t = 0; t < T; t += 2) {
      for (let f = 0; f < F; f++) {
        const i = t * F + f;
        const share = mask[i];
        const next = t + 1 < T ? mask[i + F] : 0; // of the frame that shares this transform
        const j = t + 1 < T ? i + F : i;
        const edge = f === 0 || f === F - 1; // these bins are real
        const a = X[i] * share;
        const b = edge ? 0 : Y[i] * share;
        const c = X[j] * next;
        const d = edge ? 0 : Y[j] * next;
        re[f] = a - d;
        im[f] = b + c;
        if (edge) continue;
        re[size - f] = a + d;
        im[size - f] = c - b;
      }
      this.#transform(im, re);
      for (let n = 0; n < size; n++) {
        sum[t * hop + n] += (window[n] * re[n]) / size;
        sum[(t + 1) * hop + n] += (window[n] * im[n]) / size;
      }
    }
    const weight = (this.lengths[length] ??= this.#weight(T, sum.length));
    return Float32Array.from({ length }, (_, n) => sum[n + size / 2] / weight[n + size / 2]);
  }

  #weight(T, length) {
    const weight = new Float64Array(length);
    for (let t = 0; t < T; t++) for (let n = 0; n < this.size; n++) weight[t * this.hop + n] += this.window[n] ** 2;
    return weight;
  }
}
