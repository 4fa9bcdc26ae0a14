// Readings by this browser: the page without a server.
// In: pictures, camera frames, videos. Out: what the worker beside this file reads in them.
// Joins the page of crates/fer-web, where remote.js says what both ways to read have.

import { Problem } from "../api.js";
import { fit } from "../camera/adapt.js";
import { rowsOf, toCsv, toJsonl } from "../faces/rows.js";
import { eachFrame } from "./frames.js";

const FRAMES_IN_FLIGHT = 2;
const REMEMBERED = "fer-model";

const byId = (id) => document.getElementById(id);

/** Starts the worker and has it load a model: the one chosen last, else the first there is. */
export async function connect() {
  const worker = new Asked();
  const models = await (await fetched("models/models.json")).json();
  const wanted = models.find(({ name }) => name === chosen()) ?? models[0];
  const model = await worker.ask("load", { folder: new URL(`models/${wanted.name}/`, document.baseURI).href });
  keepForLater();
  offerModels(models, wanted);
  offerYuNet(worker);
  return new LocalReading(model, worker);
}

class LocalReading {
  #worker;

  constructor(model, worker) {
    this.model = model;
    this.#worker = worker;
  }

  openLink() {
    return new LocalLink(this.#worker);
  }

  async photo(file) {
    const { labels } = this.model;
    const { width, height, faces } = await this.#worker.ask("photo", { file });
    const named = (row) => Object.fromEntries(labels.map((label, i) => [label, row[i]]));
    const answers = faces.map(({ box, label, confidence, probabilities }) => ({
      box,
      label: label === null ? null : labels[label],
      confidence,
      probabilities: named(probabilities),
    }));
    return { name: null, width, height, faces: answers };
  }

  /** Plays a video unseen and reads its frames; `tell` hears words and a part from 0 to 1. */
  async video(file, { tell, signal }) {
    const stream = await this.#worker.ask("begin");
    const frames = [];
    const read = async (bitmap, time) => {
      const { faces } = await this.#worker.ask("frame", { stream, bitmap, time }, [bitmap]);
      frames.push({ frame: frames.length, timestamp_ms: time, faces });
    };
    try {
      const { width, height, problem } = await eachFrame(file, read, { tell, signal });
      const files = this.#files(file.name, frames);
      const forget = () => Object.values(files).forEach((address) => URL.revokeObjectURL(address));
      return { width, height, frames, problem, files, forget };
    } finally {
      this.#worker.ask("end", { stream });
    }
  }

  /** The readings as the tables that fer-live writes. */
  #files(input, frames) {
    const { labels, columns } = this.model;
    const rows = frames.flatMap((frame) => rowsOf({ ...frame, input }, labels));
    const address = (text, type) => URL.createObjectURL(new Blob([text], { type }));
    return { csv: address(toCsv(columns, rows), "text/csv"), jsonl: address(toJsonl(rows), "application/jsonl") };
  }

  /** Says where pictures go. */
  sayWhere() {
    for (const place of document.querySelectorAll(".where")) {
      place.textContent = "Pictures stay in this tab: they are read by this browser and dropped.";
    }
    byId("privacy").textContent =
      "Pictures are read by this browser, in memory, and dropped at once; they go nowhere, and the page may ask for " +
      "nothing but its own files. Nothing is stored; what you record stays in this tab until you download it.";
    byId("notice-where").textContent =
      "Nowhere. They are read by this browser, in this tab's memory, and dropped. Nothing is stored unless you record " +
      "readings, and then only numbers, in this tab.";
    byId("video-where").textContent = "The video is read here, by this browser, and goes nowhere.";
    byId("interface").hidden = true;
  }
}

