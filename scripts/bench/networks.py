"""Our networks beside PyTorch's and ONNX Runtime's: same weights, same sizes, measured in turn.

In: the `peer` program, and a Python with torch, onnxruntime, onnx, numpy, safetensors.
Out: Markdown tables on standard output, progress on standard error.
Every measurement is a process of its own, so that no peer inherits another's memory or threads; rounds alternate the
peers, and a figure is the median over all steps of all rounds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = {"tiny": 16, "small": 8, "base": 5, "vgg": 4}
WARM_UP = 2
BATCH = 128
# What is added to a face's deviation before it is divided by: STANDARD_FLOOR of fer-model.
STANDARD_FLOOR = 0.05

# BENCH_CLOCK=cpu counts processor time instead of the wall clock: for one thread on a machine that others use too.
clock = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter

# glibc hands large buffers back to the system after every operation; these settings keep them.
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967295",
    "MALLOC_TRIM_THRESHOLD_": "4294967295",
    "MALLOC_TOP_PAD_": "268435456",
}


def blocks_like(net):
    """What `peer` is told: the shipped model of that name, else the preset."""
    model = Path("models") / net
    return model if (model / "card.json").exists() else net


def network_of(weights):
    """Of the card beside the weights: the blocks as `("plain" | "residual" | "separable", facts)`, and whether faces
    are standardized. Whether the places of the last feature map are weighed, the weights say: they have a `pool`."""
    card = json.loads((Path(weights).parent / "card.json").read_text(encoding="utf-8"))
    if card.get("n_trunks", 1) != 1:
        sys.exit("networks.py: networks of several trunks are not built here; models/*/card.json names one")
    blocks = [item for block in card["blocks"] for item in block.items()]
    return blocks, card.get("standardizes", False)


# --- workers: each runs in a process of its own ---------------------------------------------------------------------


def torch_net(weights):
    """The network as a PyTorch module, with the weights of a safetensors file."""
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from torch.nn import functional

    class ConvNorm(nn.Module):
        def __init__(self, inputs, outputs, kernel, stride, separable=False):
            super().__init__()
            self.depthwise = None
            if separable:
                self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
                kernel, stride = 1, 1
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
            self.norm = nn.BatchNorm2d(outputs)

        def forward(self, x):
            return self.norm(self.conv(x if self.depthwise is None else self.depthwise(x)))

    class Plain(nn.Module):
        def __init__(self, inputs, width, n, pool):
            super().__init__()
            self.pool = pool
            self.convs = nn.ModuleList(ConvNorm(width if idx else inputs, width, 3, 1) for idx in range(n))

        def forward(self, x):
            for conv in self.convs:
                x = functional.relu(conv(x), inplace=True)
            return functional.max_pool2d(x, 2) if self.pool else x

    class Residual(nn.Module):
        def __init__(self, inputs, width, stride, separable):
            super().__init__()
            self.stride = stride
            self.first = ConvNorm(inputs, width, 3, stride, separable)
            self.second = ConvNorm(width, width, 3, 1, separable)
            self.shortcut = ConvNorm(inputs, width, 1, 1) if inputs != width or stride != 1 else None

        def forward(self, x):
            kept = x
            if self.shortcut is not None:
                kept = self.shortcut(functional.avg_pool2d(x, 2) if self.stride == 2 else x)
            x = functional.relu(self.first(x), inplace=True)
            return functional.relu(self.second(x).add_(kept), inplace=True)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            described, self.standardizes = network_of(weights)
            blocks, inputs = [], 1
            for kind, facts in described:
                if kind == "plain":
                    blocks.append(Plain(inputs, facts["width"], facts["convs"], facts["pool"]))
                else:
                    blocks.append(Residual(inputs, facts["width"], facts["stride"], kind == "separable"))
                inputs = facts["width"]
            self.blocks = nn.Sequential(*blocks)
            self.pool = nn.Parameter(torch.zeros_like(trained["pool"])) if "pool" in trained else None
            self.head = nn.Linear(inputs, 7)

        def forward(self, x):
            if self.standardizes:
                x = x - x.mean((1, 2, 3), keepdim=True)
                x = x / (x.square().mean((1, 2, 3), keepdim=True).sqrt() + STANDARD_FLOOR)
            x = self.blocks(x)
            return self.head((x if self.pool is None else x * (self.pool + 1)).mean((2, 3)))

    trained = load_file(weights)
    net = Net()
    rename = {"gamma": "weight", "beta": "bias", "running_var": "running_var", "running_mean": "running_mean"}
    state = {}
    for key, value in trained.items():
        head, _, last = key.rpartition(".")
        key = f"{head}.{rename.get(last, last)}" if ".norm." in key else key
        state[key] = value.T.contiguous() if key == "head.weight" else value
    for key, value in net.state_dict().items():
        state.setdefault(key, value) if key.endswith("num_batches_tracked") else None
    net.load_state_dict(state, strict=True)
    return net


def torch_worker(arguments):
    """Seconds per training step, or per batch read."""
    import torch
    from torch.nn import functional

    torch.manual_seed(1)
    torch.set_num_threads(arguments.threads)
    net = torch_net(arguments.weights)
    x = torch.randn(arguments.batch, 1, 48, 48)
    if arguments.mode == "tuned":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    labels = torch.arange(arguments.batch) % 7
    seconds = []
    if arguments.worker == "torch-train":
        net.train()
        optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
        for _ in range(arguments.steps):
            start = clock()
            loss = functional.cross_entropy(net(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seconds.append(clock() - start)
    else:
        net.eval()
        with torch.inference_mode():
            for _ in range(arguments.steps):
                start = clock()
                net(x)
                seconds.append(clock() - start)
    print(json.dumps(seconds))


def torch_logits(arguments):
    import numpy
    import torch

    torch.set_num_threads(arguments.threads)
    images = torch.from_numpy(numpy.fromfile(arguments.images, numpy.float32).reshape(-1, 1, 48, 48))
    with torch.inference_mode():
        logits = torch_net(arguments.weights).eval()(images)
    logits.numpy().tofile(arguments.to)


def ort_session(arguments):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    return onnxruntime.InferenceSession(arguments.weights, options, providers=["CPUExecutionProvider"])


def ort_worker(arguments):
    """Seconds per batch read."""
    import numpy

    session = ort_session(arguments)
    x = numpy.random.default_rng(1).standard_normal((arguments.batch, 1, 48, 48), numpy.float32)
    seconds = []
    for _ in range(arguments.steps):
        start = clock()
        session.run(None, {"faces": x})
        seconds.append(clock() - start)
    print(json.dumps(seconds))


def ort_logits(arguments):
    import numpy

    images = numpy.fromfile(arguments.images, numpy.float32).reshape(-1, 1, 48, 48)
    ort_session(arguments).run(None, {"faces": images})[0].tofile(arguments.to)


def write_onnx(weights, to):
    """The network as ONNX, node by node; ONNX Runtime folds the batch norms itself."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from safetensors.numpy import load_file

    (blocks, standardizes), weights = network_of(weights), load_file(weights)
    nodes, initializers, counter = [], [], iter(range(10**6))

    def node(kind, inputs, **attributes):
        out = f"{kind}_{next(counter)}"
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def constant(key, values):
        initializers.append(numpy_helper.from_array(numpy.array(values, numpy.float32), key))
        return key

    def tensor(key):
        return constant(key, weights[key])

    def convolved(x, key, stride, group=1):
        kernel = weights[key].shape[2]
        sizes = {"kernel_shape": [kernel] * 2, "pads": [kernel // 2] * 4, "strides": [stride] * 2}
        return node("Conv", [x, tensor(key)], **sizes, group=group)

    def conv_norm(x, path, stride):
        if f"{path}.depthwise.weight" in weights:
            n_channels = weights[f"{path}.depthwise.weight"].shape[0]
            x, stride = convolved(x, f"{path}.depthwise.weight", stride, n_channels), 1
        x = convolved(x, f"{path}.conv.weight", stride)
        norm = [tensor(f"{path}.norm.{part}") for part in ("gamma", "beta", "running_mean", "running_var")]
        return node("BatchNormalization", [x, *norm], epsilon=1e-5)

    x = "faces"
    if standardizes:
        x = node("Sub", [x, node("ReduceMean", [x], axes=[1, 2, 3])])
        deviation = node("Sqrt", [node("ReduceMean", [node("Mul", [x, x])], axes=[1, 2, 3])])
        x = node("Div", [x, node("Add", [deviation, constant("floor", STANDARD_FLOOR)])])
    for idx, (kind, facts) in enumerate(blocks):
        if kind == "plain":
            for conv in range(facts["convs"]):
                x = node("Relu", [conv_norm(x, f"blocks.{idx}.convs.{conv}", 1)])
            x = node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2]) if facts["pool"] else x
            continue
        kept, stride = x, facts["stride"]
        if f"blocks.{idx}.shortcut.conv.weight" in weights:
            kept = node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2]) if stride == 2 else x
            kept = conv_norm(kept, f"blocks.{idx}.shortcut", 1)
        x = node("Relu", [conv_norm(x, f"blocks.{idx}.first", stride)])
        x = node("Relu", [node("Add", [conv_norm(x, f"blocks.{idx}.second", 1), kept])])
    x = node("Mul", [x, constant("pool", weights["pool"] + 1)]) if "pool" in weights else x
    x = node("Flatten", [node("GlobalAveragePool", [x])])
    nodes.append(helper.make_node("Gemm", [x, tensor("head.weight"), tensor("head.bias")], ["logits"]))
    faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 1, 48, 48])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 7])
    graph = helper.make_graph(nodes, "fer", [faces], [logits], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, to)


