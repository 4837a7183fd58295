// The pure parts that explorers share.
import assert from "node:assert/strict";
import { test } from "node:test";
import { scale, settled, ticks } from "./widgets/explorer_scale.js";

test("a scale goes there and back, and stays inside on the way back", () => {
  const across = scale([-1, 1], [50, 250]);
  assert.equal(across(-1), 50);
  assert.equal(across(0.5), 200);
  assert.equal(across.back(200), 0.5);
  assert.equal(across.back(9999), 1);
  assert.equal(across.back(-9999), -1);
  const down = scale([0, 10], [100, 0]);
  assert.equal(down(10), 0);
  assert.equal(down.back(25), 7.5);
});

test("ticks are round, inside, and not too many", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-1.1, 1.1, 5), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks(0, 8000, 4), [0, 2000, 4000, 6000, 8000]);
  for (const [low, high] of [[0, 0.003], [-60, 6], [3, 1003], [-0.37, 0.41]]) {
    for (const most of [2, 3, 5, 8]) {
      const found = ticks(low, high, most);
      assert.ok(found.length <= most + 1 && found.every((value) => value >= low - 1e-9 && value <= high + 1e-9 && !Object.is(value, -0)));
    }
  }
});

test("a value settles on a slider's steps", () => {
  const slider = { min: -180, max: 180, step: 5 };
  assert.equal(settled(42.4, slider), 40);
  assert.equal(settled(999, slider), 180);
  assert.ok(Object.is(settled(-1, slider), 0));
  assert.equal(settled(0.3000001, { min: 0, max: 1, step: 0.05 }), 0.3);
});
