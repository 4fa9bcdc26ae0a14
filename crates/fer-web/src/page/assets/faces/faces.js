// The cards beside the picture: one per face, with its label, its bars and its last minute.
// In: faces of a reading and its time. Out: the cards, up to date.

import { drawBands, drawMarks, History, prepare } from "./charts.js";
import { labelName } from "./overlay.js";
import { sureness } from "./titles.js";

const MINUTE_MS = 60_000;
const GONE_MS = 1000;
const REMOVE_MS = 4000;
const REDRAW_MS = 100;
const SPEAK_MS = 4000;

/** The bars of one face: `update` takes probabilities in label order and the shown label. */
export function makeBars(labels) {
  const list = document.createElement("dl");
  list.className = "bars";
  const rows = labels.map((name, label) => {
    const term = element("dt", "", name);
    const track = element("dd", "track");
    track.setAttribute("aria-hidden", "true");
    const bar = element("span");
    bar.style.background = `var(--label-${label}, var(--soft))`;
    track.append(bar);
    const value = element("dd", "value", "0");
    list.append(term, track, value);
    return { term, bar, value };
  });
  const update = (probabilities, shown) => {
    rows.forEach(({ term, bar, value }, label) => {
      bar.style.transform = `scaleX(${probabilities[label].toFixed(4)})`;
      const text = String(Math.round(probabilities[label] * 100));
      if (value.textContent !== text) value.textContent = text;
      term.className = label === shown ? "best" : "";
    });
  };
  return { list, update };
}

/** One face's card; with `choose`, its number is a button. */
export function makeCard(labels, title, { minute = false, choose = null } = {}) {
  const card = element("article", "face");
  const heading = element("header");
  const id = element(choose ? "button" : "span", "id", title);
  if (choose) id.addEventListener("click", choose);
  const name = element("h3", "uncertain", "…");
  const sure = element("span", "sure");
  heading.append(id, name, sure);
  const bars = makeBars(labels);
  card.append(heading, bars.list);
  let chart = null;
  if (minute) {
    const strip = element("div", "minute");
    chart = element("canvas");
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", "The probabilities over the last minute");
    const axis = element("p");
    axis.append(element("span", "", "1 min ago"), element("span", "", "now"));
    strip.append(chart, axis);
    card.append(strip);
  }
  const update = (face, probabilities) => {
    const text = labelName(labels, face.label);
    if (name.textContent !== text) name.textContent = text;
    name.className = face.label === null ? "uncertain" : "";
    sure.textContent = sureness(face);
    bars.update(probabilities, face.label);
  };
  return { card, id, chart, update };
}

/** The cards of all faces that are seen now or were a moment ago. */
export class Faces {
  #labels;
  #place;
  #nobody;
  #cards = new Map();
  #drawn = 0;
  #spoken = { text: "", at: -Infinity };
  marks = [];

  constructor(labels, place, nobody) {
    this.#labels = labels;
    this.#place = place;
    this.#nobody = nobody;
  }

  /** Takes the faces of a reading at a time in ms. */
  update(faces, t) {
    for (const face of faces) {
      const entry = this.#cards.get(face.track) ?? this.#add(face.track);
      entry.seen = t;
      entry.card.classList.remove("gone");
      entry.update(face, face.smooth);
      if (!face.held) entry.history.add(t, face.smooth);
    }
    for (const [track, entry] of this.#cards) {
      if (t - entry.seen > REMOVE_MS) {
        entry.card.remove();
        this.#cards.delete(track);
      } else if (t - entry.seen > GONE_MS) {
        entry.card.classList.add("gone");
      }
    }
    this.#nobody.hidden = this.#cards.size > 0;
    if (Math.abs(t - this.#drawn) >= REDRAW_MS) this.#draw(t);
    this.#speak(faces, t);
  }

  clear() {
    for (const { card } of this.#cards.values()) card.remove();
    this.#cards.clear();
    this.marks = [];
    this.#nobody.hidden = false;
  }

  #add(track) {
    const entry = { ...makeCard(this.#labels, String(track), { minute: true }), history: new History(MINUTE_MS) };
    entry.card.setAttribute("aria-label", `Face ${track}`);
    this.#cards.set(track, entry);
    const next = [...this.#cards.entries()].filter(([other]) => other > track)[0];
    this.#place.insertBefore(entry.card, next ? next[1].card : null);
    return entry;
  }

  #draw(t) {
    this.#drawn = t;
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
    for (const { chart, history } of this.#cards.values()) {
      const place = prepare(chart);
      drawBands(place, history.samples, t - MINUTE_MS, t, 700);
      drawMarks(place, this.marks, t - MINUTE_MS, t, ink);
    }
  }

  /** Tells a screen reader what changed, but not more often than it can be listened to. */
  #speak(faces, t) {
    const text = faces.map((face) => `Face ${face.track}: ${labelName(this.#labels, face.label)}.`).join(" ");
    if (text === this.#spoken.text || t - this.#spoken.at < SPEAK_MS) return;
    this.#spoken = { text, at: t };
    document.getElementById("spoken").textContent = text || "No face in the picture.";
  }
}

/** A colour chip list of all labels, for charts that stand alone. */
export function makeLegend(labels) {
  const list = element("span", "legend");
  labels.forEach((name, label) => {
    const chip = element("i");
    chip.style.background = `var(--label-${label}, var(--soft))`;
    list.append(chip, name);
  });
  return list;
}

/** An element with a class and a text. */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
