// The video panel: a clip in; progress, then the clip with its readings to scrub through.
// In: a video file. Out: the player with overlay, the strip of all readings, the downloads.

import { Problem } from "./api.js";
import { drawBands, prepare } from "./faces/charts.js";
import { element, makeCard, makeLegend } from "./faces/faces.js";
import { drawFaces } from "./faces/overlay.js";
import { acceptDrops } from "./photos.js";

const GAP_MS = 700;

const byId = (id) => document.getElementById(id);

/** The video panel. */
export class VideoPanel {
  #reading;
  #model;
  #asked = new AbortController();
  #read = null;
  #frames = [];
  #size = { width: 1, height: 1 };
  #cards = new Map();
  #track = 0;
  #address = "";
  #player = byId("video-player");

  constructor(reading) {
    this.#reading = reading;
    this.#model = reading.model;
    byId("video-input").addEventListener("change", (event) => {
      if (event.target.files[0]) this.read(event.target.files[0]);
      event.target.value = "";
    });
    acceptDrops(byId("video-drop"), (files) => files[0] && this.read(files[0]));
    for (const id of ["video-cancel", "video-clear"]) {
      byId(id).addEventListener("click", () => {
        this.#reset();
        byId("video-input").focus();
      });
    }
    for (const name of ["seeked", "timeupdate", "loadeddata"]) {
      this.#player.addEventListener(name, () => this.#showAt(this.#player.currentTime * 1000));
    }
    this.#player.addEventListener("error", () => this.#playAnnotated());
    this.#scrub(byId("video-strip"));
    const redraw = () => this.#frames.length > 0 && this.#showAt(this.#player.currentTime * 1000);
    new ResizeObserver(redraw).observe(this.#player);
    window.addEventListener("pagehide", () => this.#forget());
  }

  /** Has a video read, then shows it. */
  async read(file) {
    this.#reset();
    const { signal } = this.#asked;
    this.#phase("progress");
    const tell = (words, part) => !signal.aborted && this.#tell(words, part);
    try {
      const read = await this.#reading.video(file, { tell, signal });
      if (signal.aborted) {
        read.forget();
        return;
      }
      this.#read = read;
      this.#show(file, read);
      if (read.problem) this.#trouble(`Read up to where the file is damaged. ${new Problem(read.problem).message}`);
    } catch (problem) {
      if (signal.aborted) return;
      this.#reset();
      this.#trouble(problem.message);
    }
  }

  #trouble(words) {
    byId("video-trouble").textContent = words;
    byId("video-trouble").hidden = false;
  }

  #show(file, { width, height, frames, files }) {
    this.#frames = frames;
    this.#size = { width, height };
    byId("video-result").style.setProperty("--aspect", String(width / height));
    this.#phase("result");
    for (const [kind, name] of [["csv", "readings.csv"], ["jsonl", "readings.jsonl"], ["annotated", "annotated.mp4"]]) {
      const link = byId(`video-${kind}`);
      link.hidden = !files[kind];
      link.href = files[kind] ?? "";
      link.download = `${file.name.replace(/\.[^.]*$/, "")}-${name}`;
    }
    const tracks = new Map();
    for (const { faces } of this.#frames) {
      for (const { track } of faces) tracks.set(track, (tracks.get(track) ?? 0) + 1);
    }
    // The face seen longest gets the strip first.
    this.#track = [...tracks.entries()].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
    this.#address = URL.createObjectURL(file);
    this.#player.src = this.#address;
    this.#follow();
    this.#showAt(0);
  }

  /** The browser cannot play the file: a copy can be played, with its faces drawn already, where there is one. */
  #playAnnotated() {
    const copy = this.#read?.files.annotated;
    if (!copy || !this.#address || this.#player.src !== this.#address) return;
    byId("video-overlay").hidden = true;
    this.#player.src = copy;
  }

  /** Draws every frame that is shown, where the browser tells which one it is. */
  #follow() {
    if (!this.#player.requestVideoFrameCallback) return;
    const { signal } = this.#asked;
    const next = (_, { mediaTime }) => {
      if (signal.aborted) return;
      this.#showAt(mediaTime * 1000);
      this.#player.requestVideoFrameCallback(next);
    };
    this.#player.requestVideoFrameCallback(next);
  }

