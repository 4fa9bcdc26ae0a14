// Photos, videos, the server's own input, and the page itself.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { browse, clip, downloaded, drop, open, parseCsv, Server, skip, startCamera } from "./harness.mjs";

describe("photos and videos", { skip }, () => {
  let server;
  let browser;
  before(async () => {
    server = await Server.start();
    browser = await browse();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("dropped pictures are boxed and barred, and downloaded as the interface for programs answers", async (t) => {
    const picture = clip("photo.jpg", 3, 2, 3);
    const page = await open(t, browser, server.url, { hash: "#photos" });
    await drop(page, "#photo-drop", [
      { path: picture, name: "two, people.jpg", type: "image/jpeg" },
      { path: import.meta.filename, name: "no picture.png", type: "image/png" },
    ]);
    await page.waitForFunction(() => document.getElementById("photo-state").textContent === "2 pictures read");
    const answer = await fetch(`${server.url}v1/analyze`, { method: "POST", body: readFileSync(picture) });
    const [expected] = (await answer.json()).pictures;
    assert.equal(expected.faces.length, 2);
    const names = await page.$$eval(".photo:first-child h3", (all) => all.map((name) => name.textContent));
    assert.deepEqual(names, expected.faces.map((face) => face.label ?? "uncertain"));
    const shares = await page.$$eval(".photo:first-child .sure", (all) => all.map((share) => Number.parseInt(share.textContent, 10)));
    expected.faces.forEach((face, i) => {
      if (face.label === null) assert.ok(shares[i] < 40, `uncertain, and ${shares[i]} %`);
      else assert.ok(shares[i] >= 40, `${face.label}, and ${shares[i]} %`);
    });
    assert.match(await page.textContent(".photo:nth-child(2) .trouble"), /not a picture/);
    const json = JSON.parse((await downloaded(page, () => page.click("#photo-json"))).bytes);
    assert.deepEqual(json.pictures[0].faces, expected.faces);
    assert.match(json.pictures[1].problem, /not a picture/);
    const csv = (await downloaded(page, () => page.click("#photo-csv"))).bytes.toString();
    const lines = csv.trim().split("\r\n");
    assert.equal(lines.length, 1 + 2 + 1);
    assert.ok(lines[1].startsWith('"two, people.jpg",0,0,1,1,'), lines[1]);
    assert.ok(lines[3].startsWith("no picture.png,0,0,0,"), lines[3]);
    await page.click("#photo-clear");
    assert.equal(await page.locator(".photo").count(), 0);
  });

  test("a pasted picture is read, whichever tab is open", async (t) => {
    const base64 = readFileSync(clip("photo.jpg", 3, 2, 3)).toString("base64");
    const page = await open(t, browser, server.url);
    await page.evaluate((base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "", { type: "image/jpeg" }));
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    }, base64);
    await page.waitForSelector("#photos:not([hidden]) .photo canvas");
    assert.equal(await page.locator(".photo .face").count(), 2);
  });

  test("a dropped video is read with progress, scrubbed through, and downloaded", async (t) => {
    const page = await open(t, browser, server.url, { hash: "#video" });
    await drop(page, "#video-drop", [{ path: clip("clip.mp4", 4, 2, 3), name: "walk.mp4", type: "video/mp4" }]);
    await page.waitForSelector("#video-progress:not([hidden])");
    await page.waitForSelector("#video-result:not([hidden])", { timeout: 120_000 });
    await page.waitForFunction(() => document.getElementById("video-player").readyState >= 2);
    assert.equal(await page.locator("#video-faces .face:not([hidden])").count(), 2);
    const strip = await page.locator("#video-strip").boundingBox();
    await page.mouse.click(strip.x + strip.width / 2, strip.y + strip.height / 2);
    await page.waitForFunction(() => Math.abs(document.getElementById("video-player").currentTime - 2) < 0.3);
    await page.focus("#video-strip");
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.getElementById("video-player").currentTime === 0);
    const drawn = await page.$eval("#video-overlay", (canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0);
    });
    assert.ok(drawn, "boxes lie over the video");
    const csv = await downloaded(page, () => page.click("#video-csv"));
    assert.equal(csv.name, "walk-readings.csv");
    const rows = parseCsv(csv.bytes.toString());
    assert.equal(new Set(rows.map((row) => row.frame)).size, 60, "four seconds of fifteen frames");
    assert.equal(rows[0].input, "walk.mp4");
    const jsonl = await downloaded(page, () => page.click("#video-jsonl"));
    assert.equal(jsonl.bytes.toString().trim().split("\n").length, rows.length);
    const annotated = await downloaded(page, () => page.click("#video-annotated"));
    assert.equal(annotated.bytes.subarray(4, 8).toString(), "ftyp");
    const address = await page.getAttribute("#video-csv", "href");
    await page.click("#video-clear");
    assert.ok(await page.isVisible("#video-drop"));
    await page.waitForFunction(async (address) => (await fetch(address)).status === 404, address);
  });

  test("what is no video is refused in plain words", async (t) => {
    const page = await open(t, browser, server.url, { hash: "#video" });
    await drop(page, "#video-drop", [{ path: import.meta.filename, name: "story.mp4", type: "video/mp4" }]);
    await page.waitForSelector("#video-trouble:not([hidden])", { timeout: 60_000 });
    assert.match(await page.textContent("#video-trouble"), /not a video that can be read/);
    assert.ok(await page.isVisible("#video-drop"), "one may try another");
  });

  test("the first notice says what it is not for, must be read, and is not shown twice", async (t) => {
    const page = await open(t, browser, server.url, { notice: false });
    const text = await page.textContent("#notice");
    for (const words of ["appears", "AI Act, Article 5(1)(f)", "Work and school", "Tell everybody in view"]) {
      assert.ok(text.includes(words), words);
    }
    await page.keyboard.press("Escape");
    assert.ok(await page.isVisible("#notice"), "Escape does not close it unread");
    await page.keyboard.press("Enter");
    assert.ok(!(await page.isVisible("#notice")));
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    assert.ok(!(await page.isVisible("#notice")));
    assert.match(await page.textContent("#privacy"), /this computer.*in memory.*Nothing is stored/);
  });

  test("colours follow the system, and the switch overrules it", async (t) => {
    const page = await open(t, browser, server.url, { context: { colorScheme: "dark" } });
    const paper = () => page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
    const dark = await paper();
    await page.emulateMedia({ colorScheme: "light" });
    // The browser applies a new preference in a frame of its own.
    const becomes = (test, colour) =>
      page.waitForFunction(
        ([same, wanted]) => (getComputedStyle(document.body).backgroundColor === wanted) === same,
        [test === "is", colour],
      );
    await becomes("is not", dark);
    await page.click("#theme");
    await becomes("is", dark);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    assert.equal(await paper(), dark, "it is remembered");
  });

  test("tabs, buttons and dialogs work from the keyboard, and everything has a name", async (t) => {
    const page = await open(t, browser, server.url);
    await page.focus("#tab-camera");
    await page.keyboard.press("ArrowRight");
    assert.ok(await page.isVisible("#photos"));
    assert.equal(await page.evaluate(() => document.activeElement.id), "tab-photos");
    await page.keyboard.press("End");
    assert.ok(await page.isVisible("#video"), "the server tab is not there without an input");
    await page.focus("#about-open");
    await page.keyboard.press("Enter");
    assert.ok(await page.isVisible("#about"));
    await page.keyboard.press("Escape");
    assert.ok(!(await page.isVisible("#about")));
    const nameless = await page.$$eval("button, input, select, a, canvas[role], img", (all) =>
      all
        .filter((one) => {
          const label = one.getAttribute("aria-label") ?? one.getAttribute("alt") ?? one.labels?.[0]?.textContent;
          return !(label ?? one.textContent).trim();
        })
        .map((one) => one.outerHTML),
    );
    assert.deepEqual(nameless, []);
  });

  test("text can be read in both colour schemes", async (t) => {
    const page = await open(t, browser, server.url);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const ratios = await page.evaluate(contrasts);
      // WCAG 2.2: 4.5 for text, 3 for what is drawn.
      for (const [pair, ratio, least] of ratios) assert.ok(ratio >= least, `${colorScheme} ${pair}: ${ratio.toFixed(2)}`);
    }
  });
});

