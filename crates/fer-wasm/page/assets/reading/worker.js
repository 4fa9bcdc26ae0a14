// The worker: pixels to readings, by the library beside the page.
// In: questions {id, what, …}. Out: {id, answer} or {id, problem}.
// Everything that takes time happens here, so that the page's own thread only draws.

import start, { Reader } from "../../wasm/fer_wasm.js";

const MOST_PIXELS = 50_000_000;

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });
const streams = new Map();
// Compiled while the page still asks which model is wanted; what goes wrong is told when one is loaded.
const library = start({ module_or_path: new URL("../../wasm/fer_wasm_bg.wasm", import.meta.url) });
library.catch(() => {});
let n_streams = 0;
let reader;
let files;

const answers = {
  /** Loads a model's folder; what it is comes back. */
  async load({ folder }) {
    files = await Promise.all([bytes(`${folder}card.json`), bytes(`${folder}weights.safetensors`)]);
    await library;
    reader = new Reader(...files);
    return JSON.parse(reader.describe());
  },

  /** Has faces found by YuNet from the next picture, camera or video on; its engine is in a library of its own. */
  async yunet({ file }) {
    const onnx = new Uint8Array(await file.arrayBuffer());
    const other = await import("../../wasm-yunet/fer_wasm.js").catch(() => {
      throw { title: "YuNet's library could not be read", detail: "the host does not have it, or does not answer" };
    });
    await other.default({ module_or_path: new URL("../../wasm-yunet/fer_wasm_bg.wasm", import.meta.url) });
    reader = other.Reader.with_yunet(...files, onnx);
  },

  /** One picture alone. */
  async photo({ file }) {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" }).catch(() => {
      throw { title: "This is not a picture that can be read", detail: "expected one of a kind that this browser shows" };
    });
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) {
      bitmap.close();
      throw { title: "The picture is too large", detail: `${width}×${height}: scale it down first` };
    }
    const reading = JSON.parse(reader.photo(pixels(bitmap), width, height));
    return { width, height, faces: reading.faces };
  },

  /** A new camera or video, by its number. */
  begin() {
    n_streams += 1;
    streams.set(n_streams, reader.stream());
    return n_streams;
  },

  /** The next frame of a camera or video. */
  frame({ stream, bitmap, time }) {
    const { width, height } = bitmap;
    const known = streams.get(stream);
    if (!known) {
      bitmap.close();
      return { faces: [] };
    }
    return JSON.parse(known.read(pixels(bitmap), width, height, time));
  },

  end({ stream }) {
    streams.get(stream)?.free();
    streams.delete(stream);
  },
};

// One question after the other: answers come in order, also where one has to wait for its bytes.
let last = Promise.resolve();
self.onmessage = ({ data: { id, what, ...facts } }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id, answer: await answers[what](facts) });
    } catch (error) {
      self.postMessage({ id, problem: problemOf(error) });
    }
  });
};

/** What went wrong, with words for people. */
function problemOf(error) {
  if (error.title) return error;
  if (error instanceof WebAssembly.RuntimeError) return { title: "The reader stopped", detail: "reload the page to start it again" };
  return { title: "It could not be read", detail: error.message };
}

/** RGBA, row by row from the top; the bitmap is given back to the browser. */
function pixels(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.globalCompositeOperation = "copy";
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}

async function bytes(address) {
  const response = await fetch(address);
  if (!response.ok) throw { title: "The model could not be read", detail: `${address}: the host answered ${response.status}` };
  return new Uint8Array(await response.arrayBuffer());
}
