// The page without a server, as scripts/page writes it: every reading happens in the browser.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bin, browse, clip, command, downloaded, drop, folder, open, page, parseCsv, root, skip, skipPage, startCamera } from "./harness.mjs";
import { library } from "./library.mjs";
import { StaticHost } from "./static.mjs";

const tiny = join(root, "models/tiny");

/** Boxes equal, probabilities within a ten thousandth: the same arithmetic on other vectors. */
function assertSameFaces(found, expected, where) {
  assert.equal(found.length, expected.length, `${where}: ${found.length} faces, natively ${expected.length}`);
  const box = (face) => Object.fromEntries(Object.entries(face.box).map(([name, value]) => [name, Math.fround(value)]));
  found.forEach((face, i) => {
    assert.deepEqual(box(face), box(expected[i]), `${where}, face ${i}`);
    const off = Object.keys(face.probabilities).map((key) => Math.abs(face.probabilities[key] - expected[i].probabilities[key]));
    assert.ok(Math.max(...off) <= 1e-4, `${where}, face ${i}: probabilities are off by ${Math.max(...off)}`);
    assert.equal(face.label, expected[i].label, `${where}, face ${i}`);
  });
}

describe("the page's library in Node", { skip: skipPage }, () => {
  for (const name of ["tiny", "small"]) {
    test(`${name} reads the same frames as the native program: boxes equal, probabilities within 1e-4`, async () => {
      const frames = join(folder, `frames-${name}`);
      const made = spawnSync(join(bin, "examples/frames"), [join(root, "models", name), frames, "40", "2", "7"], { encoding: "utf8" });
      assert.equal(made.status, 0, made.stderr);
      const pixels = readFileSync(join(frames, "frames.rgba"));
      const expected = readFileSync(join(frames, "readings.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
      const stream = (await library(page, name)).reader.stream();
      const size = 640 * 480 * 4;
      const n_faces = expected.map((native, i) => {
        const reading = JSON.parse(stream.read(pixels.subarray(i * size, (i + 1) * size), 640, 480, native.timestamp_ms));
        assert.equal(reading.frame, native.frame);
        assertSameFaces(reading.faces, native.faces, `frame ${i}`);
        return reading.faces.length;
      });
      assert.ok(n_faces.filter((n) => n === 2).length >= 30, `two people were read: ${n_faces}`);
    });
  }

  test("what is wrong is said in words", async () => {
    const { reader } = await library(page);
    assert.throws(() => reader.photo(new Uint8Array(7), 2, 2), /2×2: 7 bytes, expected 4 for each pixel/);
    const { Reader } = await import(join(page, "wasm/fer_wasm.js"));
    const card = readFileSync(join(tiny, "card.json"));
    assert.throws(() => new Reader(card, new Uint8Array(9)), /9 bytes, expected \d+ as the card says/);
  });
});

describe("the page without a server", { skip: skip || skipPage }, () => {
  let host;
  let browser;
  before(async () => {
    host = await StaticHost.start(page);
    browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
  });
  after(async () => {
    await browser?.close();
    await host?.stop();
  });

  test("the first visit is at most 2 MB compressed and asks each file of its own host once", async (t) => {
    const here = await StaticHost.start(page);
    const shown = await open(t, browser, here.url);
    // After the page is closed: what it still asks for is answered.
    t.after(() => here.stop());
    await startCamera(shown);
    // The service worker asks again, to keep what it gets; its questions come after.
    const own = here.asked.slice(0, here.asked.findIndex((path) => path.endsWith("offline.js")));
    assert.equal(new Set(own).size, own.length, `asked twice: ${own}`);
    assert.ok(own.length >= 15, `${own}`);
    const bytes = own.map((asked) => {
      const name = asked.replace("GET /pages/fer/", "") || "index.html";
      return Number(spawnSync("sh", ["-c", 'gzip -c "$0" | wc -c', join(page, name)], { encoding: "utf8" }).stdout);
    });
    const sum = bytes.reduce((a, b) => a + b, 0);
    assert.ok(sum > 500_000 && sum <= 2_000_000, `${sum} bytes`);
    t.diagnostic(`${own.length} files, ${sum} bytes (gzip)`);
  });

  test("the browser itself forbids the page every other host", async (t) => {
    const shown = await open(t, browser, host.url, { blocked: /elsewhere\.example|127\.0\.0\.1/ });
    const tried = await shown.evaluate(async () => {
      const refused = (promise) => promise.then(() => "went out", () => "refused");
      const violations = [];
      document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
      const answers = [
        await refused(fetch("https://elsewhere.example/", { method: "POST", body: "picture", mode: "no-cors" })),
        // The same machine under another name is another origin.
        await refused(fetch(`http://127.0.0.1:${location.port}/pages/fer/`, { mode: "no-cors" })),
      ];
      new Image().src = "https://elsewhere.example/picture.gif";
      try {
        new WebSocket("wss://elsewhere.example/");
      } catch {
        // Some versions throw, all report.
      }
      await new Promise((done) => setTimeout(done, 200));
      return { answers, violations };
    });
    assert.deepEqual(tried.answers, ["refused", "refused"]);
    assert.deepEqual([...new Set(tried.violations)].sort(), ["connect-src", "img-src"]);
  });

  test("a camera is read, recorded and downloaded without a single request", async (t) => {
    const shown = await open(t, browser, host.url);
    await shown.evaluate(() => navigator.serviceWorker.ready);
    await startCamera(shown);
    const asked = host.asked.length;
    await shown.waitForFunction(() => document.querySelectorAll("#camera-faces .face:not(.gone)").length === 2, null, { timeout: 30_000 });
    await shown.keyboard.press("r");
    await shown.waitForTimeout(1500);
    await shown.keyboard.press("m");
    await shown.waitForTimeout(700);
    await shown.keyboard.press("r");
    const rows = parseCsv((await downloaded(shown, () => shown.click("#recording-csv"))).bytes.toString());
    const { labels, columns } = await modelOf();
    assert.deepEqual(Object.keys(rows[0]), [...columns, "marker"]);
    assert.ok(rows.some((row) => row.marker === "1"));
    for (const row of rows.filter((row) => row.success === "1")) {
      const sum = labels.reduce((sum, label) => sum + Number(row[label]), 0);
      assert.ok(Math.abs(sum - 1) < 1e-4, `probabilities sum to ${sum}`);
    }
    const jsonl = (await downloaded(shown, () => shown.click("#recording-jsonl"))).bytes.toString().trim().split("\n");
    assert.equal(jsonl.length, rows.length);
    await shown.click("#camera-stop");
    assert.equal(host.asked.length, asked, `${host.asked.slice(asked)}`);
  });

  test("the page's own thread stays free while frames are read, and the newest frame is the one that is read", async (t) => {
    const shown = await open(t, browser, host.url);
    await startCamera(shown);
    const { presented, seen, longest } = await shown.evaluate(async () => {
      const video = document.getElementById("camera-video");
      let longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      }).observe({ type: "longtask" });
      return new Promise((done) => {
        let [first, n] = [0, 0];
        const next = (_, { presentedFrames }) => {
          n += 1;
          first ||= presentedFrames;
          if (n < 45) video.requestVideoFrameCallback(next);
          else done({ presented: presentedFrames - first + 1, seen: n, longest });
        };
        video.requestVideoFrameCallback(next);
      });
    });
    t.diagnostic(`${seen} of ${presented} frames came to the page's thread; its longest task took ${longest} ms`);
    // A picture takes a hundred times as long to be read when the worker is left out; a shared machine may hold one up.
    assert.ok(presented - seen <= 5, `${presented - seen} of ${presented} frames were missed`);
    assert.equal(await shown.textContent("#hud-dropped"), "0");
  });

  test("photos are read as fer-live reads them, and other files are refused in words", async (t) => {
    const picture = clip("photo.png", 3, 2, 3);
    const shown = await open(t, browser, host.url, { hash: "#photos" });
    await drop(shown, "#photo-drop", [
      { path: picture, name: "two.png", type: "image/png" },
      { path: import.meta.filename, name: "no picture.png", type: "image/png" },
    ]);
    await shown.waitForFunction(() => document.getElementById("photo-state").textContent === "2 pictures read");
    const json = JSON.parse((await downloaded(shown, () => shown.click("#photo-json"))).bytes);
    const native = JSON.parse(command("--model", tiny, "--input", picture, "--headless", "--json", "-"));
    assert.equal(native[0].faces.length, 2);
    assertSameFaces(json.pictures[0].faces, native[0].faces, "photo");
    assert.match(json.pictures[1].problem, /not a picture that can be read/);
    assert.equal(await shown.locator(".photo .face").count(), 2);
  });

  test("every frame of a video is read once, at the times that fer-live finds", async (t) => {
    const video = clip("clip.mp4", 4, 2, 3);
    const shown = await open(t, browser, host.url, { hash: "#video" });
    await drop(shown, "#video-drop", [{ path: video, name: "walk.mp4", type: "video/mp4" }]);
    await shown.waitForSelector("#video-result:not([hidden])", { timeout: 120_000 });
    assert.ok(!(await shown.isVisible("#video-annotated")), "only a server makes an annotated copy");
    const rows = parseCsv((await downloaded(shown, () => shown.click("#video-csv"))).bytes.toString());
    const expected = parseCsv(command("--model", tiny, "--input", video, "--headless", "--csv", "-"));
    const times = (rows) => [...new Set(rows.map((row) => Number(row.timestamp_ms)))];
    assert.equal(times(rows).length, times(expected).length);
    times(rows).forEach((time, i) => assert.ok(Math.abs(time - times(expected)[i]) < 1, `frame ${i}: ${time} ms`));
    assert.equal(rows[0].input, "walk.mp4");
    // Decoders differ in how they turn a video's colours into pixels: boxes by a step of the search, which is a
    // forty-fourth of a face, some by more; probabilities by what that and the colours make of them.
    const twin = (row) => expected.find((other) => other.frame === row.frame && other.track === row.track);
    const pairs = rows.filter((row) => row.success === "1" && twin(row)).map((row) => [row, twin(row)]);
    assert.ok(pairs.length > 90, `${pairs.length} faces of two people in 60 frames were found by both`);
    for (const [column, most] of [["x", 5], ["y", 5], ["w", 5], ["happy", 0.05], ["neutral", 0.05]]) {
      const off = pairs.map(([a, b]) => Math.abs(a[column] - b[column])).sort((a, b) => a - b)[pairs.length >> 1];
      t.diagnostic(`half of the faces differ by at most ${off.toFixed(3)} in ${column}`);
      assert.ok(off <= most, `half of the faces differ by more than ${off} in ${column}`);
    }
    await shown.waitForFunction(() => document.getElementById("video-player").readyState >= 2);
    assert.equal(await shown.locator("#video-faces .face:not([hidden])").count(), 2);
    await shown.click("#video-clear");
    assert.ok(await shown.isVisible("#video-drop"));
  });

  test("the user's YuNet finds faces as it does natively, and another file is refused in words", async (t) => {
    const place = join(folder, "yunet");
    const made = spawnSync(join(bin, "examples/bright_yunet"), [place], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    const [network, picture] = [join(place, "bright.onnx"), join(place, "face.png")];
    const here = await StaticHost.start(page);
    const shown = await open(t, browser, here.url, { hash: "#photos" });
    t.after(() => here.stop());
    assert.ok(!here.asked.some((path) => path.includes("wasm-yunet")), "its engine is asked for by those who have the file");
    await shown.click("#about-open");
    await shown.setInputFiles("#yunet-choice", import.meta.filename);
    await shown.waitForFunction(() => /not a YuNet that can be used/.test(document.getElementById("yunet-note").textContent));
    await shown.setInputFiles("#yunet-choice", network);
    await shown.waitForFunction(() => /^YuNet finds/.test(document.getElementById("yunet-note").textContent));
    await shown.click("#about form button");
    await drop(shown, "#photo-drop", [{ path: picture, name: "face.png", type: "image/png" }]);
    await shown.waitForFunction(() => document.getElementById("photo-state").textContent === "1 picture read");
    const json = JSON.parse((await downloaded(shown, () => shown.click("#photo-json"))).bytes);
    const words = ["--model", tiny, "--input", picture, "--headless", "--detector", "yunet", "--detector-model", network, "--json", "-"];
    const native = JSON.parse(command(...words));
    assert.equal(native[0].faces.length, 1);
    assertSameFaces(json.pictures[0].faces, native[0].faces, "face");
  });

  test("what is no video is refused in words", async (t) => {
    const shown = await open(t, browser, host.url, { hash: "#video" });
    await drop(shown, "#video-drop", [{ path: import.meta.filename, name: "story.mp4", type: "video/mp4" }]);
    await shown.waitForSelector("#video-trouble:not([hidden])", { timeout: 60_000 });
    assert.match(await shown.textContent("#video-trouble"), /not a video that can be read/);
  });

  test("after the first visit it works without a network", async (t) => {
    const mortal = await StaticHost.start(page);
    const shown = await open(t, browser, mortal.url);
    await shown.evaluate(() => navigator.serviceWorker.ready);
    await mortal.stop();
    await shown.reload();
    await shown.waitForSelector("html[data-ready]");
    await startCamera(shown);
    await shown.waitForFunction(() => document.querySelectorAll("#camera-faces .face").length === 2, null, { timeout: 30_000 });
    assert.match(await shown.textContent("#privacy"), /read by this browser.*nothing but its own files/);
  });

  test("another model is fetched when it is chosen, and remembered", async (t) => {
    const here = await StaticHost.start(page);
    const shown = await open(t, browser, here.url);
    // After the page is closed: what it still asks for is answered.
    t.after(() => here.stop());
    assert.ok(!here.asked.some((path) => path.includes("models/small")));
    await shown.click("#about-open");
    assert.match(await shown.textContent("#about-facts"), /tiny/);
    await Promise.all([shown.waitForEvent("load"), shown.selectOption("#model-choice", "small")]);
    await shown.waitForSelector("html[data-ready]");
    assert.ok(here.asked.some((path) => path.includes("models/small/weights")));
    await shown.click("#about-open");
    assert.match(await shown.textContent("#about-facts"), /small/);
    assert.ok(!(await shown.isVisible("#interface")), "a page without a server has no interface for programs");
  });

  async function modelOf() {
    const { reader } = await library(page);
    return JSON.parse(reader.describe());
  }
});
