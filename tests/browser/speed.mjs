// How fast the page without a server reads, in Node: one face at 640×480, one thread.
// In: the folder that scripts/page wrote, a model's name, seconds of drawn clip. Out: a line on standard output.
//
// node speed.mjs [FOLDER] [MODEL] [SECONDS]

import { join, resolve } from "node:path";
import { clip, root } from "./harness.mjs";
import { framesOf, library } from "./library.mjs";

const [folder = join(root, "dist"), model = "tiny", seconds = "10"] = process.argv.slice(2);
const { width, height, frames } = framesOf(clip("speed.y4m", Number(seconds), 1, 3));
const { reader, loadMs } = await library(resolve(folder), model);
const stream = reader.stream();
const [wall, cpu] = [performance.now(), process.cpuUsage()];
const times = [];
let faces = 0;
frames.forEach((rgba, i) => {
  const before = performance.now();
  faces += JSON.parse(stream.read(rgba, width, height, (i * 1000) / 15)).faces.length;
  times.push(performance.now() - before);
});
const used = process.cpuUsage(cpu);
const cpuMs = (used.user + used.system) / 1000 / frames.length;
const first = times[0];
times.sort((a, b) => a - b);
const at = (part) => times[Math.floor(part * (times.length - 1))].toFixed(1);
console.log(
  `${model}: ${frames.length} frames of ${width}×${height}, ${faces} faces; load ${loadMs.toFixed(0)} ms, first frame ${first.toFixed(0)} ms; ` +
    `wall ${(1000 / ((performance.now() - wall) / frames.length)).toFixed(0)} / s, CPU ${cpuMs.toFixed(1)} ms a frame (${(1000 / cpuMs).toFixed(0)} / s); ` +
    `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`,
);
