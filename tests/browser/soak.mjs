// An hour of a camera, of a server with sixteen browsers, and of its page: what each holds, minute by minute.
// In: MINUTES, SVG; the camera's environment in SOAK_CAMERA (see scripts/soak). Out: a table on standard output, a
// graph; exit code 1 when memory, threads or files grow after the first minute.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { browse, clip, open, Server, skip, startCamera } from "./harness.mjs";

const minutes = Number(process.argv[2]);
const svg = process.argv[3];
/** MiB that may come on top of what the second minute holds. */
const MOST_GROWTH = 5;
const CLIENTS = 16;
const EVERY_S = 5;

if (skip) {
  console.log(skip);
  process.exit(0);
}

/** What a process holds. */
function held(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { mib: field("VmRSS") / 1024, threads: field("Threads"), files: readdirSync(`/proc/${pid}/fd`).length };
}

/** A browser without a page: sends frames as the page does, two on their way. */
function client(url, jpeg) {
  const socket = new WebSocket(`${url.replace("http", "ws")}v1/live`);
  let [n, on_their_way] = [0, 0];
  const send = () => {
    while (on_their_way < 2 && socket.readyState === WebSocket.OPEN) {
      const bytes = new Uint8Array(16 + jpeg.byteLength);
      const header = new DataView(bytes.buffer);
      header.setUint8(0, 1);
      header.setUint32(4, n++, true);
      header.setFloat64(8, performance.now(), true);
      bytes.set(jpeg, 16);
      socket.send(bytes);
      on_their_way += 1;
    }
  };
  socket.onopen = send;
  socket.onmessage = ({ data }) => {
    if (JSON.parse(data).type === "hello") return;
    on_their_way -= 1;
    client.answered += 1;
    // Sixteen at a camera's pace would only measure the processor: what is looked for is what stays.
    setTimeout(send, 500);
  };
  return socket;
}
client.answered = 0;

const camera = spawn("sh", ["-c", process.env.SOAK_CAMERA], { stdio: "ignore" });
const server = await Server.start();
const page_server = await Server.start();
const jpegs = Array.from({ length: 4 }, (_, second) => readFileSync(clip("frame.jpg", second, 1, 3)));
const sockets = Array.from({ length: CLIENTS }, (_, i) => client(server.url, jpegs[i % jpegs.length]));
const browser = await browse({ camera: clip("camera.y4m", 8, 2, 3) });
const page = await open({ after() {} }, browser, page_server.url);
await startCamera(page);
const debug = await page.context().newCDPSession(page);

/** Live objects of the page, after a collection: what a leak would add to. */
async function heap() {
  await debug.send("HeapProfiler.collectGarbage");
  const { usedSize } = await debug.send("Runtime.getHeapUsage");
  return { mib: usedSize / 2 ** 20, threads: 0, files: 0 };
}

const who = {
  "camera (fer-live --input 0)": () => held(camera.pid),
  [`server with ${CLIENTS} browsers`]: () => held(server.process.pid),
  "server of the page": () => held(page_server.process.pid),
  "the page's live objects": heap,
};
const samples = Object.fromEntries(Object.keys(who).map((name) => [name, []]));
const started = performance.now();
while (performance.now() - started < minutes * 60_000) {
  await new Promise((next) => setTimeout(next, EVERY_S * 1000));
  const minute = (performance.now() - started) / 60_000;
  for (const [name, look] of Object.entries(who)) samples[name].push({ minute, ...(await look()) });
}
const frames = client.answered;
sockets.forEach((socket) => socket.close());
await browser.close();
camera.kill();
const codes = [await server.stop(), await page_server.stop()];

const mean = (rows, key) => rows.reduce((sum, row) => sum + row[key], 0) / rows.length;
let is_well = codes.every((code) => code === 0);
console.log(`| ${minutes} minutes, ${frames} frames of ${CLIENTS} browsers answered | second minute, MiB | last minute, MiB | growth | threads | files |`);
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const [name, rows] of Object.entries(samples)) {
  const early = rows.filter((row) => row.minute >= 1 && row.minute < 2);
  const late = rows.filter((row) => row.minute >= minutes - 1);
  const growth = mean(late, "mib") - mean(early, "mib");
  const most = (key, part) => Math.max(...part.map((row) => row[key]));
  const grows = growth >= MOST_GROWTH || most("threads", late) > most("threads", early) || most("files", late) > most("files", early) + 1;
  is_well &&= !grows;
  const cells = [name, mean(early, "mib").toFixed(1), mean(late, "mib").toFixed(1), growth.toFixed(1)];
  const pairs = ["threads", "files"].map((key) => `${most(key, early)} → ${most(key, late)}`);
  console.log(`| ${[...cells, ...pairs].join(" | ")} |${grows ? " GROWS" : ""}`);
}
writeFileSync(svg, graph());
process.exit(is_well ? 0 : 1);

/** A line a process, MiB over minutes. */
function graph() {
  const [width, height, left, top] = [760, 320, 50, 16];
  const most = 1.1 * Math.max(...Object.values(samples).flat().map((row) => row.mib));
  const x = (minute) => left + ((width - left - 10) * minute) / minutes;
  const y = (mib) => height - 30 - ((height - 30 - top) * mib) / most;
  const colors = ["#2563eb", "#dc2626", "#d97706", "#059669"];
  const lines = Object.entries(samples).map(([name, rows], i) => {
    const points = rows.map((row) => `${x(row.minute).toFixed(1)},${y(row.mib).toFixed(1)}`).join(" ");
    return `<polyline fill="none" stroke="${colors[i]}" stroke-width="1.5" points="${points}"/>
<text x="${left + 8 + 175 * i}" y="${height - 4}" fill="${colors[i]}">${name}</text>`;
  });
  const step = 10 ** Math.floor(Math.log10(most));
  const marks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step).map(
    (mib) => `<text x="${left - 6}" y="${y(mib) + 4}" text-anchor="end">${mib}</text><line x1="${left}" x2="${width - 10}" y1="${y(mib)}" y2="${y(mib)}" stroke="#ddd"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="4" y="12">MiB over ${minutes} minutes</text>
${marks.join("\n")}
${lines.join("\n")}
</svg>
`;
}
