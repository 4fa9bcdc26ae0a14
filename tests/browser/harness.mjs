// A Chromium with a fake camera, a fer-live that serves, and clips of drawn people for both.
// In: what the environment offers. Out: what a test needs, or a clear line why the tests are skipped.
//
// FER_BIN      folder of the built programs      [target/release]
// FER_MODEL    model folder                      [the shipped one]
// FER_PAGE     the page that scripts/page wrote  [dist]
// CHROMIUM     the browser                       [/usr/bin/chromium, else /usr/bin/google-chrome]

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = resolve(fileURLToPath(import.meta.url), "../../..");
/** Where the built programs are. */
export const bin = process.env.FER_BIN ?? join(root, "target/release");
const program = join(bin, "fer-live");
const drawnClip = join(bin, "examples/drawn_clip");
const browsers = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
const chromium = process.env.CHROMIUM ?? browsers.find(existsSync) ?? browsers[0];
const model = process.env.FER_MODEL ?? join(root, "models/small");
/** The page without a server. */
export const page = resolve(process.env.FER_PAGE ?? join(root, "dist"));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why the tests cannot run here, or false. */
export const skip = missing([
  [chromium, "Chromium is not installed: ./scripts/test installs it (Debian: apt-get install chromium)"],
  [program, "fer-live is not built: cargo build --release -p fer-live --bins --examples"],
  [drawnClip, "the clip maker is not built: cargo build --release -p fer-live --examples"],
  [join(model, "card.json"), "there is no model: FER_MODEL names a model folder"],
  [join(root, "tests/browser/node_modules/playwright-core"), "playwright-core is not installed: npm ci in tests/browser"],
]);

/** Why the tests of the page without a server cannot run here, or false. */
export const skipPage = missing([
  [join(page, "wasm/fer_wasm_bg.wasm"), "the page without a server is not built: scripts/page"],
  [join(bin, "examples/bright_yunet"), "the network maker is not built: cargo build --release -p fer-wasm --examples"],
  [join(bin, "examples/frames"), "the frame maker is not built: cargo build --release -p fer-wasm --examples"],
]);

function missing(wanted) {
  const first = wanted.find(([path]) => !existsSync(path));
  return first ? `skipped: ${first[1]}` : false;
}

/** A folder that is removed with the process. */
export const folder = mkdtempSync(join(tmpdir(), "fer-browser-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** A clip of drawn people; made once for the same words. */
export function clip(name, seconds, people, seed) {
  const path = join(folder, `${seconds}-${people}-${seed}-${name}`);
  if (!existsSync(path)) {
    const made = spawnSync(drawnClip, [path, String(seconds), String(people), String(seed)], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
  }
  return path;
}

/** One JPEG, again and again: a camera in front of which nothing moves. */
export function still(jpeg, n) {
  const path = join(folder, "still.mjpeg");
  writeFileSync(path, Buffer.concat(Array(n).fill(readFileSync(jpeg))));
  return path;
}

/** Frames of one even grey each, which grows from frame to frame: every frame can be told from every other. */
export function ramp(n) {
  const [width, height] = [320, 240];
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F15:1 Ip A1:1 C420jpeg\n`);
  const frames = Array.from({ length: n }, (_, i) =>
    Buffer.concat([
      Buffer.from("FRAME\n"),
      Buffer.alloc(width * height, 30 + Math.round((190 * i) / n)),
      Buffer.alloc((width * height) / 2, 128),
    ]),
  );
  const path = join(folder, "ramp.y4m");
  writeFileSync(path, Buffer.concat([head, ...frames]));
  return path;
}

/** Runs fer-live to its end; returns what it printed. */
export function command(...words) {
  const chosen = words.includes("--model") ? [] : ["--model", model];
  const run = spawnSync(program, [...chosen, ...words], { encoding: "utf8", timeout: 120_000 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

/** A running `fer-live serve`. */
export class Server {
  /** Starts one; port 0 takes a free one. */
  static async start({ port = 0, words = [] } = {}) {
    const server = new Server();
    const all = ["serve", "--address", `127.0.0.1:${port}`, "--model", model, ...words];
    server.process = spawn(program, all, { stdio: ["ignore", "pipe", "pipe"] });
    server.said = "";
    server.url = await new Promise((done, fail) => {
      const take = (chunk) => {
        server.said += chunk;
        const address = /http:\/\/\S+/.exec(server.said);
        if (address) done(address[0]);
      };
      server.process.stdout.on("data", take);
      server.process.stderr.on("data", take);
      server.process.on("exit", (code) => fail(new Error(`fer-live ended with ${code}: ${server.said}`)));
    });
    server.port = Number(new URL(server.url).port);
    return server;
  }

  /** Ends it, kindly or not, and waits until it has ended. */
  async stop(signal = "SIGTERM") {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((done) => this.process.on("exit", (code) => done(code)));
    this.process.kill(signal);
    return ended;
  }
}

/** A browser; `camera` is the clip its fake camera plays, without it there is no camera. */
export async function browse({ camera, allow = true } = {}) {
  const { chromium: driver } = await import("playwright-core");
  const flags = [...FLAGS];
  if (camera) flags.push("--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`);
  if (allow) flags.push("--use-fake-ui-for-media-stream");
  return driver.launch({ executablePath: chromium, headless: true, args: flags });
}

/**
 * The page of a server, its first notice read.
 * Fails at the end of the test if anything was asked of another host or the page reported an error;
 * `blocked` are addresses that the test itself has the page ask for, to see them refused.
 */
export async function open(test, browser, url, { hash = "", notice = true, blocked = null, context: options = {} } = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  const troubles = [];
  const host = new URL(url).host;
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (blocked?.test(request.url())) return;
    if (!["blob:", "data:"].includes(asked.protocol) && asked.host !== host) troubles.push(`asked ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== host && !blocked) troubles.push(`connected ${socket.url()}`);
  });
  page.on("pageerror", (error) => troubles.push(`page error: ${error.stack}`));
  page.on("console", (message) => {
    if (!blocked && /Content Security Policy|Refused to/.test(message.text())) troubles.push(message.text());
  });
  test.after(async () => {
    await context.close();
    assert.deepEqual(troubles, []);
  });
  await page.goto(url + hash);
  await page.waitForSelector("html[data-ready]");
  if (notice) await page.click("#notice-close");
  return page;
}

/** The text of a download that an action starts. */
export async function downloaded(page, action) {
  const [download] = await Promise.all([page.waitForEvent("download"), action()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** A simple table: no cell of the tests holds a comma. */
export function parseCsv(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/).map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

/** Drops files on an element, as a hand does. */
export async function drop(page, selector, files) {
  const parts = files.map(({ path, name, type }) => ({ name, type, base64: readFileSync(path).toString("base64") }));
  await page.evaluate(
    async ([selector, parts]) => {
      const transfer = new DataTransfer();
      for (const { name, type, base64 } of parts) {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type }));
      }
      const place = document.querySelector(selector);
      for (const event of ["dragenter", "dragover", "drop"]) {
        place.dispatchEvent(new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }
    },
    [selector, parts],
  );
}

/** Starts the page's camera and waits until it reads. */
export async function startCamera(page) {
  await page.click("#camera-start");
  await page.waitForFunction(() => /^\d+ \/ s$/.test(document.getElementById("hud-rate").textContent), null, {
    timeout: 30_000,
  });
}
