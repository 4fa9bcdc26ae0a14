// Requests to this server.
// In: a path and options. Out: an answer, or a Problem in the server's own words.

/** What the server or the network refused, with words for people. */
export class Problem extends Error {
  constructor({ title, detail, status = 0, retryAfter = 0 }) {
    super(detail ? `${title}: ${detail}` : title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Fetches a path of this server; throws a Problem for everything that is not a success. */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server does not answer", detail: "is fer-live still running?" });
  }
  if (response.ok) return response;
  throw await problemOf(response.status, response.headers.get("retry-after"), await response.text());
}

/** The Problem in an answer's text; answers that are no problem JSON keep their status. */
export function problemOf(status, retryAfter, text) {
  let members = {};
  try {
    members = JSON.parse(text);
  } catch {
    members = { title: `The server answered ${status}` };
  }
  return new Problem({ ...members, status, retryAfter: Number(retryAfter) || 0 });
}

/** The JSON at a path. */
export async function getJson(path, options) {
  return (await request(path, options)).json();
}

/** Runs a request again, as often as the server asks to, at most `times`. */
export async function patiently(run, times = 20) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (problem) {
      if (!problem.retryAfter || attempt >= times) throw problem;
      await new Promise((done) => setTimeout(done, problem.retryAfter * 1000));
    }
  }
}

/** Offers text or a blob as a file. */
export function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to save.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
