// The page without a server in Firefox: another engine, another decoder, the same readings.
// Its fake camera shows no face, so faces come from a photo and a clip.
//
// FIREFOX      the browser                       [/usr/bin/firefox-esr]

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { clip, command, page, root, skip as skipChromium, skipPage } from "./harness.mjs";
import { StaticHost } from "./static.mjs";

const firefox = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const PREFS = { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true };
const skip = existsSync(firefox) ? skipChromium || skipPage : "skipped: Firefox is not installed (Debian: apt-get install firefox-esr)";

describe("the page without a server in Firefox", { skip }, () => {
  let host;
  let browser;
  let shown;
  const faults = [];
  before(async () => {
    host = await StaticHost.start(page);
    const { default: puppeteer } = await import("puppeteer-core");
    browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true, extraPrefsFirefox: PREFS });
    shown = await browser.newPage();
    shown.on("pageerror", (error) => faults.push(error.message));
    shown.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!["blob:", "data:"].includes(protocol) && origin !== new URL(host.url).origin) faults.push(request.url());
    });
    // The page may not fetch what it offers for download: its texts are kept as they are made.
    await shown.evaluateOnNewDocument(() => {
      window.made = new Map();
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        const address = make.call(URL, blob);
        window.made.set(address, blob);
        return address;
      };
    });
    await shown.goto(host.url);
    await shown.waitForSelector("html[data-ready]");
    await shown.click("#notice-close");
  });
  after(async () => {
    await browser?.close();
    await host?.stop();
  });

  const text = (selector) => shown.$eval(selector, (one) => one.textContent);

  test("its camera is read", async () => {
    await shown.click("#camera-start");
    await shown.waitForFunction(() => /^\d+ \/ s$/.test(document.getElementById("hud-rate").textContent), { timeout: 30_000 });
    assert.equal(await text("#hud-dropped"), "0");
    await shown.click("#camera-stop");
  });

  test("a photo is read as fer-live reads it", async () => {
    const picture = clip("photo.png", 3, 2, 3);
    await shown.click("#tab-photos");
    await (await shown.$("#photo-input")).uploadFile(picture);
    await shown.waitForFunction(() => document.getElementById("photo-state").textContent === "1 picture read");
    const native = JSON.parse(command("--model", `${root}/models/tiny`, "--input", picture, "--headless", "--json", "-"));
    const names = await shown.$$eval(".photo h3", (all) => all.map((name) => name.textContent));
    assert.deepEqual(names, native[0].faces.map((face) => face.label ?? "uncertain"));
    assert.equal(names.length, 2);
  });

  test("every frame of a clip is read once", async (t) => {
    await shown.click("#tab-video");
    await (await shown.$("#video-input")).uploadFile(clip("clip.mp4", 4, 2, 3));
    await shown.waitForFunction(
      () => !document.getElementById("video-result").hidden || !document.getElementById("video-trouble").hidden,
      { timeout: 120_000 },
    );
    // Whether this Firefox decodes H.264 is the system's matter; what it cannot play it says in words.
    const trouble = await shown.$eval("#video-trouble", (one) => (one.hidden ? "" : one.textContent));
    if (trouble) {
      t.diagnostic(trouble);
      assert.match(trouble, /not a video that can be read/);
      return;
    }
    const csv = await shown.$eval("#video-csv", (link) => window.made.get(link.href).text());
    assert.equal(new Set(csv.trim().split("\r\n").slice(1).map((line) => line.split(",")[1])).size, 60);
  });

  test("nothing was asked of another host, and no error came", () => assert.deepEqual(faults, []));
});