  #showAt(t) {
    const frame = this.#frameAt(t);
    if (!frame) return;
    this.#drawOverlay(frame.faces);
    this.#showCards(frame.faces);
    this.#drawStrip(t);
  }

  /** The last frame at or before a time; half a frame's time of rounding is allowed. */
  #frameAt(t) {
    let low = 0;
    let high = this.#frames.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#frames[middle].timestamp_ms <= t + 4) low = middle;
      else high = middle - 1;
    }
    return this.#frames[low];
  }

  #drawOverlay(faces) {
    const { context, width, height } = prepare(byId("video-overlay"));
    const scale = Math.min(width / this.#size.width, height / this.#size.height);
    const ratio = window.devicePixelRatio || 1;
    const left = (width - this.#size.width * scale) / 2;
    const top = (height - this.#size.height * scale) / 2;
    context.setTransform(1, 0, 0, 1, left * ratio, top * ratio);
    const picture = { width: this.#size.width * scale * ratio, height: this.#size.height * scale * ratio };
    drawFaces(context, faces, this.#model.labels, { scale: scale * ratio, unit: ratio, picture });
  }

  #showCards(faces) {
    const seen = new Set(faces.map((face) => face.track));
    for (const face of faces) {
      if (!this.#cards.has(face.track)) this.#addCard(face.track);
      const entry = this.#cards.get(face.track);
      entry.update(face, face.smooth);
    }
    for (const [track, { card }] of this.#cards) card.hidden = !seen.has(track);
  }

  #addCard(track) {
    const choose = () => {
      this.#track = track;
      this.#drawStrip(this.#player.currentTime * 1000);
    };
    const entry = makeCard(this.#model.labels, String(track), { choose });
    entry.id.setAttribute("aria-label", `Show face ${track} below the video`);
    entry.card.setAttribute("aria-label", `Face ${track}`);
    this.#cards.set(track, entry);
    byId("video-faces").append(entry.card);
  }

  #drawStrip(now) {
    const strip = byId("video-strip");
    const place = prepare(strip);
    const end = this.#end();
    const samples = [];
    for (const { timestamp_ms, faces } of this.#frames) {
      const face = faces.find(({ track }) => track === this.#track);
      if (face) samples.push({ t: timestamp_ms, values: face.smooth });
    }
    drawBands(place, samples, 0, end, GAP_MS);
    place.context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
    place.context.fillRect((now / end) * place.width - 1, 0, 2, place.height);
    strip.setAttribute("aria-valuemax", (end / 1000).toFixed(1));
    strip.setAttribute("aria-valuenow", (now / 1000).toFixed(1));
    strip.setAttribute("aria-valuetext", `${(now / 1000).toFixed(1)} seconds of ${(end / 1000).toFixed(1)}`);
    for (const [track, { id }] of this.#cards) id.setAttribute("aria-pressed", String(track === this.#track));
    const note = byId("video-strip-note");
    if (!note.querySelector(".legend")) note.append(element("span"), makeLegend(this.#model.labels));
    note.firstChild.textContent = this.#track ? `Face ${this.#track} over the whole clip. ` : "No face was found in this clip. ";
  }

  #end() {
    const last = this.#frames.at(-1)?.timestamp_ms ?? 0;
    const length = Number.isFinite(this.#player.duration) ? this.#player.duration * 1000 : 0;
    return Math.max(1, last, length);
  }

  /** Jumps by click, by drag and by arrow keys. */
  #scrub(strip) {
    const jump = (event) => {
      const { left, width } = strip.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - left) / width));
      this.#player.currentTime = (part * this.#end()) / 1000;
    };
    strip.addEventListener("pointerdown", (event) => {
      strip.setPointerCapture(event.pointerId);
      jump(event);
    });
    strip.addEventListener("pointermove", (event) => event.buttons === 1 && jump(event));
    strip.addEventListener("keydown", (event) => {
      const end = this.#end() / 1000;
      const now = this.#player.currentTime;
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: end }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#player.currentTime = Math.min(end, Math.max(0, to));
    });
  }

  #tell(words, part) {
    byId("video-state").textContent = words;
    if (part === undefined) byId("video-bar").removeAttribute("value");
    else byId("video-bar").value = Math.min(1, part);
  }

  #phase(phase) {
    byId("video-drop").hidden = phase !== "drop";
    byId("video-progress").hidden = phase !== "progress";
    byId("video-result").hidden = phase !== "result";
  }

  #reset() {
    this.#asked.abort();
    this.#asked = new AbortController();
    this.#forget();
    this.#frames = [];
    for (const { card } of this.#cards.values()) card.remove();
    this.#cards.clear();
    this.#player.removeAttribute("src");
    this.#player.load();
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = "";
    byId("video-overlay").hidden = false;
    byId("video-trouble").hidden = true;
    this.#phase("drop");
  }

  #forget() {
    this.#read?.forget();
    this.#read = null;
  }
}
