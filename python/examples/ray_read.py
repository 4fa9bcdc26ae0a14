"""Reads the pictures of a folder on a Ray cluster: one row a face, as Parquet.

    pip install fer-rs 'ray[data]'
    python ray_read.py FOLDER OUT [--workers N] [--address auto]

In: a folder that every node sees, local or s3://…. Out: a folder of Parquet files, in the columns of fer-live's CSV
and `error`: a damaged picture is a row that says why.
"""

import argparse

import ray
from fer_rs import FerError, Reader, columns, rows


class ReadFaces:
    """One worker: loads the model once, then reads batch after batch, all faces of a batch in one network call."""

    def __init__(self) -> None:
        self.reader = Reader(threads=1)

    def __call__(self, batch: dict) -> dict:
        read = self.reader.read_batch(list(batch["bytes"]), on_error="return")
        table = [row | {"error": None} for row in rows(read, batch["path"])]
        for path, outcome in zip(batch["path"], read):
            if isinstance(outcome, FerError):
                table.append(dict.fromkeys(columns()) | {"input": path, "error": str(outcome)})
        for row in table:
            # The position in a batch says nothing.
            row["frame"] = row["timestamp_ms"] = 0
        return {name: [row[name] for row in table] for name in table[0]}


def read(folder: str, workers: int, worker: type = ReadFaces, **options: object) -> "ray.data.Dataset":
    """The faces of a folder's pictures; batches small enough that a lost worker costs little."""
    pictures = ray.data.read_binary_files(folder, include_paths=True)
    pool = ray.data.ActorPoolStrategy(size=workers)
    return pictures.map_batches(worker, batch_size=16, compute=pool, num_cpus=1, **options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--address", default=None, help="auto: the cluster this machine belongs to")
    args = parser.parse_args()
    ray.init(address=args.address)
    read(args.folder, args.workers).write_parquet(args.out)