/** Runs in the page: contrast of text colours on their grounds, and of bars on theirs. */
function contrasts() {
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => {
    const hex = style.getPropertyValue(name).trim();
    const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255);
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const text = ["--ink", "--soft", "--alert"].flatMap((ink) => ["--paper", "--sheet"].map((ground) => [ink, ground]));
  return [...text, ["--on-accent", "--accent"], ["--ink", "--fill"], ["--soft", "--fill"]].map(([ink, ground]) => [
    `${ink} on ${ground}`,
    ratio(ink, ground),
    4.5,
  ]);
}

describe("the layout", { skip }, () => {
  let server;
  let browser;
  before(async () => {
    server = await Server.start();
    browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [width, height] of [[360, 740], [1024, 768], [1920, 1080]]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`nothing is cut off at ${width} pixels, ${colorScheme}`, async (t) => {
        const page = await open(t, browser, server.url, { context: { viewport: { width, height }, colorScheme } });
        await startCamera(page);
        await page.waitForFunction(() => document.querySelectorAll("#camera-faces .face").length === 2, null, {
          timeout: 30_000,
        });
        await check(page, `camera-${width}-${colorScheme}`);
        await page.click("#tab-photos");
        await page.setInputFiles("#photo-input", clip("photo.jpg", 3, 2, 3));
        await page.waitForSelector(".photo .face");
        await check(page, `photos-${width}-${colorScheme}`);
        await page.click("#tab-video");
        await page.setInputFiles("#video-input", clip("clip.mp4", 4, 2, 3));
        await page.waitForSelector("#video-result:not([hidden])", { timeout: 120_000 });
        await page.waitForFunction(() => document.getElementById("video-player").readyState >= 2);
        await check(page, `video-${width}-${colorScheme}`);
      });
    }
  }
});

