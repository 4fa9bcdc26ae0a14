// Where the titles of boxes go, and what they say in numbers.
// In: boxes, sizes, probabilities. Out: a corner for each title, texts.

/**
 * Corners of titles, `{left, top}` each, so that none covers another face or another title where there is room.
 * `faces` are boxes `{x, y, w, h}` with the size of their title, `{width, height}`; `picture` is `{width, height}`.
 * Of the places around a box the first free one is taken, else the one that covers least.
 */
export function placeTitles(faces, picture, gap) {
  const placed = [];
  return faces.map((face, i) => {
    const others = faces.filter((_, other) => other !== i);
    const cost = (at) => covered(at, others) + 2 * covered(at, placed);
    const places = around(face, gap).map((at) => inside(at, picture));
    const best = places.reduce((best, at) => (cost(at) < cost(best) ? at : best));
    placed.push(best);
    return { left: best.x, top: best.y };
  });
}

/** Above, below, then inside the box, at its left and at its right edge; then beside it. */
function around({ x, y, w, h, width, height }, gap) {
  const rows = [y - height - gap, y + h + gap, y + gap, y + h - height - gap];
  const columns = [x, x + w - width];
  const beside = [x + w + gap, x - width - gap].map((left) => ({ x: left, y, w: width, h: height }));
  return [...rows.flatMap((top) => columns.map((left) => ({ x: left, y: top, w: width, h: height }))), ...beside];
}

function inside(at, picture) {
  const keep = (from, length, most) => Math.max(0, Math.min(from, most - length));
  return { ...at, x: keep(at.x, at.w, picture.width), y: keep(at.y, at.h, picture.height) };
}

/** Area of a rectangle that lies on others. */
function covered(a, others) {
  const overlap = (from, length, start, extent) => Math.max(0, Math.min(from + length, start + extent) - Math.max(from, start));
  return others.reduce((sum, b) => sum + overlap(a.x, a.w, b.x, b.w) * overlap(a.y, a.h, b.y, b.h), 0);
}

/**
 * How sure a face's label is; nothing for one without: it may have none at any share, in its first frames and between the
 * limits of gaining and losing one.
 */
export function sureness({ label, confidence }) {
  return label === null || label === undefined ? "" : `${Math.round(confidence * 100)} %`;
}
