// Load on loopback: camera clients that send as the page does, and what they get.
// In: a built fer-live (see harness.mjs). Out: a table on standard output; ends by itself.
//
// node --experimental-websocket load.mjs [SECONDS] [CLIENTS,CLIENTS,…]

import { readFileSync } from "node:fs";
import { Adapt } from "../../crates/fer-web/src/page/assets/camera/adapt.js";
import { clip, Server, skip } from "./harness.mjs";

const seconds = Number(process.argv[2] ?? 10);
const counts = (process.argv[3] ?? "1,4,16").split(",").map(Number);

if (skip) {
  console.error(skip);
  process.exit(0);
}
const jpegs = Array.from({ length: 8 }, (_, second) => readFileSync(clip("frame.jpg", second, 1, 3)));

/** One client: at most 30 frames a second and two on their way, rarer after drops: the page's own rule. */
class Client {
  constructor(number = 0) {
    // Each client shows another moment of the drawn person, and holds still.
    this.jpeg = jpegs[number % jpegs.length];
  }

  adapt = new Adapt();
  waiting = new Map();
  trips = [];
  sent = 0;
  dropped = 0;
  refused = 0;

  async run(url, until) {
    const socket = new WebSocket(`${url.replace("http", "ws")}v1/live`);
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    await new Promise((done, fail) => {
      socket.onopen = done;
      socket.onerror = () => fail(new Error("no place"));
    });
    while (performance.now() < until) {
      if (this.waiting.size < 2) this.send(socket);
      await new Promise((next) => setTimeout(next, this.adapt.pause));
    }
    // What is on its way is waited for: nothing may be lost without a word.
    const end = performance.now() + 10_000;
    while (this.waiting.size > 0 && performance.now() < end) await new Promise((next) => setTimeout(next, 20));
    socket.close();
  }

  send(socket) {
    const { jpeg } = this;
    const bytes = new Uint8Array(16 + jpeg.byteLength);
    const header = new DataView(bytes.buffer);
    header.setUint8(0, 1);
    header.setUint32(4, this.sent, true);
    header.setFloat64(8, performance.now(), true);
    bytes.set(jpeg, 16);
    this.waiting.set(this.sent, performance.now());
    this.sent += 1;
    socket.send(bytes);
  }

  take(message) {
    if (message.type === "hello") return;
    const sent = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.type === "reading") {
      this.trips.push(performance.now() - sent);
      this.adapt.answered(this.trips.at(-1));
    } else if (message.type === "dropped") {
      this.dropped += 1;
      this.adapt.dropped();
    } else {
      this.refused += 1;
    }
  }
}

const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;

/** Memory of the server's process in MiB, where the system tells it (Linux). */
function memory(server) {
  const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 2 ** 10;
}

async function measure(n) {
  const server = await Server.start();
  // A first round warms caches, detectors and memory pools.
  await Promise.all(Array.from({ length: n }, (_, i) => new Client(i).run(server.url, performance.now() + 2000)));
  const before = memory(server);
  const clients = Array.from({ length: n }, (_, i) => new Client(i));
  const started = performance.now();
  await Promise.all(clients.map((client) => client.run(server.url, started + seconds * 1000)));
  const took = (performance.now() - started) / 1000;
  const after = memory(server);
  await server.stop();
  const trips = clients.flatMap((client) => client.trips).sort((a, b) => a - b);
  const sum = (pick) => clients.reduce((total, client) => total + pick(client), 0);
  const slowest = Math.min(...clients.map((client) => client.trips.length / took));
  const unanswered = sum((client) => client.waiting.size);
  return [
    n,
    (trips.length / took).toFixed(1),
    slowest.toFixed(1),
    quantile(trips, 0.5).toFixed(0),
    quantile(trips, 0.95).toFixed(0),
    sum((client) => client.sent),
    sum((client) => client.dropped),
    sum((client) => client.refused),
    unanswered,
    before.toFixed(0),
    after.toFixed(0),
  ];
}

console.log("| clients | frames/s, all | frames/s, slowest client | round trip p50, ms | p95, ms | sent | dropped and told | refused | unanswered | memory before, MiB | after, MiB |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const n of counts) console.log(`| ${(await measure(n)).join(" | ")} |`);
process.exit(0);