# --- the run --------------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, arguments, folder):
        self.peer = str(Path(arguments.peer).resolve())
        self.threads, self.rounds, self.folder = arguments.threads, arguments.rounds, Path(folder)

    def run(self, command, environment=None):
        """Standard output and the peak memory (MiB) of one process."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
        return output, usage.ru_maxrss / 1024

    def ours(self, *command):
        # As fer-train does by itself (crates/fer-train/src/allocator.rs).
        return self.run([self.peer, *map(str, command)], {"MIMALLOC_PURGE_DELAY": "-1"})

    def worker(self, worker, net, environment=None, **options):
        command = [sys.executable, __file__, "--worker", worker, "--net", net, "--threads", str(self.threads)]
        for key, value in options.items():
            command += [f"--{key}", str(value)]
        return self.run(command, environment)

    def in_turn(self, peers):
        """Median seconds and largest peak of each peer; each runs once per round."""
        seconds, peaks = {name: [] for name in peers}, {name: 0.0 for name in peers}
        for _ in range(self.rounds):
            for name, measure in peers.items():
                output, peak = measure()
                seconds[name] += json.loads(output)[WARM_UP:]
                peaks[name] = max(peaks[name], peak)
        return {name: statistics.median(values) for name, values in seconds.items()}, peaks

    def prepare(self, net):
        print(f"{net}: weights", file=sys.stderr)
        self.ours("weights", blocks_like(net), self.folder / net)
        write_onnx(self.folder / net / "weights.safetensors", self.folder / f"{net}.onnx")

    def weights(self, net):
        return self.folder / net / "weights.safetensors"

    def train(self, net):
        print(f"{net}: training", file=sys.stderr)
        steps = STEPS[net] + WARM_UP
        options = {"batch": BATCH, "steps": steps, "weights": self.weights(net)}
        return self.in_turn(
            {
                "ours": lambda: self.ours("train", blocks_like(net), BATCH, steps, self.threads),
                "default": lambda: self.worker("torch-train", net, mode="default", **options),
                "tuned": lambda: self.worker("torch-train", net, KEPT_MEMORY, mode="tuned", **options),
            }
        )

    def infer(self, net, batch):
        print(f"{net}: reading, batch {batch}", file=sys.stderr)
        steps = (4 * STEPS[net] if batch > 1 else 200) + WARM_UP
        options = {"batch": batch, "steps": steps}
        seconds, _ = self.in_turn(
            {
                "ours": lambda: self.ours("infer", blocks_like(net), batch, steps, self.threads),
                "ort": lambda: self.worker("ort-infer", net, weights=self.folder / f"{net}.onnx", **options),
                "tuned": lambda: self.worker(
                    "torch-infer", net, KEPT_MEMORY, mode="tuned", weights=self.weights(net), **options
                ),
            }
        )
        return seconds

    def logits(self, net, n):
        """Largest difference of our logits to each peer's, and the seconds each took from start to end."""
        import numpy

        images, found, seconds = self.folder / "images.f32", {}, {}
        numpy.random.default_rng(2).standard_normal((n, 1, 48, 48), numpy.float32).tofile(images)
        peers = {
            "ours": lambda to: self.ours("logits", self.folder / net, images, to),
            "torch": lambda to: self.worker("torch-logits", net, images=images, to=to, weights=self.weights(net)),
            "ort": lambda to: self.worker(
                "ort-logits", net, images=images, to=to, weights=self.folder / f"{net}.onnx"
            ),
        }
        for name, peer in peers.items():
            seconds[name] = self.from_start(lambda: peer(self.folder / f"{name}.f32"))
            found[name] = numpy.fromfile(self.folder / f"{name}.f32", numpy.float32)
        return {name: float(abs(found["ours"] - found[name]).max()) for name in ("torch", "ort")}, seconds

    def from_start(self, run):
        times = []
        for _ in range(self.rounds):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def fer_eval(self, net):
        """Seconds from the start of fer-eval to the probabilities of one image, written as CSV."""
        csv = self.folder / "one.csv"
        pixels = " ".join(str(idx * 7 % 256) for idx in range(48 * 48))
        csv.write_text(f"emotion,pixels,Usage\n3,{pixels},PublicTest\n", encoding="utf-8")
        command = [str(Path(self.peer).parent.parent / "fer-eval"), "--model", str(self.folder / net), "--device", "cpu"]
        command += ["--data", str(csv), "--split", "validation", "--csv", str(self.folder / "one-read.csv")]
        return self.from_start(lambda: self.run(command))


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({cpu}, {platform.machine()}), load {load:.1f} at the start"


