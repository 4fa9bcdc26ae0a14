// The camera panel: frames out, readings back, each drawn on the very frame it belongs to.
// In: the user's clicks and the camera's frames. Out: the picture with its faces, and their cards.

import { Adapt, fit } from "./adapt.js";
import { listCameras, openCamera } from "./camera.js";
import { Faces } from "../faces/faces.js";
import { drawFaces } from "../faces/overlay.js";
import { Recorder } from "./record.js";

const RATE_MS = 2000;
const LEAST_RATE_MS = 500;
const LARGEST_SHOWN = 1280;

const byId = (id) => document.getElementById(id);

/** The camera panel. */
export class CameraPanel {
  #model;
  #link;
  #adapt = new Adapt();
  #faces;
  #stream = null;
  #video = byId("camera-video");
  #canvas = byId("camera-canvas");
  #paused = false;
  #mirror = true;
  #busy = false;
  #run = 0;
  #lastSent = 0;
  #shownAt = [];
  #dropped = 0;
  #size = "–";
  #shown = null;
  #tracks = { offset: 0, highest: 0 };
  recorder;

  constructor(reading) {
    const { model } = reading;
    this.#model = model;
    this.#link = reading.openLink();
    this.#faces = new Faces(model.labels, byId("camera-faces"), byId("camera-nobody"));
    this.recorder = new Recorder(model, {
      onMark: (name) => this.#faces.marks.push({ t: performance.now(), name }),
    });
    byId("camera-start").addEventListener("click", () => this.start());
    byId("camera-stop").addEventListener("click", () => this.stop());
    byId("camera-pause").addEventListener("click", () => this.togglePause());
    byId("camera-mirror").addEventListener("click", () => this.toggleMirror());
    byId("camera-choice").addEventListener("change", (event) => this.start(event.target.value));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#stream && this.#listCameras());
    this.#link.addEventListener("reading", (event) => this.#show(event.detail));
    this.#link.addEventListener("dropped", (event) => this.#drop(event.detail.kept));
    this.#link.addEventListener("refused", (event) => this.#refuse(event.detail));
    this.#link.addEventListener("lost", (event) => this.#drop(event.detail.kept));
    this.#link.addEventListener("state", (event) => this.#tellState(event.detail));
  }

  get running() {
    return this.#stream !== null;
  }

