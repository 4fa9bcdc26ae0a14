// Readings by the server that the page came from.
// In: pictures, camera frames, videos. Out: what the server reads in them.
// One of the two ways to read; the page without a server has the other (crates/fer-wasm/page). Both have:
//   model                        what the model is, as GET /v1/model answers
//   openLink()                   the camera's frames: ready, prepare, send and events, see Link
//   photo(file)                  one picture's faces, as POST /v1/analyze answers
//   video(file, {tell, signal})  all frames of a video: {width, height, frames, problem, files, forget}
//   sayWhere()                   tells the reader of the page where pictures go

import { getJson, patiently, Problem, problemOf, request } from "../api.js";
import { Link } from "./live.js";

const ASK_MS = 300;
const LONGEST_NAME = 200;

/** Asks the server what it reads with. */
export async function connect() {
  return new RemoteReading(await getJson("/v1/model"));
}

class RemoteReading {
  constructor(model) {
    this.model = model;
  }

  openLink() {
    return new Link();
  }

  async photo(file) {
    const answer = await patiently(() => getJson("/v1/analyze", { method: "POST", body: file }));
    return answer.pictures[0];
  }

  /** Uploads a video and waits until it is read; `tell` hears words and a part from 0 to 1, or none. */
  async video(file, { tell, signal }) {
    const { id } = await patiently(() => upload(file, tell, signal));
    // The server forgets a video after a while; a page that needs it no longer asks it to forget at once.
    const forget = () => request(`/v1/videos/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
    try {
      const { problem } = await finished(id, tell, signal);
      const { width, height, frames } = await getJson(`/v1/videos/${id}/readings`, { signal });
      const address = (name) => `/v1/videos/${id}/${name}`;
      const files = { csv: address("readings.csv"), jsonl: address("readings.jsonl"), annotated: address("annotated.mp4") };
      return { width, height, frames, problem, files, forget };
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Says where pictures go, in the words people use for it. */
  sayWhere() {
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    for (const place of document.querySelectorAll(".host")) {
      place.textContent = here ? "this computer" : location.hostname;
    }
    for (const place of document.querySelectorAll(".where")) {
      place.textContent = here
        ? "Pictures stay on this computer: they are read in memory and dropped."
        : `Pictures go to ${location.hostname}, are read there in memory and dropped.`;
    }
  }
}

/** Uploads with progress, which fetch cannot tell. */
function upload(file, tell, signal) {
  tell("Sending the video", 0);
  return new Promise((done, fail) => {
    const asked = new XMLHttpRequest();
    const name = [...file.name].slice(0, LONGEST_NAME).join("");
    asked.open("POST", `/v1/videos?annotated=true&name=${encodeURIComponent(name)}`);
    asked.upload.onprogress = (event) => {
      if (event.lengthComputable) tell("Sending the video", event.loaded / event.total);
    };
    asked.onload = () => {
      if (asked.status === 202) done(JSON.parse(asked.responseText));
      else fail(problemOf(asked.status, asked.getResponseHeader("retry-after"), asked.responseText));
    };
    asked.onerror = () => fail(new Problem({ title: "The video could not be sent", detail: "is fer-live still running?" }));
    asked.onabort = () => fail(new Problem({ title: "Cancelled" }));
    signal.addEventListener("abort", () => asked.abort());
    asked.send(file);
  });
}

/** Asks how far a video is until it is done. */
async function finished(id, tell, signal) {
  const started = performance.now();
  for (;;) {
    const status = await getJson(`/v1/videos/${id}`, { signal });
    if (status.stage === "done") return status;
    if (status.stage === "failed") throw new Problem(status.problem);
    const part = status.n_frames ? status.n_read / status.n_frames : undefined;
    const left = part > 0.03 ? remaining((performance.now() - started) * (1 / part - 1)) : "";
    tell(status.stage === "waiting" ? "Waiting for other videos" : `Reading frame ${status.n_read}${left}`, part);
    await new Promise((next) => setTimeout(next, ASK_MS));
  }
}

function remaining(ms) {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 90 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`;
}
