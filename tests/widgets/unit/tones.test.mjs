// The arithmetic of the explorers of tones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cosine, folded, heardAt } from "./widgets/aliasing_fold.js";
import { envelope, tones } from "./widgets/beats_sum.js";
import { smoothed } from "./widgets/training_replay_course.js";
import { pointed, tip } from "./widgets/turning_arrow_phasor.js";

const near = (a, b, reach = 1e-9) => assert.ok(Math.abs(a - b) <= reach, `${a} is not ${b}`);

test("a tone and what it folds to have the same samples", () => {
  for (const [tone, rate] of [[3000, 4000], [7000, 8000], [5100, 4500], [2000, 4000], [4000, 4000]]) {
    const [given, heard] = [tone, folded(tone, rate)].map((hertz) => cosine(hertz, rate, 200));
    given.forEach((value, n) => near(value, heard[n], 1e-6));
    assert.ok(folded(tone, rate) <= rate / 2);
  }
});

test("the filter removes only what lies above half the rate", () => {
  assert.equal(heardAt({ frequency: 3000, rate: 4000, filter: true }), null);
  assert.equal(heardAt({ frequency: 2000, rate: 4000, filter: true }), 2000);
  assert.ok(cosine(null, 24000, 10).every((value) => value === 0));
});

test("a sum never leaves its outline, and touches it", () => {
  const settings = { difference: 3, phase: 70, level: -4 };
  let most = 0;
  for (let n = 0; n < 4000; n++) {
    const seconds = n / 40000;
    const ratio = Math.abs(tones(settings, seconds).sum) / envelope(settings, seconds);
    assert.ok(ratio <= 1 + 1e-9);
    most = Math.max(most, ratio);
  }
  assert.ok(most > 0.999);
  near(envelope({ difference: 0, phase: 180, level: 0 }, 0.3), 0, 1e-7);
});

test("pointing at the tip of an arrow gives the arrow", () => {
  for (const arrow of [{ length: 0.7, phase: 130, frequency: 220 }, { length: 1, phase: -45, frequency: -440 }, { length: 0.2, phase: 10, frequency: 0 }]) {
    for (const ms of [0, 1.7, 9.9]) {
      const found = pointed(tip(arrow, ms), arrow.frequency, ms);
      near(found.length, arrow.length);
      near(found.phase, arrow.phase, 1e-6);
    }
  }
});

test("a smoothed loss keeps its mean level and has a value for each step", () => {
  const found = smoothed(Array.from({ length: 40 }, (_, i) => i % 2));
  assert.deepEqual(found.map(([step]) => step), Array.from({ length: 40 }, (_, i) => i + 1));
  for (const [, mean] of found) near(mean, 0.5, 0.07);
  assert.deepEqual(smoothed([3]), [[1, 3]]);
});
