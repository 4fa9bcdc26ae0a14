// Readings as the rows of a table, the same table that fer-live writes.
// In: readings, the server's column and label names. Out: CSV and JSON Lines.

/** One row per found face; a frame without one is a row with `success` 0. */
export function rowsOf({ input, frame, timestamp_ms, faces }, labels) {
  const place = { input, frame, timestamp_ms: round(timestamp_ms, 3) };
  const found = faces.filter((face) => !face.held);
  if (found.length === 0) return [{ ...place, success: 0 }];
  return found.map((face) => {
    const { x, y, width, height, score } = face.box;
    const row = { ...place, success: 1, track: face.track };
    Object.assign(row, { x: round(x, 2), y: round(y, 2), w: round(width, 2), h: round(height, 2), score: round(score, 2) });
    labels.forEach((name, label) => (row[name] = round(face.probabilities[label], 6)));
    labels.forEach((name, label) => (row[`smooth_${name}`] = round(face.smooth[label], 6)));
    return Object.assign(row, {
      label: face.label === null ? null : labels[face.label],
      confidence: round(face.confidence, 6),
    });
  });
}

/** A table with a header, as RFC 4180 asks. */
export function toCsv(columns, rows) {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** One JSON object per line. */
export function toJsonl(rows) {
  return rows.map((row) => JSON.stringify(row) + "\n").join("");
}

/**
 * What begins like a formula would be run by spreadsheets: it gets a quote mark before it, also behind a semicolon
 * or a tab, which divide cells where a comma is the decimal sign; a dash alone is none.
 */
function cell(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return String(value);
  const text = value === "-" ? value : String(value).replace(/(^|[;\t])(?=[=+\-@\t\r])/g, "$1'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}
