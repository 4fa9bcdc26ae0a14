"""Proves ray_read.py on two nodes of one machine: equal rows, nothing lost with a killed worker, and its speed.

In: drawn faces. Out: what was compared; an error where it is not equal.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy
import ray
from fer_rs import Reader, columns, rows
from PIL import Image
from ray_read import ReadFaces, read

ROOT = Path(__file__).resolve().parents[2]
N_PICTURES = int(os.environ.get("N_PICTURES", "240"))


def draw(folder: Path) -> None:
    """Drawn people in many pictures, none like another, and two damaged ones."""
    drawn = Image.open(ROOT / "docs/images/drawn-faces.png").convert("RGB").crop((0, 0, 480, 320))
    for number in range(N_PICTURES):
        shifted = numpy.roll(numpy.asarray(drawn), number, axis=1)
        Image.fromarray(shifted).save(folder / f"{number:05}.png", compress_level=1)
    (folder / "damaged-1.png").write_bytes(b"no picture")
    (folder / "damaged-2.jpg").write_bytes(b"\xff\xd8\xff")


class Cluster:
    """Two nodes on loopback, processes of their own: a core each to read, and one to fetch."""

    def __enter__(self) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory(prefix="ray-")
        address = f"127.0.0.1:{port}"
        common = ["--num-cpus=2", "--object-store-memory=200000000", "--node-ip-address=127.0.0.1", "--block"]
        head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.folder.name}"]
        self.nodes = [self.start([*head, *common])]
        # The second node waits for the first by itself, but not for long.
        asked = ["ray", "health-check", "--address", address]
        wait_for(lambda: subprocess.run(asked, capture_output=True).returncode == 0)
        self.nodes.append(self.start([f"--address={address}", *common]))
        return address

    def start(self, words: list[str]) -> subprocess.Popen:
        log = open(os.path.join(self.folder.name, f"node-{len(words)}.log"), "w")
        # Ray's workers step aside for every other program, and on a busy machine then wait for minutes.
        own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYTHONPATH": str(Path(__file__).parent)}
        env = os.environ | own
        return subprocess.Popen(["ray", "start", *words], stdout=log, stderr=log, env=env, start_new_session=True)

    def __exit__(self, *_: object) -> None:
        ray.shutdown()
        for node in reversed(self.nodes):
            node.terminate()
            try:
                node.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(node.pid, signal.SIGKILL)
        self.folder.cleanup()


def wait_for(done, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            sys.exit("check_ray: waited in vain")
        time.sleep(0.2)


def watched(folder: str) -> type:
    """A worker that leaves its process's number and counts its batches in a folder."""

    class Watched(ReadFaces):
        def __call__(self, batch: dict) -> dict:
            with open(os.path.join(folder, str(os.getpid())), "a") as file:
                file.write(ray.get_runtime_context().get_node_id() + "\n")
            return super().__call__(batch)

    return Watched


def told(table) -> list[tuple]:
    """Rows in an order of their own, numbers as fer-live writes them."""
    kept = [name for name in columns() if name not in ("frame", "timestamp_ms")]
    as_text = lambda value: f"{value:.4f}" if isinstance(value, float) and value == value else str(value)
    return sorted(tuple("" if row[name] in (None, "None") or row[name] != row[name] else as_text(row[name]) for name in kept) for row in table)


def run(folder: Path, workers: int, kill: bool) -> tuple[list[dict], float, int, int]:
    with tempfile.TemporaryDirectory() as marks:
        killed = []

        def murder() -> None:
            batches = lambda: sum(len((Path(marks) / name).read_text().split()) for name in os.listdir(marks))
            wait_for(lambda: batches() >= N_PICTURES // 16 // 3)
            victim = int(sorted(os.listdir(marks))[0])
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

        killer = threading.Thread(target=murder) if kill else None
        if killer:
            killer.start()
        start = time.monotonic()
        found = read(str(folder), workers, watched(marks), scheduling_strategy="SPREAD").take_all()
        seconds = time.monotonic() - start
        if killer:
            killer.join()
            assert killed, "nobody was killed"
        nodes = {line for name in os.listdir(marks) for line in (Path(marks) / name).read_text().split()}
        return found, seconds, len(nodes), len(os.listdir(marks))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pictures-") as name, Cluster() as address:
        folder = Path(name)
        draw(folder)
        ray.init(address=address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}})
        wait_for(lambda: len([node for node in ray.nodes() if node["Alive"]]) == 2)
        ray.data.DataContext.get_current().enable_progress_bars = False
        paths = sorted(str(path) for path in folder.iterdir() if not path.name.startswith("damaged"))
        reader = Reader(threads=1)
        expected = told(list(rows((reader.read(path) for path in paths), paths)))
        rates = {}
        for workers, kill in [(1, False), (2, False), (2, True)]:
            found, seconds, n_nodes, n_processes = run(folder, workers, kill)
            damaged = [row for row in found if row["error"]]
            whole = [row for row in found if not row["error"]]
            assert told(whole) == expected, f"{workers} workers, kill {kill}: {len(whole)} rows, expected {len(expected)}"
            assert len(damaged) == 2, damaged
            rates[workers, kill] = len(paths) / seconds
            killed = ", one killed with -9 in the middle" if kill else ""
            print(
                f"{workers} workers on {n_nodes} nodes, {n_processes} processes{killed}: {len(whole)} rows equal, "
                f"2 damaged listed, {rates[workers, kill]:.1f} pictures a second"
            )
            if workers == 2:
                assert n_nodes == 2, "both nodes read"
        print(f"2 workers by 1: {rates[2, False] / rates[1, False]:.2f}")


if __name__ == "__main__":
    main()
