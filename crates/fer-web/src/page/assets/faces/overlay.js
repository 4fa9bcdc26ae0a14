// A reading drawn over its picture.
// In: a canvas context, faces, the names and colours of labels. Out: boxes with their labels.
// Knows nothing of where pictures come from.

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
 * Draws faces; `scale` turns the reading's pixels into the canvas's, `unit` is one CSS pixel in canvas pixels.
 */
export function drawFaces(context, faces, labels, { scale, unit, mirror = false }) {
  const width = context.canvas.width;
  for (const face of faces) {
    const w = face.box.width * scale;
    const h = face.box.height * scale;
    const x = mirror ? width - face.box.x * scale - w : face.box.x * scale;
    const y = face.box.y * scale;
    const color = face.label === null ? "#d8d4cb" : labelColor(face.label);
    context.globalAlpha = face.held ? 0.45 : 1;
    drawBox(context, x, y, w, h, color, unit);
    drawTitle(context, x, y, face, labels, color, unit);
  }
  context.globalAlpha = 1;
}

function drawBox(context, x, y, w, h, color, unit) {
  context.beginPath();
  context.roundRect(x, y, w, h, 10 * unit);
  context.lineWidth = 5 * unit;
  context.strokeStyle = "rgb(12 11 11 / 55%)";
  context.stroke();
  context.lineWidth = 2.5 * unit;
  context.strokeStyle = color;
  context.stroke();
}

function drawTitle(context, x, y, face, labels, color, unit) {
  const size = 15 * unit;
  const pad = 8 * unit;
  const name = labelName(labels, face.label);
  const id = face.track === undefined ? "" : `${face.track}`;
  const sure = `${Math.round(face.confidence * 100)} %`;
  context.font = `600 ${size}px ${FONT}`;
  const idWidth = id ? context.measureText(id).width + pad : 0;
  const nameWidth = context.measureText(name).width;
  context.font = `400 ${size}px ${FONT}`;
  const width = idWidth + nameWidth + pad + context.measureText(sure).width + 2 * pad;
  const height = size + pad * 1.3;
  const left = Math.max(0, Math.min(x, context.canvas.width - width));
  const top = y - height - 6 * unit < 0 ? Math.max(0, y + 6 * unit) : y - height - 6 * unit;
  context.fillStyle = "rgb(12 11 11 / 78%)";
  context.beginPath();
  context.roundRect(left, top, width, height, 7 * unit);
  context.fill();
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(left, top, 4 * unit, height, [7 * unit, 0, 0, 7 * unit]);
  context.fill();
  context.textBaseline = "middle";
  const middle = top + height / 2 + unit * 0.5;
  context.font = `600 ${size}px ${FONT}`;
  context.fillStyle = "#b9b5ac";
  context.fillText(id, left + pad, middle);
  context.fillStyle = "#ffffff";
  context.fillText(name, left + pad + idWidth, middle);
  context.font = `400 ${size}px ${FONT}`;
  context.fillStyle = "#d8d4cb";
  context.fillText(sure, left + pad + idWidth + nameWidth + pad, middle);
}
