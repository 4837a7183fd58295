// The picture of the mask painter: the mixture in grey, and on top of it, in the source's colour, what the mask keeps.
import { hidden } from "./explorer_canvas.js";
import { hertz } from "./explorer_masks.js";

const HEIGHT = 240; // pixels of the picture, which has one column per frame

export class Canvas {
  constructor(element, grid) {
    const { F, T, rate } = grid;
    Object.assign(this, { element, F, T, picture: null });
    Object.assign(element, { width: T, height: HEIGHT });
    const bin = (row) => (hertz(row / HEIGHT, rate) / rate) * 2 * (F - 1) + 0.5;
    this.bands = Array.from({ length: HEIGHT }, (_, row) => {
      const first = Math.floor(bin(row));
      return [first, Math.min(F, Math.max(first + 1, Math.floor(bin(row + 1))))]; // the bins of a row, from and to
    });
    Object.assign(this, { layer: hidden(T, HEIGHT), shares: hidden(T, HEIGHT) });
    this.pixels = new ImageData(T, HEIGHT);
  }

  /** Read the spectrogram: a PNG whose opacity is the level. From an address, or from the bytes of a kernel. */
  async load(file) {
    const address = typeof file === "string" ? file : URL.createObjectURL(new Blob([file], { type: "image/png" }));
    const image = new Image();
    image.src = address;
    await image.decode();
    if (address !== file) URL.revokeObjectURL(address);
    this.picture = image;
  }

  #spread(mask) {
    const { T, F, bands, pixels } = this;
    for (let row = 0; row < HEIGHT; row++) {
      const [from, to] = bands[row];
      for (let t = 0; t < T; t++) {
        let sum = 0;
        for (let f = from; f < to; f++) sum += mask[t * F + f];
        pixels.data[4 * ((HEIGHT - 1 - row) * T + t) + 3] = (255 * sum) / (to - from);
      }
    }
    this.shares.putImageData(pixels, 0, 0);
  }

  /** The spectrogram in one colour, cut to the shares if asked for. */
  #coloured(colour, cut) {
    const { layer, T, picture, shares } = this;
    layer.globalCompositeOperation = "copy";
    layer.drawImage(picture, 0, 0, T, HEIGHT);
    layer.globalCompositeOperation = "source-in";
    layer.fillStyle = colour;
    layer.fillRect(0, 0, T, HEIGHT);
    layer.globalCompositeOperation = "destination-in";
    if (cut) layer.drawImage(shares.canvas, 0, 0);
    return layer.canvas;
  }

  draw(mask, colour) {
    if (!this.picture) return;
    this.#spread(mask);
    const { element, layer, shares, T } = this;
    const context = element.getContext("2d");
    context.clearRect(0, 0, T, HEIGHT);
    // A veil of the colour shows where the mask keeps, even where nothing sounds.
    layer.globalCompositeOperation = "copy";
    layer.drawImage(shares.canvas, 0, 0);
    layer.globalCompositeOperation = "source-in";
    layer.fillStyle = colour;
    layer.fillRect(0, 0, T, HEIGHT);
    context.globalAlpha = 0.16;
    context.drawImage(layer.canvas, 0, 0);
    context.globalAlpha = 0.75;
    context.drawImage(this.#coloured(getComputedStyle(element).color, false), 0, 0);
    context.globalAlpha = 1;
    context.drawImage(this.#coloured(colour, true), 0, 0);
  }
}
