// The keys of the stem player.

const MUTING = 1500; // ms after m in which a digit mutes

/** A digit: 0 lets everything go, others solo a stem, or mute it after m. */
function digit(player, number) {
  const { state, parts } = player;
  if (number === 0) return state.solo.clear(), state.mute.clear(), player.change();
  const name = parts.stems[number - 1];
  if (name) player.flip(performance.now() < player.muting ? "mute" : "solo", name);
  player.muting = 0;
}

/** What a key does, or undefined if it is none of ours. */
function keyAction(player, { key, shiftKey, target }) {
  const { seconds, sound, state, versions } = player;
  const step = Math.min(1, seconds / 20) * (shiftKey ? 5 : 1);
  const own = target.matches("[type=radio], [data-action=volume]"); // these know arrows themselves
  if (key === " " && !target.matches("button, summary, [type=checkbox]")) return () => player.toggle();
  if (key === "ArrowRight" && !own) return () => player.seek(sound.time + step);
  if (key === "ArrowLeft" && !own) return () => player.seek(sound.time - step);
  if (key === "v") return () => player.choose((state.version + 1) % versions.length);
  if (key === "m") return () => (player.muting = performance.now() + MUTING);
  if (key >= "0" && key <= "9") return () => digit(player, Number(key));
}

export function onKey(player, event) {
  const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keyAction(player, event);
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