  /** Opens a camera and begins to read. */
  async start(deviceId = "") {
    const run = (this.#run += 1);
    const focused = document.activeElement === byId("camera-start");
    this.#release();
    byId("camera-start").disabled = true;
    byId("camera-trouble").hidden = true;
    try {
      const stream = await openCamera(deviceId);
      if (run !== this.#run) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = stream;
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        if (run === this.#run) this.#fail("The camera was unplugged or taken away. Plug it in, then start again.");
      });
      this.#video.srcObject = stream;
      await this.#video.play();
    } catch (error) {
      if (run === this.#run) this.#fail(error.message);
      return;
    } finally {
      byId("camera-start").disabled = false;
      // A disabled button loses the keyboard.
      if (focused) byId("camera-start").focus();
    }
    this.#begin(run);
    if (focused) byId("camera-stop").focus();
  }

  stop() {
    this.#run += 1;
    this.#release();
    this.#showEmpty(true);
    byId("camera-start").focus();
  }

  togglePause() {
    if (!this.running) return;
    this.#paused = !this.#paused;
    byId("camera-pause").setAttribute("aria-pressed", String(this.#paused));
    byId("camera-paused").hidden = !this.#paused;
    if (!this.#paused) this.#shownAt = [];
  }

  toggleMirror() {
    this.#mirror = !this.#mirror;
    byId("camera-mirror").setAttribute("aria-pressed", String(this.#mirror));
    this.#draw();
  }

  #begin(run) {
    this.#adapt = new Adapt();
    this.#dropped = 0;
    this.#paused = false;
    byId("camera-pause").setAttribute("aria-pressed", "false");
    byId("camera-paused").hidden = true;
    this.#showEmpty(false);
    this.#listCameras();
    this.#link.open();
    const next = () => {
      if (run !== this.#run) return;
      this.#capture();
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }

  #fail(message) {
    this.#run += 1;
    this.#release();
    this.#showEmpty(true);
    byId("camera-trouble").textContent = message;
    byId("camera-trouble").hidden = false;
  }

  #release() {
    this.#link.close();
    this.recorder.stop();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    this.#shown?.bitmap.close();
    this.#shown = null;
    this.#faces.clear();
    this.#shownAt = [];
    this.#tracks = { offset: 0, highest: 0 };
    byId("camera-stage").classList.remove("stale");
    for (const id of ["hud-rate", "hud-latency", "hud-size"]) byId(id).textContent = "–";
  }

  #showEmpty(empty) {
    byId("camera-empty").hidden = !empty;
    byId("camera-hud").hidden = empty;
    byId("camera-controls").hidden = empty;
    if (empty) {
      byId("camera-paused").hidden = true;
      this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height);
      byId("server-gone").hidden = true;
    }
  }

  async #listCameras() {
    const choice = byId("camera-choice");
    const current = this.#stream?.getVideoTracks()[0]?.getSettings().deviceId;
    const cameras = await listCameras();
    choice.replaceChildren(
      ...cameras.map(({ id, name }) => {
        const option = new Option(name, id);
        option.selected = id === current;
        return option;
      }),
    );
    choice.parentElement.hidden = cameras.length < 2;
  }

  /** Sends the camera's newest frame, unless two are on their way or it is too early. */
  async #capture() {
    const now = performance.now();
    // A quarter of a frame early is in time: cameras are not exact.
    if (this.#paused || this.#busy || !this.#link.ready || now - this.#lastSent < this.#adapt.pause - 8) return;
    if (this.#video.readyState < 2 || document.hidden) return;
    this.#busy = true;
    this.#lastSent = now;
    const run = this.#run;
    let bitmap = null;
    try {
      bitmap = await this.#grab();
      const frame = await this.#link.prepare(bitmap, this.#adapt.size);
      if (run === this.#run && frame && this.#link.ready) {
        this.#size = `${frame.width}×${frame.height}`;
        this.#link.send(frame, now, { bitmap, captured: now });
        bitmap = null;
      }
    } catch {
      // A frame that could not be grabbed is like a frame that never was; the next one follows.
    } finally {
      bitmap?.close();
      this.#busy = false;
    }
  }

  #grab() {
    const { videoWidth, videoHeight } = this.#video;
    const { width, height } = fit(videoWidth, videoHeight, LARGEST_SHOWN);
    const sameSize = width === videoWidth;
    return createImageBitmap(this.#video, sameSize ? {} : { resizeWidth: width, resizeHeight: height });
  }

  /** Shows an answer together with the frame it belongs to. */
  #show({ message, kept, roundTrip }) {
    this.#adapt.answered(roundTrip);
    if (this.#paused) {
      kept.bitmap.close();
      return;
    }
    const faces = message.faces.map((face) => ({ ...face, track: face.track + this.#tracks.offset }));
    for (const { track } of faces) this.#tracks.highest = Math.max(this.#tracks.highest, track);
    this.#shown?.bitmap.close();
    this.#shown = { bitmap: kept.bitmap, faces, scale: kept.bitmap.width / message.width };
    this.#draw();
    this.#faces.update(faces, kept.captured);
    const input = byId("camera-choice").selectedOptions[0]?.text ?? "camera";
    this.recorder.add({ timestamp_ms: kept.captured, faces }, input);
    this.#count(kept.captured);
  }

  #draw() {
    if (!this.#shown) return;
    const { bitmap, faces, scale } = this.#shown;
    const canvas = this.#canvas;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      byId("camera").style.setProperty("--aspect", String(bitmap.width / bitmap.height));
    }
    const context = canvas.getContext("2d");
    context.save();
    if (this.#mirror) {
      context.translate(canvas.width, 0);
      context.scale(-1, 1);
    }
    context.drawImage(bitmap, 0, 0);
    context.restore();
    const fitted = Math.min(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height) || 1;
    drawFaces(context, faces, this.#model.labels, { scale, unit: 1 / fitted, mirror: this.#mirror });
  }

  #drop(kept) {
    kept.bitmap.close();
    this.#dropped += 1;
    this.#adapt.dropped();
    byId("hud-dropped").textContent = String(this.#dropped);
  }

  #refuse({ message, kept }) {
    this.#drop(kept);
    this.#banner(`${message.problem.title}: ${message.problem.detail}`);
  }

  /** Frame rate over the last two seconds, and the time from camera to picture. */
  #count(captured) {
    const now = performance.now();
    this.#shownAt.push(now);
    while (this.#shownAt[0] < now - RATE_MS) this.#shownAt.shift();
    const span = now - this.#shownAt[0];
    if (span >= LEAST_RATE_MS) {
      byId("hud-rate").textContent = `${(((this.#shownAt.length - 1) * 1000) / span).toFixed(0)} / s`;
    }
    byId("hud-latency").textContent = `${Math.round(now - captured)} ms`;
    byId("hud-size").textContent = this.#size;
    byId("hud-dropped").textContent = String(this.#dropped);
  }

  #tellState({ state, reason }) {
    if (state === "open") {
      // A new connection counts faces from 1 again: they are not the ones from before.
      this.#tracks.offset = this.#tracks.highest;
      this.#banner("");
      byId("camera-stage").classList.remove("stale");
    } else if (state === "waiting") {
      const why = reason ? ` (${reason})` : "";
      this.#banner(`The server does not answer${why}. Connecting again…`);
      this.#forget();
    } else if (state === "closed") {
      this.#banner("");
    }
  }

  /** Nothing is read any more: what was read last is not shown as if it were now. */
  #forget() {
    this.#faces.clear();
    this.#shownAt = [];
    for (const id of ["hud-rate", "hud-latency", "hud-size"]) byId(id).textContent = "–";
    byId("camera-stage").classList.add("stale");
    if (!this.#shown) return;
    this.#shown.faces = [];
    this.#draw();
  }

  #banner(text) {
    const banner = byId("server-gone");
    banner.hidden = text === "";
    banner.textContent = text;
  }
}
