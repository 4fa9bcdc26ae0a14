// A video file → its frames, one by one, by playing it unseen.
// In: a file and what reads a frame. Out: its size; every frame is read once, in order.
// Browsers show frames in time and leave some out when they are late: a gap is played again, slower.

import { Problem } from "../api.js";

const MOST_WAITING = 3;
const FIRST_FRAME_MS = 2000;
const FASTEST = 4;
const SLOWEST = 0.25;
/** Frames a second that browsers show without leaving some out, and the part of the reader's time to be used. */
const SHOWN_A_SECOND = 40;
const BUSY = 0.8;
const GAP = 1.6;

/**
 * Calls `read(bitmap, ms)` for each frame and waits until all are read.
 * Answers the size and, where the file broke off, the problem; throws a Problem when nothing can be read.
 */
export async function eachFrame(file, read, { tell, signal }) {
  const video = document.createElement("video");
  if (!video.requestVideoFrameCallback) {
    throw new Problem({ title: "This browser does not give single frames of videos", detail: "an up-to-date one does" });
  }
  const address = URL.createObjectURL(file);
  try {
    return await new Play(video, read, tell, signal).run(address);
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }
}

class Play {
  #video;
  #read;
  #tell;
  #signal;
  #last = -1;
  #steps = [];
  #waiting = new Set();
  #msARead = 20;
  #n = 0;
  #size = { width: 1, height: 1 };
  /** The gap that was played again: between the last frame read and the one that came. */
  #again = { from: -1, to: -1 };

  constructor(video, read, tell, signal) {
    Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
    this.#video = video;
    this.#read = read;
    this.#tell = tell;
    this.#signal = signal;
  }

  run(address) {
    return new Promise((done, fail) => {
      const end = (problem) => {
        if (this.#n === 0 && !problem) problem = { title: "This is not a video that can be read", detail: "it has no picture" };
        if (this.#n === 0) fail(new Problem(problem));
        else Promise.all(this.#waiting).then(() => done({ ...this.#size, problem }), fail);
      };
      const failed = (error) => {
        this.#video.pause();
        fail(error);
      };
      this.#signal.addEventListener("abort", () => failed(new Problem({ title: "Cancelled" })));
      this.#video.addEventListener("ended", () => this.#goBackFrom(this.#video.duration) || end());
      this.#video.addEventListener("error", () => end(unplayable(this.#video.error)));
      this.#next(failed);
      this.#video.addEventListener("loadeddata", () => this.#begin(failed), { once: true });
      this.#video.src = address;
    });
  }

  /** The first frame is shown before the video plays; where the browser does not tell so, it plays after a while. */
  #begin(failed) {
    const started = performance.now();
    const when = () => {
      if (this.#signal.aborted) return;
      if (this.#n === 0 && performance.now() - started < FIRST_FRAME_MS) setTimeout(when, 10);
      else this.#video.play().catch(failed);
    };
    when();
  }

  #next(failed) {
    this.#video.requestVideoFrameCallback((_, { mediaTime, width, height }) => {
      if (this.#signal.aborted) return;
      this.#size = { width, height };
      if (mediaTime > this.#last && !this.#goBackFrom(mediaTime)) this.#take(mediaTime, failed);
      this.#next(failed);
    });
  }

  /** Plays a gap again, slower, from the last frame read; once, for some videos have gaps of their own. */
  #goBackFrom(time) {
    const typical = median(this.#steps);
    const was = this.#again;
    const isKnown = was.from === this.#last && Math.abs(was.to - time) < 1e-3;
    const isGap = this.#steps.length >= 3 && time - this.#last > GAP * typical && !isKnown;
    if (!isGap) return false;
    this.#again = { from: this.#last, to: time };
    this.#video.playbackRate = Math.max(SLOWEST, this.#video.playbackRate / 2);
    this.#video.currentTime = this.#last;
    this.#video.play().catch(() => {});
    return true;
  }

  #take(time, failed) {
    if (this.#last >= 0) this.#steps.push(time - this.#last);
    if (this.#steps.length > 50) this.#steps.shift();
    this.#last = time;
    this.#n += 1;
    const started = performance.now();
    const reading = createImageBitmap(this.#video)
      .then((bitmap) => this.#read(bitmap, time * 1000))
      .then(() => {
        this.#waiting.delete(reading);
        this.#msARead += 0.1 * ((performance.now() - started) / (this.#waiting.size + 1) - this.#msARead);
        this.#keepPace(failed);
      })
      .catch(failed);
    this.#waiting.add(reading);
    if (this.#waiting.size >= MOST_WAITING) this.#video.pause();
    const { duration } = this.#video;
    this.#tell(`Reading frame ${this.#n}`, duration > 0 && Number.isFinite(duration) ? time / duration : undefined);
  }

  /** Plays as fast as frames are read and shown. */
  #keepPace(failed) {
    const typical = median(this.#steps);
    if (typical > 0 && this.#n % 10 === 0) {
      const frames = Math.min(SHOWN_A_SECOND, (BUSY * 1000) / this.#msARead);
      this.#video.playbackRate = Math.min(FASTEST, Math.max(SLOWEST, frames * typical));
    }
    const isHeld = this.#video.paused && !this.#video.ended && this.#waiting.size < MOST_WAITING && this.#n > 1;
    if (isHeld) this.#video.play().catch(failed);
  }
}

function unplayable(error) {
  return { title: "This is not a video that can be read", detail: `this browser cannot play it (${error?.message || "damaged"})` };
}

function median(values) {
  return values.length === 0 ? 0 : [...values].sort((a, b) => a - b)[values.length >> 1];
}
