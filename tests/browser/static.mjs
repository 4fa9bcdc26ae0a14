// A static host: the files of a folder below a path, nothing else.
// In: a folder. Out: its address, and which paths were asked for.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** As on hosts that give every project a folder of its own. */
const PATH = "/pages/fer/";

/** A running host of a folder. */
export class StaticHost {
  asked = [];

  static async start(folder) {
    const host = new StaticHost();
    host.server = createServer((request, response) => host.#answer(folder, request, response));
    await new Promise((done) => host.server.listen(0, "127.0.0.1", done));
    host.url = `http://localhost:${host.server.address().port}${PATH}`;
    return host;
  }

  #answer(folder, { method, url }, response) {
    this.asked.push(`${method} ${url}`);
    const { pathname } = new URL(url, "http://localhost");
    const name = pathname === PATH ? "index.html" : normalize(pathname.slice(PATH.length));
    const path = join(folder, name);
    const is_there = pathname.startsWith(PATH) && !name.startsWith("..") && existsSync(path) && statSync(path).isFile();
    if (!is_there || method !== "GET") {
      response.writeHead(is_there ? 405 : 404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    createReadStream(path).pipe(response);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
