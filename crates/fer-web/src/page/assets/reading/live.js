// The connection that carries camera frames to the server and readings back.
// In: frames, each with what the page wants back with its answer. Out: events.
// Connects again by itself; knows nothing of cameras and drawing.

import { fit } from "../camera/adapt.js";

const PROTOCOL = 1;
const HEADER = 16;
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/**
 * Events, in `detail`:
 * `state` {state: "connecting" | "open" | "waiting" | "closed", reason},
 * `reading` {message, kept, roundTrip}, `dropped` {message, kept}, `refused` {message, kept}, `lost` {kept}.
 */
export class Link extends EventTarget {
  #socket = null;
  #pending = new Map();
  #limit = 0;
  #id = 0;
  #wait = SHORTEST_WAIT_MS;
  #timer = 0;
  #wanted = false;
  #canvas = document.createElement("canvas");

  open() {
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#forget();
    this.#tell("state", { state: "closed", reason: "" });
  }

  /** Whether one more frame may be sent. */
  get ready() {
    return this.#pending.size < this.#limit && this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Makes a picture ready to be sent, as a JPEG whose longer side is at most `side`. */
  async prepare(bitmap, { side, quality }) {
    const { width, height } = fit(bitmap.width, bitmap.height, side);
    this.#canvas.width = width;
    this.#canvas.height = height;
    const context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.drawImage(bitmap, 0, 0, width, height);
    const blob = await new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", quality));
    return blob && { width, height, jpeg: await blob.arrayBuffer() };
  }

  /** Sends a frame that was made ready; `kept` comes back with its answer. */
  send({ jpeg }, captureMs, kept) {
    this.#id = (this.#id + 1) >>> 0;
    const bytes = new Uint8Array(HEADER + jpeg.byteLength);
    const header = new DataView(bytes.buffer);
    header.setUint8(0, PROTOCOL);
    header.setUint32(4, this.#id, true);
    header.setFloat64(8, captureMs, true);
    bytes.set(new Uint8Array(jpeg), HEADER);
    this.#pending.set(this.#id, { kept, sent: performance.now() });
    this.#socket.send(bytes);
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#tell("state", { state: "connecting", reason: "" });
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/v1/live`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#again(event.reason);
    };
  }

  #again(reason) {
    this.#forget();
    if (!this.#wanted) return;
    this.#tell("state", { state: "waiting", reason });
    this.#timer = setTimeout(() => this.#connect(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
  }

  #take(message) {
    if (message.type === "hello") {
      this.#limit = message.frames_in_flight;
      this.#wait = SHORTEST_WAIT_MS;
      this.#tell("state", { state: "open", reason: "" });
      return;
    }
    const frame = this.#pending.get(message.id);
    if (!frame) return;
    this.#pending.delete(message.id);
    this.#tell(message.type, { message, kept: frame.kept, roundTrip: performance.now() - frame.sent });
  }

  /** Frames without an answer are lost with their connection, and said to be. */
  #forget() {
    this.#limit = 0;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { kept } of lost) this.#tell("lost", { kept });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
