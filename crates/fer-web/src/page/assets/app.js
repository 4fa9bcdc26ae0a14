// The page put together: what the server offers, the panels, colours, keys, the first notice.
// In: the page as loaded. Out: the page at work.

import { CameraPanel } from "./camera/capture.js";
import { element } from "./faces/faces.js";
import { PhotoPanel } from "./photos.js";
import { ServerPanel } from "./server.js";
import { VideoPanel } from "./video.js";

const byId = (id) => document.getElementById(id);

/** Small choices are remembered where the browser allows; without, the page works the same. */
const remembered = {
  get(name) {
    try {
      return localStorage.getItem(`fer-${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`fer-${name}`, value);
    } catch {
      // Private windows may forbid it.
    }
  },
};

function setUpTheme() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = remembered.get("theme") ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
  };
  dark.addEventListener("change", apply);
  byId("theme").addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    // Choosing what the system says anyway means: follow the system again.
    remembered.set("theme", next);
    apply();
  });
  apply();
}

function setUpTabs(onShow) {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const show = (tab, focus = false) => {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    const name = tab.getAttribute("aria-controls");
    history.replaceState(null, "", `#${name}`);
    onShow(name);
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const there = tabs.filter((other) => !other.hidden);
      const i = there.indexOf(tab);
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: there.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(there.at(to % there.length), true);
    });
  }
  const named = tabs.find((tab) => !tab.hidden && `#${tab.getAttribute("aria-controls")}` === location.hash);
  return { show, named };
}

function setUpNotice() {
  const notice = byId("notice");
  // The button has the focus, but what it is pressed for is read from the top.
  const open = () => {
    notice.showModal();
    notice.scrollTop = 0;
  };
  notice.addEventListener("close", () => remembered.set("notice", "read"));
  // Escape would close it unread.
  notice.addEventListener("cancel", (event) => event.preventDefault());
  byId("notice-again").addEventListener("click", () => {
    byId("about").close();
    open();
  });
  if (remembered.get("notice") !== "read") open();
}

function setUpAbout(model) {
  byId("about-open").addEventListener("click", () => byId("about").showModal());
  const facts = [
    ["Version", model.version],
    ["Model", model.card.name ?? model.card.architecture ?? "unnamed"],
    ["Expressions", model.labels.join(", ")],
    ["Uncertain", uncertainty(model)],
    ["Smoothing", `half-life ${Math.round(model.half_life_ms)} ms`],
  ];
  for (const [term, text] of facts) {
    const line = element("div");
    line.append(element("dt", "", term), element("dd", "", text));
    byId("about-facts").append(line);
  }
}

/** When a face has no label: in a photo below the limit; from frame to frame half a margin above and below it. */
function uncertainty({ uncertain_below: limit, margin }) {
  const percent = (part) => `${Number((part * 100).toFixed(1))} %`;
  const [gained, lost] = [percent(limit + margin / 2), percent(limit - margin / 2)];
  return `photos: below ${percent(limit)}; camera and video: until ${gained}, and again below ${lost}`;
}

function setUpKeys(camera) {
  const box = byId("keys-on");
  box.checked = remembered.get("keys") !== "off";
  box.addEventListener("change", () => remembered.set("keys", box.checked ? "on" : "off"));
  const keys = {
    p: () => camera.togglePause(),
    f: () => camera.toggleMirror(),
    r: () => camera.recorder.toggle(),
    m: () => camera.recorder.mark(),
  };
  document.addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest?.("input, select, textarea, dialog");
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (!box.checked || !camera.running || byId("camera").hidden || elsewhere || modified || event.repeat) return;
    if (/^[1-9]$/.test(event.key)) camera.recorder.mark(event.key);
    else keys[event.key.toLowerCase()]?.();
  });
}

/** Who reads pictures: the server that the page came from, or this browser. */
async function findReading() {
  const where = document.querySelector('meta[name="fer-reading"]').content;
  const { connect } = await import(`./reading/${where}.js`);
  return connect();
}

async function begin() {
  setUpTheme();
  let reading;
  try {
    reading = await findReading();
  } catch (problem) {
    byId("server-gone").textContent = `${problem.message} Reload the page to try again.`;
    byId("server-gone").hidden = false;
    return;
  }
  const { model } = reading;
  reading.sayWhere();
  setUpNotice();
  setUpAbout(model);
  const camera = new CameraPanel(reading);
  const photos = new PhotoPanel(reading);
  const video = new VideoPanel(reading);
  byId("tab-server").hidden = !model.source;
  const server = model.source ? new ServerPanel(model) : null;
  let shown = "";
  const { show, named } = setUpTabs((name) => {
    if (name !== "camera" && camera.running) camera.stop();
    if (shown === "server" && name !== "server") server.hide();
    if (name === "server" && shown !== "server") server.show();
    shown = name;
  });
  show(named ?? byId(server ? "tab-server" : "tab-camera"));
  setUpKeys(camera);
  acceptAnywhere(photos, video, show);
  document.documentElement.dataset.ready = "true";
}

/** Pictures and videos may be pasted or dropped anywhere on the page. */
function acceptAnywhere(photos, video, show) {
  const take = (files) => {
    const clip = files.find((file) => file.type.startsWith("video/"));
    if (clip) {
      show(byId("tab-video"));
      video.read(clip);
    } else if (files.length > 0) {
      show(byId("tab-photos"));
      photos.add(files);
    }
  };
  document.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

begin();
