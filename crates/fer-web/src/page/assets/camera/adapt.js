// How large and how often camera frames are sent.
// In: round trips and drops, as they happen. Out: the size, quality and pause of the next frame.

/** Sizes from small to large: longer side in pixels, JPEG quality. */
export const STEPS = [
  { side: 320, quality: 0.6 },
  { side: 400, quality: 0.65 },
  { side: 480, quality: 0.7 },
  { side: 640, quality: 0.75 },
  { side: 800, quality: 0.8 },
  { side: 960, quality: 0.82 },
];

const START = 3;
const SLOW_MS = 220;
const QUICK_MS = 90;
const PATIENCE_DOWN = 4;
const PATIENCE_UP = 60;
const SHORTEST_PAUSE_MS = 1000 / 30;
const LONGEST_PAUSE_MS = 1000;

/** Watches round trips: slow ones make frames smaller, quick ones larger, drops make them rarer. */
export class Adapt {
  #step = START;
  #roundTrip = 0;
  #slow = 0;
  #quick = 0;
  #pause = SHORTEST_PAUSE_MS;

  /** Size and quality of the next frame. */
  get size() {
    return STEPS[this.#step];
  }

  /** Least time between two frames. */
  get pause() {
    return this.#pause;
  }

  /** Mean round trip. */
  get roundTrip() {
    return this.#roundTrip;
  }

  /** An answer came after this time. */
  answered(roundTrip) {
    this.#roundTrip += (roundTrip - this.#roundTrip) * (this.#roundTrip ? 0.15 : 1);
    this.#slow = roundTrip > SLOW_MS ? this.#slow + 1 : 0;
    this.#quick = roundTrip < QUICK_MS ? this.#quick + 1 : 0;
    this.#pause = Math.max(SHORTEST_PAUSE_MS, this.#pause * 0.97);
    if (this.#slow >= PATIENCE_DOWN) this.#move(-1);
    if (this.#quick >= PATIENCE_UP) this.#move(1);
  }

  /** The server dropped a frame: it has too much to do. */
  dropped() {
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.3);
  }

  #move(by) {
    this.#step = Math.min(STEPS.length - 1, Math.max(0, this.#step + by));
    this.#slow = 0;
    this.#quick = 0;
  }
}

/** The size of a picture whose longer side is at most `side`; never larger than it is. */
export function fit(width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
