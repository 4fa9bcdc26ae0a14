// Readings kept on request, with markers, until they are downloaded or discarded.
// In: readings of camera frames. Out: CSV and JSON Lines.
// Keeps numbers only, never pictures; knows nothing of the camera.

import { download } from "../api.js";
import { rowsOf, toCsv, toJsonl } from "../faces/rows.js";

const MARKER = "marker";

/** The recorder and its controls. */
export class Recorder {
  #model;
  #rows = [];
  #frames = 0;
  #markers = 0;
  #waiting = [];
  #first = 0;
  #last = 0;
  /** When the last reading came, and whether time has to be bridged to the next. */
  #lastAt = 0;
  #resumed = false;
  #downloaded = true;
  #onMark;
  running = false;

  constructor(model, { onMark }) {
    this.#model = model;
    this.#onMark = onMark;
    this.button = document.getElementById("record");
    this.markButton = document.getElementById("mark");
    this.button.addEventListener("click", () => this.toggle());
    this.markButton.addEventListener("click", () => this.mark());
    document.getElementById("recording-csv").addEventListener("click", () => this.#save("csv"));
    document.getElementById("recording-jsonl").addEventListener("click", () => this.#save("jsonl"));
    document.getElementById("recording-discard").addEventListener("click", () => this.discard());
    window.addEventListener("beforeunload", (event) => {
      if (this.#frames > 0 && !this.#downloaded) event.preventDefault();
    });
  }

  toggle() {
    if (this.running) this.stop();
    else this.#start();
  }

  stop() {
    this.running = false;
    // A marker after the last frame belongs to that frame: it is not lost.
    const last = this.#rows.at(-1)?.frame;
    for (let i = this.#rows.length - 1; i >= 0 && this.#rows[i].frame === last; i -= 1) this.#mark(this.#rows[i]);
    this.#waiting = [];
    this.#show();
  }

  /** Sets a marker at the next frame; without a name it is numbered. */
  mark(name) {
    if (!this.running) return;
    this.#markers += 1;
    const text = name ?? String(this.#markers);
    this.#waiting.push(text);
    this.#onMark(text);
    this.#show();
  }

  /** Takes a reading while recording. */
  add(reading, input) {
    if (!this.running) return;
    if (this.#frames === 0) this.#first = reading.timestamp_ms;
    // The server counts from zero again after a new connection; a recording goes on.
    else if (this.#resumed || reading.timestamp_ms < this.#last) {
      this.#first = reading.timestamp_ms - (this.#last - this.#first) - (performance.now() - this.#lastAt);
    }
    this.#resumed = false;
    this.#last = reading.timestamp_ms;
    this.#lastAt = performance.now();
    const timestamp_ms = reading.timestamp_ms - this.#first;
    const rows = rowsOf({ ...reading, input, timestamp_ms, frame: this.#frames }, this.#model.labels);
    for (const row of rows) {
      this.#mark(row);
      this.#rows.push(row);
    }
    this.#waiting = [];
    this.#frames += 1;
    this.#downloaded = false;
    if (this.#frames % 10 === 1) this.#show();
  }

  discard() {
    this.running = false;
    this.#rows = [];
    this.#frames = 0;
    this.#markers = 0;
    this.#waiting = [];
    this.#downloaded = true;
    this.#show();
  }

  #mark(row) {
    if (this.#waiting.length > 0) row[MARKER] = [row[MARKER], ...this.#waiting].filter(Boolean).join(" ");
  }

  /** What was not downloaded goes on, the pause included; only Discard throws readings away. */
  #start() {
    if (this.#downloaded) this.discard();
    this.#resumed = !this.#downloaded;
    this.running = true;
    this.#show();
  }

  #save(kind) {
    const name = `fer-readings-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
    if (kind === "csv") {
      download(`${name}.csv`, toCsv([...this.#model.columns, MARKER], this.#rows), "text/csv");
    } else {
      download(`${name}.jsonl`, toJsonl(this.#rows), "application/jsonl");
    }
    this.#downloaded = true;
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.running));
    const start = this.#downloaded ? "Record readings" : "Go on recording";
    this.button.textContent = this.running ? "Stop recording" : start;
    this.markButton.hidden = !this.running;
    const panel = document.getElementById("recording");
    panel.hidden = !this.running && this.#frames === 0;
    const seconds = Math.round((this.#last - this.#first) / 1000);
    const length = this.#frames === 0 ? 0 : seconds;
    const time = `${Math.floor(length / 60)}:${String(length % 60).padStart(2, "0")}`;
    const markers = this.#markers === 1 ? "1 marker" : `${this.#markers} markers`;
    const what = this.running ? "Recording numbers, no pictures" : "Recorded";
    document.getElementById("recording-state").textContent =
      `${what}: ${time}, ${this.#frames} frames, ${markers}. Kept in this tab only.`;
  }
}