/** The worker, asked by messages: each question gets one answer, in order. */
class Asked {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #id = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, answer, problem } }) => {
      const { done, fail } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (problem) fail(new Problem(problem));
      else done(answer);
    };
    // A worker that does not even start: its file is missing, or the browser is too old for it.
    this.#worker.onerror = () => {
      const problem = new Problem({ title: "The reader could not be started", detail: "is this browser up to date?" });
      for (const { fail } of this.#waiting.values()) fail(problem);
      this.#waiting.clear();
    };
  }

  ask(what, facts = {}, moved = []) {
    this.#id += 1;
    this.#worker.postMessage({ id: this.#id, what, ...facts }, moved);
    return new Promise((done, fail) => this.#waiting.set(this.#id, { done, fail }));
  }
}

/** The camera's frames to the worker and readings back; events as those of live.js' Link. */
class LocalLink extends EventTarget {
  #worker;
  #stream = null;
  #run = 0;
  #first = 0;
  #pending = new Map();

  constructor(worker) {
    super();
    this.#worker = worker;
  }

  async open() {
    const run = (this.#run += 1);
    this.#first = 0;
    const stream = await this.#worker.ask("begin");
    if (run !== this.#run) {
      this.#worker.ask("end", { stream });
      return;
    }
    this.#stream = stream;
    this.#tell("state", { state: "open", reason: "" });
  }

  close() {
    this.#run += 1;
    if (this.#stream !== null) this.#worker.ask("end", { stream: this.#stream });
    this.#stream = null;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const kept of lost) this.#tell("lost", { kept });
    this.#tell("state", { state: "closed", reason: "" });
  }

  /** Whether one more frame may be sent: the newest one is grabbed when there is a place, so none waits long. */
  get ready() {
    return this.#stream !== null && this.#pending.size < FRAMES_IN_FLIGHT;
  }

  /** A copy of a picture whose longer side is at most `side`, for the worker. */
  async prepare(bitmap, { side }) {
    const { width, height } = fit(bitmap.width, bitmap.height, side);
    const copy = await createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" });
    return { width, height, copy };
  }

  /** Has a frame read; `kept` comes back with its answer. */
  async send({ width, height, copy }, captureMs, kept) {
    if (this.#first === 0) this.#first = captureMs;
    const [stream, sent] = [this.#stream, performance.now()];
    this.#pending.set(copy, kept);
    const facts = { stream, bitmap: copy, time: captureMs - this.#first };
    let told;
    try {
      const { faces } = await this.#worker.ask("frame", facts, [copy]);
      told = ["reading", { message: { width, height, faces }, kept, roundTrip: performance.now() - sent }];
    } catch ({ title, detail }) {
      told = ["refused", { message: { problem: { title, detail } }, kept }];
    }
    // What a closed link still hears of is lost already.
    if (this.#pending.delete(copy)) this.#tell(...told);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

async function fetched(path) {
  const unread = (detail) => new Problem({ title: "A file of this page could not be read", detail: `${path}: ${detail}.` });
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI));
  } catch {
    throw unread("the host does not answer");
  }
  if (!response.ok) throw unread(`the host answered ${response.status}`);
  return response;
}

/** The page works without a network after its first visit, where the browser allows it. */
function keepForLater() {
  navigator.serviceWorker?.register("offline.js").catch(() => {});
}

function chosen() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

/** YuNet's file stays in this tab: the page does not ship it, and asks for it again after the next visit. */
function offerYuNet(worker) {
  const [choice, note] = [byId("yunet-choice"), byId("yunet-note")];
  byId("yunet-line").hidden = false;
  choice.addEventListener("change", async () => {
    const [file] = choice.files;
    if (!file) return;
    note.textContent = "Loading…";
    try {
      await worker.ask("yunet", { file });
      note.textContent = "YuNet finds the faces, from the next picture, camera or video on.";
    } catch ({ title, detail }) {
      note.textContent = `${title}: ${detail}`;
    }
  });
}

/** Another model is another page: its labels, its tables. */
function offerModels(models, current) {
  const choice = byId("model-choice");
  for (const { name, bytes } of models) {
    choice.add(new Option(`${name} (${(bytes / 1e6).toFixed(1)} MB)`, name, false, name === current.name));
  }
  byId("model-line").hidden = models.length < 2;
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(REMEMBERED, choice.value);
    } catch {
      return;
    }
    location.reload();
  });
}
