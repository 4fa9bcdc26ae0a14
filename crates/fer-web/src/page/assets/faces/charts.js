// Probabilities over time, as stacked bands.
// In: samples {t, values} with t in ms. Out: a drawing on a canvas.

import { labelColor } from "./overlay.js";

/** The samples of the last while, oldest first. */
export class History {
  #span;
  samples = [];

  constructor(spanMs) {
    this.#span = spanMs;
  }

  add(t, values) {
    this.samples.push({ t, values });
    const oldest = t - this.#span - 1000;
    let n = 0;
    while (n < this.samples.length && this.samples[n].t < oldest) n += 1;
    if (n > 0) this.samples.splice(0, n);
  }
}

/** Sizes a canvas to its place on the page; returns its context in CSS pixels. */
export function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, canvas.clientWidth);
  const height = Math.max(1, canvas.clientHeight);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * Draws samples between two times as bands that fill the height; a gap longer than `gapMs` stays empty.
 * Later labels lie under earlier ones, so that every probability is a band of its own.
 */
export function drawBands(place, samples, from, to, gapMs) {
  const { context, width, height } = place;
  const x = (t) => ((t - from) / (to - from)) * width;
  for (const run of runs(samples, gapMs)) {
    const n = run[0].values.length;
    // Less than a pixel of time per sample is averaged away by skipping, or long videos would be slow.
    const step = Math.max(1, Math.floor(run.length / (width * 2)));
    const shown = run.filter((_, i) => i % step === 0 || i === run.length - 1);
    const end = x(run.at(-1).t);
    const narrow = end - x(run[0].t) < 1.5 ? 1.5 : 0;
    let below = shown.map(() => 0);
    for (let label = 0; label < n; label += 1) {
      const above = shown.map((sample, i) => below[i] + sample.values[label]);
      context.beginPath();
      shown.forEach((sample, i) => context.lineTo(x(sample.t), height * (1 - above[i])));
      context.lineTo(end + narrow, height * (1 - above.at(-1)));
      context.lineTo(end + narrow, height * (1 - below.at(-1)));
      for (let i = shown.length - 1; i >= 0; i -= 1) context.lineTo(x(shown[i].t), height * (1 - below[i]));
      context.closePath();
      context.fillStyle = labelColor(label);
      context.fill();
      below = above;
    }
  }
}

/** Draws upright lines at times, with a word on top where there is one. */
export function drawMarks(place, marks, from, to, color) {
  const { context, width, height } = place;
  context.fillStyle = color;
  context.font = "600 11px system-ui, sans-serif";
  context.textBaseline = "top";
  for (const { t, name } of marks) {
    if (t < from || t > to) continue;
    const x = ((t - from) / (to - from)) * width;
    context.fillRect(x - 1, 0, 2, height);
    if (name) context.fillText(name, x + 4, 3);
  }
}

function runs(samples, gapMs) {
  const all = [];
  for (const sample of samples) {
    const last = all.at(-1);
    if (last && sample.t - last.at(-1).t <= gapMs) last.push(sample);
    else all.push([sample]);
  }
  return all;
}
