// The browser's camera, from the first click to the downloaded table.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { browse, clip, command, downloaded, open, parseCsv, ramp, Server, skip, startCamera, still } from "./harness.mjs";

describe("the camera", { skip }, () => {
  let server;
  before(async () => (server = await Server.start()));
  after(() => server?.stop());

  test("every drawn person gets a card with a bar for every label, and the picture its rate and latency", async (t) => {
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await startCamera(page);
    await page.waitForFunction(() => document.querySelectorAll("#camera-faces .face:not(.gone)").length === 2, null, {
      timeout: 30_000,
    });
    const labels = (await (await fetch(`${server.url}v1/model`)).json()).labels;
    const shown = await page.$$eval("#camera-faces .face:first-child dt", (terms) => terms.map((term) => term.textContent));
    assert.deepEqual(shown, labels);
    const values = await page.$$eval("#camera-faces .face:first-child .value", (all) => all.map((v) => Number(v.textContent)));
    const sum = values.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 100) <= labels.length, `percentages sum to ${sum}`);
    assert.match(await page.textContent("#hud-latency"), /^\d+ ms$/);
    assert.ok(Number.parseInt(await page.textContent("#hud-rate"), 10) >= 1);
    const colors = await page.$eval("#camera-canvas", (canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4 * 97) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      return seen.size;
    });
    assert.ok(colors > 100, `only ${colors} colours in the picture`);
  });

  test("the label shown is the one the command line gives for the same clip", async (t) => {
    // A face that is read surely (0.94): one between two labels is read otherwise once it is compressed again.
    const picture = clip("still.jpg", 3, 1, 8);
    const camera = still(picture, 40);
    const rows = parseCsv(command("--input", camera, "--headless", "--csv", "-"));
    const expected = rows.at(-1);
    assert.equal(expected.success, "1", "the command line found the face");
    const browser = await browse({ camera });
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await startCamera(page);
    // Steady after some half-lives.
    await page.waitForTimeout(3000);
    const label = await page.textContent("#camera-faces .face h3");
    assert.equal(label, expected.label || "uncertain");
    const [names, values] = await page.$eval("#camera-faces .face", (card) => [
      [...card.querySelectorAll("dt")].map((term) => term.textContent),
      [...card.querySelectorAll(".value")].map((value) => Number(value.textContent)),
    ]);
    names.forEach((name, i) => {
      const said = Number(expected[`smooth_${name}`]) * 100;
      // The page's camera frames are compressed once more, which a sharp network notices.
      assert.ok(Math.abs(values[i] - said) < 20, `${name}: page ${values[i]}, command line ${said.toFixed(1)}`);
    });
  });

  test("each reading is drawn on the very frame it belongs to, however late it comes", async (t) => {
    const browser = await browse({ camera: ramp(60) });
    t.after(() => browser.close());
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    // Answers come 300 ms late: by then the camera is several frames further.
    await page.routeWebSocket(/\/v1\/live/, (socket) => {
      const up = socket.connectToServer();
      up.onMessage((message) => setTimeout(() => socket.send(message), message.includes("hello") ? 0 : 300));
    });
    await page.addInitScript(() => {
      window.pairs = [];
      const sent = new Map();
      const grey = (source) => {
        const canvas = new OffscreenCanvas(1, 1);
        const context = canvas.getContext("2d");
        context.drawImage(source, 0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data[1];
      };
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (bytes) {
        const id = new DataView(bytes.buffer).getUint32(4, true);
        createImageBitmap(new Blob([bytes.subarray(16)], { type: "image/jpeg" })).then((b) => sent.set(id, grey(b)));
        this.addEventListener("message", ({ data }) => {
          const message = JSON.parse(data);
          if (message.type !== "reading" || message.id !== id) return;
          // The page's own listener came first and has drawn.
          window.pairs.push([sent.get(id), grey(document.getElementById("camera-canvas"))]);
        });
        return send.call(this, bytes);
      };
    });
    await page.goto(server.url);
    await page.waitForSelector("html[data-ready]");
    await page.click("#notice-close");
    await page.click("#camera-start");
    await page.waitForFunction(() => window.pairs.length >= 15, null, { timeout: 60_000 });
    const pairs = await page.evaluate(() => window.pairs);
    const greys = new Set(pairs.map(([sent]) => sent));
    assert.ok(greys.size > 5, `the frames differ: ${[...greys]}`);
    for (const [sent, shown] of pairs) {
      assert.ok(Math.abs(sent - shown) <= 3, `sent grey ${sent}, shown grey ${shown}: ${JSON.stringify(pairs)}`);
    }
  });

  test("pause holds the picture, mirror turns it, stop lets the camera go", async (t) => {
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await startCamera(page);
    const picture = () => page.$eval("#camera-canvas", (canvas) => canvas.toDataURL("image/jpeg", 0.5));
    await page.keyboard.press("p");
    await page.waitForSelector("#camera-paused:not([hidden])");
    // What was on its way when the key was pressed has come and been left out.
    await page.waitForTimeout(500);
    const held = await picture();
    await page.waitForTimeout(500);
    assert.equal(await picture(), held);
    await page.click("#camera-mirror");
    assert.equal(await page.getAttribute("#camera-mirror", "aria-pressed"), "false");
    assert.notEqual(await picture(), held);
    await page.click("#camera-pause");
    await page.waitForSelector("#camera-paused", { state: "hidden" });
    await page.click("#camera-stop");
    assert.equal(await page.$eval("#camera-video", (video) => video.srcObject), null);
    assert.ok(await page.isVisible("#camera-start"));
  });

  test("a recording holds every reading and its markers, as CSV and as JSON Lines", async (t) => {
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await startCamera(page);
    await page.keyboard.press("r");
    await page.waitForTimeout(1500);
    await page.keyboard.press("m");
    await page.waitForTimeout(700);
    await page.keyboard.press("7");
    await page.waitForTimeout(700);
    await page.keyboard.press("r");
    const before = await page.textContent("#recording-state");
    await page.waitForTimeout(500);
    assert.equal(await page.textContent("#record"), "Go on recording");
    await page.keyboard.press("r");
    await page.waitForTimeout(700);
    await page.keyboard.press("r");
    const said = await page.textContent("#recording-state");
    const frames = Number(/(\d+) frames/.exec(said)[1]);
    assert.match(said, /2 markers/);
    const framesBefore = Number(/(\d+) frames/.exec(before)[1]);
    assert.ok(frames > framesBefore, "a second start goes on with what was not downloaded");
    const csv = await downloaded(page, () => page.click("#recording-csv"));
    assert.match(csv.name, /^fer-readings-.*\.csv$/);
    const rows = parseCsv(csv.bytes.toString());
    const columns = (await (await fetch(`${server.url}v1/model`)).json()).columns;
    assert.deepEqual(Object.keys(rows[0]), [...columns, "marker"]);
    assert.equal(new Set(rows.map((row) => row.frame)).size, frames);
    const times = rows.map((row) => Number(row.timestamp_ms));
    assert.equal(times[0], 0);
    assert.ok(times.every((time, i) => i === 0 || time >= times[i - 1]), "times grow");
    const gap = times[rows.findIndex((row) => Number(row.frame) === framesBefore)] - times[rows.findLastIndex((row) => Number(row.frame) === framesBefore - 1)];
    assert.ok(gap >= 400, `the pause is in the times: ${gap} ms`);
    assert.deepEqual([...new Set(rows.flatMap((row) => row.marker.split(" ")).filter(Boolean))], ["1", "7"]);
    const jsonl = await downloaded(page, () => page.click("#recording-jsonl"));
    const lines = jsonl.bytes.toString().trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, rows.length);
    assert.equal(String(lines.at(-1).x ?? ""), rows.at(-1).x);
    await page.click("#recording-discard");
    assert.ok(!(await page.isVisible("#recording")));
  });

  test("two tabs at once are both read", async (t) => {
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const one = await open(t, browser, server.url);
    const two = await open(t, browser, server.url);
    await startCamera(one);
    await startCamera(two);
    for (const page of [one, two]) {
      await page.waitForFunction(() => document.querySelectorAll("#camera-faces .face").length === 2, null, {
        timeout: 30_000,
      });
    }
  });

  test("a killed server is told, and a restarted one is found again", async (t) => {
    let mortal = await Server.start();
    t.after(() => mortal.stop());
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, mortal.url);
    await startCamera(page);
    await mortal.stop("SIGKILL");
    await page.waitForSelector("#server-gone:not([hidden])");
    assert.match(await page.textContent("#server-gone"), /does not answer.*Connecting again/);
    // What was read last is not shown as if it were now.
    assert.equal(await page.locator("#camera-faces .face").count(), 0);
    assert.ok(await page.isVisible("#camera-nobody"));
    for (const id of ["hud-rate", "hud-latency"]) assert.equal(await page.textContent(`#${id}`), "–");
    assert.ok(await page.$eval("#camera-stage", (stage) => stage.classList.contains("stale")), "the picture is grey");
    mortal = await Server.start({ port: mortal.port });
    await page.waitForSelector("#server-gone", { state: "hidden", timeout: 30_000 });
    const before = await page.$eval("#camera-canvas", (canvas) => canvas.toDataURL("image/jpeg", 0.3));
    await page.waitForFunction(
      (before) => document.getElementById("camera-canvas").toDataURL("image/jpeg", 0.3) !== before,
      before,
      { timeout: 30_000 },
    );
    assert.ok(!(await page.$eval("#camera-stage", (stage) => stage.classList.contains("stale"))));
    await page.waitForFunction(() => /^\d+ \/ s$/.test(document.getElementById("hud-rate").textContent));
  });

  test("a camera that is started and stopped from the keyboard keeps the keyboard", async (t) => {
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    const focused = () => page.evaluate(() => document.activeElement.id);
    await page.focus("#camera-start");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#camera-controls:not([hidden])");
    assert.equal(await focused(), "camera-stop");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "camera-pause");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "camera-start");
  });

  test("a stopped server ends well while a camera is open", async (t) => {
    const mortal = await Server.start();
    t.after(() => mortal.stop("SIGKILL"));
    const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
    t.after(() => browser.close());
    const page = await open(t, browser, mortal.url);
    await startCamera(page);
    assert.equal(await mortal.stop("SIGTERM"), 0);
  });
});

describe("no camera", { skip }, () => {
  let server;
  before(async () => (server = await Server.start()));
  after(() => server?.stop());

  async function trouble(t, options, prepare = async () => {}) {
    const browser = await browse(options);
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await prepare(page);
    await page.click("#camera-start");
    await page.waitForSelector("#camera-trouble:not([hidden])");
    assert.ok(await page.isEnabled("#camera-start"), "one may try again");
    return page.textContent("#camera-trouble");
  }

  test("a denied camera is told in plain words", async (t) => {
    const camera = clip("camera.y4m", 8, 2, 3);
    assert.match(await trouble(t, { camera, allow: false }), /was not allowed.*Allow it.*start again/);
  });

  test("a missing camera is told in plain words", async (t) => {
    assert.match(await trouble(t, {}), /No camera was found.*Plug one in/);
  });

  test("a taken camera is told in plain words", async (t) => {
    const taken = (page) =>
      page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("in use", "NotReadableError"));
      });
    const camera = clip("camera.y4m", 8, 2, 3);
    assert.match(await trouble(t, { camera }, taken), /taken by another program.*Close the other program/);
  });
});