/** No sideways scrolling, and nothing that axe knows to shut people out; a screenshot where FER_SCREENSHOTS names a folder. */
async function check(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
  const cut = await page.$$eval("button, .button, h3, .hud dd", (all) =>
    all
      .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
      .map((one) => one.textContent),
  );
  assert.deepEqual(cut, []);
  assert.deepEqual(await barriers(page), [], name);
  if (process.env.FER_SCREENSHOTS) {
    mkdirSync(process.env.FER_SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(process.env.FER_SCREENSHOTS, `${name}.png`) });
  }
}

/** What axe finds, its best practices included: rule, and where. */
async function barriers(page) {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

describe("the server's own input", { skip }, () => {
  test("a server that is gone is told, and its last reading is not shown as if it were now", async (t) => {
    const server = await Server.start({ words: ["--input", "drawn", "--people", "2"] });
    t.after(() => server.stop("SIGKILL"));
    const browser = await browse();
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    await page.waitForFunction(() => document.querySelectorAll("#server-faces .face").length === 2, null, {
      timeout: 30_000,
    });
    await server.stop("SIGKILL");
    await page.waitForFunction(() => /does not answer/.test(document.getElementById("server-notice").textContent));
    assert.equal(await page.locator("#server-faces .face").count(), 0);
    for (const id of ["server-rate", "server-latency"]) assert.equal(await page.textContent(`#${id}`), "–");
    assert.ok(await page.$eval("#server-picture", (picture) => picture.classList.contains("stale")));
  });


  test("the page shows its pictures and its readings", async (t) => {
    const server = await Server.start({ words: ["--input", "drawn", "--people", "2"] });
    t.after(() => server.stop());
    const browser = await browse();
    t.after(() => browser.close());
    const page = await open(t, browser, server.url);
    assert.ok(await page.isVisible("#server"), "it is the first tab then");
    await page.waitForFunction(() => document.querySelectorAll("#server-faces .face").length === 2, null, {
      timeout: 30_000,
    });
    await page.waitForFunction(() => document.getElementById("server-picture").naturalWidth === 640);
    assert.equal(await page.textContent("#server-name"), "drawn");
    await page.waitForFunction(() => /^\d+ \/ s$/.test(document.getElementById("server-rate").textContent));
  });
});
