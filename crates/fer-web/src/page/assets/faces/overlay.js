// A reading drawn over its picture.
// In: a canvas context, faces, the names and colours of labels. Out: boxes with their labels.

import { placeTitles, sureness } from "./titles.js";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

/** The colour of a label, as the style sheet says at this moment. */
export function labelColor(label) {
  const style = getComputedStyle(document.documentElement);
  return style.getPropertyValue(`--label-${label}`).trim() || style.getPropertyValue("--soft").trim();
}

/** The label's name, or the word for having none. */
export function labelName(labels, label) {
  return label === null || label === undefined ? "uncertain" : labels[label];
}

/**
 * Draws faces; `scale` turns the reading's pixels into the canvas's, `unit` is one CSS pixel in canvas pixels,
 * `picture` is the size of the drawn picture in canvas pixels, where it is not the whole canvas.
 */
export function drawFaces(context, faces, labels, { scale, unit, mirror = false, picture = context.canvas }) {
  const shown = faces.map((face) => {
    const w = face.box.width * scale;
    const h = face.box.height * scale;
    const x = mirror ? picture.width - face.box.x * scale - w : face.box.x * scale;
    const title = measure(context, face, labels, unit);
    return { x, y: face.box.y * scale, w, h, face, ...title };
  });
  const corners = placeTitles(shown, picture, 6 * unit);
  shown.forEach((one, i) => {
    const { face } = one;
    const color = face.label === null ? "#d8d4cb" : labelColor(face.label);
    context.globalAlpha = face.held ? 0.45 : 1;
    drawBox(context, one, color, unit);
    drawTitle(context, one, corners[i], color, unit);
  });
  context.globalAlpha = 1;
}

function drawBox(context, { x, y, w, h }, color, unit) {
  context.beginPath();
  context.roundRect(x, y, w, h, 10 * unit);
  context.lineWidth = 5 * unit;
  context.strokeStyle = "rgb(12 11 11 / 55%)";
  context.stroke();
  context.lineWidth = 2.5 * unit;
  context.strokeStyle = color;
  context.stroke();
}

/** A title's words, with where each begins, and its size. */
function measure(context, face, labels, unit) {
  const size = 15 * unit;
  const pad = 8 * unit;
  const words = [
    { text: face.track === undefined ? "" : `${face.track}`, weight: 600, color: "#b9b5ac" },
    { text: labelName(labels, face.label), weight: 600, color: "#ffffff" },
    { text: sureness(face), weight: 400, color: "#d8d4cb" },
  ].filter(({ text }) => text);
  let width = pad;
  for (const word of words) {
    word.at = width;
    word.font = `${word.weight} ${size}px ${FONT}`;
    context.font = word.font;
    width += context.measureText(word.text).width + pad;
  }
  return { words, width, height: size + pad * 1.3 };
}

function drawTitle(context, { words, width, height }, { left, top }, color, unit) {
  context.fillStyle = "rgb(12 11 11 / 78%)";
  context.beginPath();
  context.roundRect(left, top, width, height, 7 * unit);
  context.fill();
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(left, top, 4 * unit, height, [7 * unit, 0, 0, 7 * unit]);
  context.fill();
  context.textBaseline = "middle";
  for (const { text, at, font, color: ink } of words) {
    context.font = font;
    context.fillStyle = ink;
    context.fillText(text, left + at, top + height / 2 + unit * 0.5);
  }
}
