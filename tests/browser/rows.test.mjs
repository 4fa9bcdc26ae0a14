// The page's tables, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rowsOf, toCsv } from "../../crates/fer-web/src/page/assets/faces/rows.js";

const labels = ["up", "down"];
const face = {
  track: 2,
  box: { x: 1.234, y: 2, width: 30, height: 31, score: 9 },
  held: false,
  probabilities: [0.75, 0.25],
  smooth: [0.7, 0.3],
  label: 0,
  confidence: 0.7,
};

test("a frame without a face is a row without success, and so is one whose faces are only held", () => {
  const reading = { input: "a", frame: 3, timestamp_ms: 40.00049, faces: [] };
  const row = { input: "a", frame: 3, timestamp_ms: 40, success: 0 };
  assert.deepEqual(rowsOf(reading, labels), [row]);
  assert.deepEqual(rowsOf({ ...reading, faces: [{ ...face, held: true }] }, labels), [row]);
});

test("an uncertain face has an empty label", () => {
  const rows = rowsOf({ input: "a", frame: 0, timestamp_ms: 0, faces: [{ ...face, label: null }] }, labels);
  const csv = toCsv(["track", "x", "up", "smooth_down", "label", "confidence"], rows);
  assert.equal(csv, "track,x,up,smooth_down,label,confidence\r\n2,1.23,0.75,0.3,,0.7\r\n");
});

test("names with commas and quotes stay one cell, and none becomes a formula", () => {
  const csv = toCsv(["input"], [{ input: 'a,"b"' }, { input: "=1+1" }, { input: "x;=1.jpg" }, { input: "-" }]);
  assert.equal(csv, 'input\r\n"a,""b"""\r\n\'=1+1\r\nx;\'=1.jpg\r\n-\r\n');
});
