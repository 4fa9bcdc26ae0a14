// The rule for frame sizes, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Adapt, fit, STEPS } from "../../crates/fer-web/src/page/assets/camera/adapt.js";

test("slow answers make frames smaller, quick ones larger, one outlier neither", () => {
  const adapt = new Adapt();
  const start = adapt.size.side;
  adapt.answered(500);
  assert.equal(adapt.size.side, start);
  for (let i = 0; i < 4; i += 1) adapt.answered(500);
  assert.ok(adapt.size.side < start);
  for (let i = 0; i < 1000; i += 1) adapt.answered(500);
  assert.equal(adapt.size, STEPS[0]);
  for (let i = 0; i < 1000; i += 1) adapt.answered(20);
  assert.equal(adapt.size, STEPS.at(-1));
});

test("drops make frames rarer, and answers bring them back", () => {
  const adapt = new Adapt();
  const pause = adapt.pause;
  for (let i = 0; i < 100; i += 1) adapt.dropped();
  assert.equal(adapt.pause, 1000);
  for (let i = 0; i < 1000; i += 1) adapt.answered(50);
  assert.equal(adapt.pause, pause);
});

test("a picture keeps its shape and never grows", () => {
  assert.deepEqual(fit(1280, 720, 640), { width: 640, height: 360 });
  assert.deepEqual(fit(480, 640, 320), { width: 240, height: 320 });
  assert.deepEqual(fit(320, 240, 640), { width: 320, height: 240 });
});
