// The page's library in Node, and drawn frames for it.
// In: the folder that scripts/page wrote. Out: its Reader; frames as a canvas has them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The library of a page, with its model. */
export async function library(page, model = "tiny") {
  const { initSync, Reader } = await import(pathToFileURL(join(page, "wasm/fer_wasm.js")));
  const started = performance.now();
  initSync({ module: readFileSync(join(page, "wasm/fer_wasm_bg.wasm")) });
  const file = (name) => readFileSync(join(page, "models", model, name));
  const reader = new Reader(file("card.json"), file("weights.safetensors"));
  return { reader, loadMs: performance.now() - started };
}

/** The frames of a .y4m that the drawn clips are written as: `{width, height, frames}`, RGBA. */
export function framesOf(path) {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(10);
  const [, width, height] = /W(\d+) H(\d+)/.exec(bytes.subarray(0, end).toString()).map(Number);
  const size = (width * height * 3) / 2;
  const frames = [];
  for (let at = end + 1 + 6; at + size <= bytes.length; at += size + 6) {
    frames.push(toRgba(bytes.subarray(at, at + size), width, height));
  }
  return { width, height, frames };
}

function toRgba(planes, width, height) {
  const rgba = new Uint8Array(width * height * 4).fill(255);
  const quarter = (width * height) / 4;
  const clip = (value) => Math.max(0, Math.min(255, Math.round(value)));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      const half = width * height + (y >> 1) * (width >> 1) + (x >> 1);
      const [luma, u, v] = [1.164 * (planes[at] - 16), planes[half] - 128, planes[half + quarter] - 128];
      rgba[at * 4] = clip(luma + 1.596 * v);
      rgba[at * 4 + 1] = clip(luma - 0.392 * u - 0.813 * v);
      rgba[at * 4 + 2] = clip(luma + 2.017 * u);
    }
  }
  return rgba;
}
