// The photo panel: pictures in by drop, paste or choice; faces with their bars out.
// In: picture files. Out: one figure each, and all of them as JSON or CSV.

import { download } from "./api.js";
import { element, makeCard } from "./faces/faces.js";
import { drawFaces } from "./faces/overlay.js";
import { rowsOf, toCsv } from "./faces/rows.js";

const SIDE_BY_SIDE = 2;
const LARGEST_SHOWN = 1600;

const byId = (id) => document.getElementById(id);

/** The photo panel. */
export class PhotoPanel {
  #reading;
  #model;
  #done = [];
  #queue = [];
  #running = 0;
  #total = 0;

  constructor(reading) {
    this.#reading = reading;
    this.#model = reading.model;
    byId("photo-input").addEventListener("change", (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    });
    byId("photo-clear").addEventListener("click", () => this.#clear());
    byId("photo-json").addEventListener("click", () => this.#saveJson());
    byId("photo-csv").addEventListener("click", () => this.#saveCsv());
    acceptDrops(byId("photo-drop"), (files) => this.add(files));
  }

  /** Reads pictures, two at a time, in order. */
  add(files) {
    const pictures = files.filter((file) => file.type.startsWith("image/") || file.type === "");
    for (const file of pictures) {
      const figure = element("figure", "photo");
      byId("photo-gallery").append(figure);
      const entry = { name: file.name || "pasted picture", answer: null };
      this.#done.push(entry);
      this.#queue.push({ file, figure, entry });
    }
    this.#total += pictures.length;
    this.#tell();
    while (this.#running < SIDE_BY_SIDE && this.#queue.length > 0) this.#work();
  }

  async #work() {
    this.#running += 1;
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) {
      await this.#read(task);
      this.#tell();
    }
    this.#running -= 1;
    this.#tell();
  }

  async #read({ file, figure, entry }) {
    const caption = element("figcaption");
    caption.append(element("p", "name", entry.name));
    figure.append(caption);
    try {
      const picture = await this.#reading.photo(file);
      entry.answer = picture;
      await this.#show(figure, caption, file, picture);
    } catch (problem) {
      entry.problem = problem.message;
      caption.append(element("p", "trouble", problem.message));
    }
  }

  async #show(figure, caption, file, picture) {
    const { labels } = this.#model;
    const faces = picture.faces.map((face, i) => ({
      ...face,
      track: i + 1,
      label: face.label === null ? null : labels.indexOf(face.label),
      row: labels.map((name) => face.probabilities[name]),
    }));
    const canvas = await paint(file, picture, faces, labels);
    if (canvas) {
      const words = faces.length === 1 ? "1 face" : `${faces.length} faces`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${caption.textContent}: ${words}`);
      figure.prepend(canvas);
    } else {
      caption.append(element("p", "hint", "The browser cannot show this kind of picture, but it was read."));
    }
    if (faces.length === 0) caption.append(element("p", "hint", "No face was found in this picture."));
    for (const face of faces) {
      const card = makeCard(labels, String(face.track));
      card.update(face, face.row);
      caption.append(card.card);
    }
  }

  #tell() {
    const n = this.#total - this.#queue.length - this.#running;
    const noun = this.#total === 1 ? "picture" : "pictures";
    byId("photo-state").textContent = n < this.#total ? `${n} of ${this.#total} ${noun} read…` : `${n} ${noun} read`;
    byId("photo-controls").hidden = this.#total === 0;
    byId("photo-drop").classList.toggle("small", this.#total > 0);
    for (const id of ["photo-json", "photo-csv", "photo-clear"]) byId(id).disabled = n < this.#total;
  }

  #clear() {
    this.#done = [];
    this.#total = 0;
    byId("photo-gallery").replaceChildren();
    this.#tell();
    byId("photo-input").focus();
  }

  #saveJson() {
    const pictures = this.#done.map(({ name, answer, problem }) =>
      answer ? { ...answer, name } : { name, problem },
    );
    const text = JSON.stringify({ labels: this.#model.labels, pictures }, null, 2);
    download("fer-photos.json", text, "application/json");
  }

  #saveCsv() {
    const { labels, columns } = this.#model;
    const rows = this.#done.flatMap(({ name, answer }) => {
      const faces = (answer?.faces ?? []).map((face, i) => {
        const values = labels.map((label) => face.probabilities[label]);
        const label = face.label === null ? null : labels.indexOf(face.label);
        return { ...face, track: i + 1, label, probabilities: values, smooth: values };
      });
      return rowsOf({ input: name, frame: 0, timestamp_ms: 0, faces }, labels);
    });
    download("fer-photos.csv", toCsv(columns, rows), "text/csv");
  }
}

/** The picture with its faces drawn on it, or null when the browser cannot show it. */
async function paint(file, picture, faces, labels) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const scale = Math.min(1, LARGEST_SHOWN / Math.max(bitmap.width, bitmap.height));
  const canvas = element("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  // Text is sized for a figure of about 420 CSS pixels.
  drawFaces(context, faces, labels, { scale: canvas.width / picture.width, unit: Math.max(0.5, canvas.width / 480) });
  return canvas;
}

/** Calls back with dropped files; shows where they may be dropped. */
export function acceptDrops(place, take) {
  let depth = 0;
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    place.classList.toggle("over", depth > 0);
  };
  place.addEventListener("dragenter", (event) => {
    event.preventDefault();
    mark(1);
  });
  place.addEventListener("dragleave", () => mark(-1));
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    take([...event.dataTransfer.files]);
  });
}
