// How fast the page without a server reads, in Node and in Chromium: one face at 640×480, one thread.
// In: a page (see harness.mjs), a model's name, seconds of drawn clip. Out: a line each on standard output.
//
// node speed.mjs [MODEL] [SECONDS]

import { readFileSync, writeFileSync } from "node:fs";
import { browse, clip, page, skip, skipPage } from "./harness.mjs";
import { framesOf, library } from "./library.mjs";
import { StaticHost } from "./static.mjs";

const [model = "tiny", seconds = "10"] = process.argv.slice(2);
if (skip || skipPage) {
  console.error(skip || skipPage);
  process.exit(0);
}
const drawn = clip("speed.y4m", Number(seconds), 1, 3);
const { width, height, frames } = framesOf(drawn);
const { reader, loadMs } = await library(page, model);
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
  `Node, ${model}: ${frames.length} frames of ${width}×${height}, ${faces} faces; load ${loadMs.toFixed(0)} ms, first frame ${first.toFixed(0)} ms; ` +
    `wall ${(1000 / ((performance.now() - wall) / frames.length)).toFixed(0)} / s, CPU ${cpuMs.toFixed(1)} ms a frame (${(1000 / cpuMs).toFixed(0)} / s); ` +
    `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`,
);

// A camera of 30 frames a second: the page reads no more.
const camera = drawn.replace(".y4m", "-30.y4m");
writeFileSync(camera, Buffer.from(readFileSync(drawn).toString("latin1").replace("F15:1", "F30:1"), "latin1"));
const host = await StaticHost.start(page);
const browser = await browse({ camera });
const context = await browser.newContext();
const shown = await context.newPage();
await shown.addInitScript((model) => {
  localStorage.setItem("fer-notice", "read");
  localStorage.setItem("fer-model", model);
  // As somebody does who clicks as soon as the page is there.
  new MutationObserver((_, observer) => {
    if (document.documentElement.dataset.ready !== "true") return;
    observer.disconnect();
    window.readyAt = performance.now();
    document.getElementById("camera-video").addEventListener("playing", () => (window.playingAt = performance.now()));
    document.getElementById("camera-start").click();
  }).observe(document, { attributes: true, subtree: true });
}, model);
await shown.goto(host.url);
await shown.waitForSelector("#camera-faces .face", { timeout: 60_000 });
const firstAt = await shown.evaluate(() => performance.now());
await shown.waitForTimeout(10_000);
const [readyAt, playingAt, rate, latency, size, dropped] = await shown.evaluate(() => [
  window.readyAt,
  window.playingAt,
  ...["rate", "latency", "size", "dropped"].map((name) => document.getElementById(`hud-${name}`).textContent),
]);
console.log(
  `Chromium, ${model}: after the page was asked for: ready ${readyAt.toFixed(0)} ms, camera plays ${playingAt.toFixed(0)} ms, ` +
    `first face ${firstAt.toFixed(0)} ms; ` +
    `${rate}, latency ${latency}, frames of ${size}, ${dropped} dropped`,
);

// The worker alone, as fast as it answers: the camera and the drawing of this browser left out.
await shown.click("#camera-stop");
const picture = readFileSync(clip("speed.png", 3, 1, 3)).toString("base64");
const perSecond = await shown.evaluate(async ([picture, model]) => {
  const worker = new Worker("assets/reading/worker.js", { type: "module" });
  const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  let id = 0;
  const ask = (what, facts, moved = []) =>
    new Promise((done) => {
      worker.onmessage = ({ data }) => done(data.answer);
      id += 1;
      worker.postMessage({ id, what, ...facts }, moved);
    });
  await ask("load", { folder: new URL(`models/${model}/`, document.baseURI).href });
  const stream = await ask("begin");
  let started = 0;
  const n = 300;
  for (let i = -50; i < n; i += 1) {
    if (i === 0) started = performance.now();
    const copy = await createImageBitmap(bitmap);
    const { faces } = await ask("frame", { stream, bitmap: copy, time: (i + 50) * 33 }, [copy]);
    if (faces.length !== 1) throw new Error(`${faces.length} faces`);
  }
  return (n * 1000) / (performance.now() - started);
}, [picture, model]);
console.log(`Chromium, ${model}: the worker alone ${perSecond.toFixed(0)} / s`);
await browser.close();
await host.stop();
