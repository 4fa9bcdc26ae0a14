// The server panel: what the server's own camera or file shows.
// In: the server's stream of pictures and of readings. Out: both, side by side.

import { Faces } from "./faces/faces.js";

const RATE_MS = 2000;
const LEAST_RATE_MS = 500;

const byId = (id) => document.getElementById(id);

/** The server panel; only there when the server has an input of its own. */
export class ServerPanel {
  #faces;
  #events = null;
  #times = [];

  constructor(model) {
    this.#faces = new Faces(model.labels, byId("server-faces"), byId("server-nobody"));
    byId("server-name").textContent = model.source.name;
  }

  show() {
    this.#events = new EventSource("/v1/readings");
    this.#events.addEventListener("reading", (event) => this.#take(JSON.parse(event.data)));
    this.#events.addEventListener("notice", (event) => this.#say(JSON.parse(event.data)));
    this.#events.onerror = () => {
      byId("server-notice").textContent = "The server does not answer. Connecting again…";
      this.#forget();
    };
    this.#events.onopen = () => {
      byId("server-notice").textContent = "";
      byId("server-picture").classList.remove("stale");
      // A stream that broke does not start again by itself.
      byId("server-picture").src = `/stream.mjpg?${Date.now()}`;
    };
  }

  hide() {
    this.#events?.close();
    this.#events = null;
    byId("server-picture").removeAttribute("src");
    byId("server-picture").classList.remove("stale");
    this.#faces.clear();
  }

  /** Nothing is read any more: what was read last is not shown as if it were now. */
  #forget() {
    this.#faces.clear();
    this.#times = [];
    for (const id of ["server-rate", "server-latency"]) byId(id).textContent = "–";
    byId("server-picture").classList.add("stale");
  }

  #take(reading) {
    this.#faces.update(reading.faces, reading.timestamp_ms);
    byId("server").style.setProperty("--aspect", String(reading.width / reading.height));
    const now = performance.now();
    this.#times.push(now);
    while (this.#times[0] < now - RATE_MS) this.#times.shift();
    const span = now - this.#times[0];
    if (span >= LEAST_RATE_MS) {
      byId("server-rate").textContent = `${(((this.#times.length - 1) * 1000) / span).toFixed(0)} / s`;
    }
    byId("server-latency").textContent = `${Math.round(reading.latency_ms)} ms`;
    byId("server-dropped").textContent = String(reading.n_dropped);
  }

  #say({ text, ended }) {
    byId("server-notice").textContent = text;
    if (ended) this.#events?.close();
  }
}