def versions():
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime"))


def report(arguments):
    nets = arguments.nets.split(",")
    STEPS.update(dict.fromkeys(STEPS, arguments.steps) if arguments.steps else {})
    what = "processor time" if clock is time.process_time else "wall clock"
    print(f"Machine: {machine()}; {what}; {arguments.threads} threads; {versions()}; {arguments.rounds} rounds, medians.\n")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        for net in nets:
            bench.prepare(net)
        parts = arguments.parts.split(",")
        if "training" in parts:
            print(f"Training, batch {BATCH}, images a second:\n")
            print("| | ours | PyTorch | PyTorch tuned | ours / PyTorch | ours / tuned | peak MiB: ours | PyTorch | tuned |")
            print("|---|---|---|---|---|---|---|---|---|", flush=True)
        for net in nets if "training" in parts else []:
            seconds, peaks = bench.train(net)
            rate = {name: BATCH / value for name, value in seconds.items()}
            rates = [f"{rate[name]:.0f}" for name in ("ours", "default", "tuned")]
            ratios = [f"**{rate['ours'] / rate[name]:.2f}**" for name in ("default", "tuned")]
            memory = [f"{peaks[name]:.0f}" for name in ("ours", "default", "tuned")]
            print("| " + " | ".join([net, *rates, *ratios, *memory]) + " |", flush=True)
        for batch in [batch for part, batch in (("reading", BATCH), ("one", 1)) if part in parts]:
            print(f"\nReading, batch {batch}, milliseconds:\n")
            print("| | ours | ONNX Runtime | PyTorch tuned | ORT / ours | ours / ORT |\n|---|---|---|---|---|---|", flush=True)
            for net in nets:
                seconds = bench.infer(net, batch)
                times = [f"{1e3 * seconds[name]:.3g}" for name in ("ours", "ort", "tuned")]
                ratio = seconds["ort"] / seconds["ours"]
                print("| " + " | ".join([net, *times, f"**{ratio:.2f}**", f"{1 / ratio:.2f}"]) + " |", flush=True)
        if "logits" not in parts:
            return
        print("\nLogits of 16 images: largest difference; and one image from process start to its output, seconds:\n")
        print("| | to PyTorch | to ONNX Runtime | start: ours | PyTorch | ONNX Runtime | fer-eval |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for net in nets:
            differences, _ = bench.logits(net, 16)
            _, seconds = bench.logits(net, 1)
            cells = [f"{differences[name]:.1e}" for name in ("torch", "ort")]
            cells += [f"{seconds[name]:.3f}" for name in ("ours", "torch", "ort")]
            cells.append(f"{bench.fer_eval(net):.3f}")
            print("| " + " | ".join([net, *cells]) + " |", flush=True)
            if max(differences.values()) > 1e-4:
                sys.exit(f"{net}: the logits differ by {max(differences.values()):.1e}, allowed 1e-4")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="our peer program")
    parser.add_argument("--cache", help="where the environment lies")
    parser.add_argument("--nets", default="tiny,small,base")
    parser.add_argument("--parts", default="training,reading,one,logits")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    for option in ("worker", "net", "mode", "weights", "images", "to"):
        parser.add_argument(f"--{option}")
    for option in ("batch", "steps"):
        parser.add_argument(f"--{option}", type=int)
    arguments = parser.parse_args()
    workers = {
        "torch-train": torch_worker,
        "torch-infer": torch_worker,
        "torch-logits": torch_logits,
        "ort-infer": ort_worker,
        "ort-logits": ort_logits,
    }
    (workers[arguments.worker] if arguments.worker else report)(arguments)


if __name__ == "__main__":
    main()
