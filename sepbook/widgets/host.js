// Brings the widgets of a book page to life: no kernel, the data stands in the page itself, or in a file that it names.

const HOSTED = { player: "./player.js", painter: "./mask_painter.js", waveform: "./waveform_loss.js", convolution: "./convolution.js", filterbank: "./filterbank.js", memory: "./recurrent_memory.js", embedding: "./embedding.js", descent: "./descent.js", window: "./window_hop.js", activation: "./activation.js", listening: "./listening_test.js", errors: "./error_mixer.js", aliasing: "./aliasing.js", beats: "./beats.js", arrow: "./turning_arrow.js", replay: "./training_replay.js", valley: "./valley.js" }; // class "sepbook-<name>", its data in data-<name>

for (const [name, module] of Object.entries(HOSTED)) {
  const elements = [...document.querySelectorAll(`.sepbook-${name}[data-${name}]`)];
  if (!elements.length) continue;
  const { default: widget } = await import(module);
  for (const el of elements) {
    if (!el.dataset[name]) continue; // it lives already
    const data = JSON.parse(el.dataset[name]);
    el.removeAttribute(`data-${name}`);
    if (data.spec.at) {
      const answer = await fetch(data.spec.at).catch(() => null);
      if (!answer?.ok) continue; // what readers without JavaScript see stays
      data.spec = await answer.json();
    }
    const model = { get: (key) => data[key], set() {}, save_changes() {}, on() {}, off() {} };
    widget.render({ model, el });
  }
}
