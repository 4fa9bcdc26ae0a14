//! Our side of `scripts/bench/peers`: trains, reads and dumps what PyTorch and ONNX Runtime are compared with.
//! In: a preset's name or a model's folder, sizes. Out: seconds per step as JSON, weights, logits.
#![allow(clippy::print_stdout, missing_docs)] // A program: its result is its output.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use fer_data::face::SIDE;
use fer_data::{LabelSet, Labels};
use fer_model::card::HeadCard;
use fer_model::net::NetPlan;
use fer_model::{Architecture, ModelCard};
use fer_net::{Net, checkpoint, frozen::fold};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LABELS: usize = 7;
const USAGE: &str =
    "usage (NET is a preset's name, or a model folder, whose blocks are taken and not its weights):
  peer weights NET FOLDER                        a few training steps, then the model folder
  peer train NET BATCH STEPS THREADS             seconds per step
  peer infer NET BATCH REPEATS THREADS           seconds per batch
  peer logits FOLDER IMAGES.f32 LOGITS.f32       [N, 1, 48, 48] floats to [N, 7] floats";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["weights", net, folder] => weights(&network(net), Path::new(folder)),
        ["train", net, batch, steps, threads] => {
            set_threads(threads);
            let (_, seconds) = train(&network(net).1, number(batch), number(steps));
            report(&seconds);
        }
        ["infer", net, batch, repeats, threads] => {
            set_threads(threads);
            report(&infer(&network(net).1, number(batch), number(repeats)));
        }
        ["logits", folder, images, to] => logits(Path::new(folder), &PathBuf::from(images), Path::new(to)),
        _ => panic!("{USAGE}"),
    }
}

fn network(name: &str) -> (Architecture, NetPlan) {
    if let Ok(json) = std::fs::read(Path::new(name).join("card.json")) {
        let card = ModelCard::from_json(&json, name).expect("a model's card");
        return (card.architecture().expect("known"), card.plan().expect("known"));
    }
    let found = Architecture::ALL.into_iter().find(|architecture| architecture.name() == name);
    let preset = found.unwrap_or_else(|| panic!("{name} is neither a preset nor a model folder\n{USAGE}"));
    (preset, preset.plan(&[]))
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{text} is not a number\n{USAGE}"))
}

fn set_threads(threads: &str) {
    fer_kernels::set_threads(number(threads)).expect("no tensor operation has run yet");
}

fn report(seconds: &[f64]) {
    println!("{}", serde_json::to_string(seconds).expect("numbers are JSON"));
}

/// Plain SGD with momentum on one random batch: what every framework can do the same way.
fn train(plan: &NetPlan, batch: usize, steps: usize) -> (Net, Vec<f64>) {
    let device = Device::flex().autodiff();
    device.seed(1);
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
    let mut net = Net::of_plan(plan, LABELS, 0.0, &device);
    let images = Tensor::<4>::random([batch, 1, SIDE, SIDE], Distribution::Normal(0.0, 1.0), &device);
    let labels: Vec<i64> = (0..batch as i64).map(|idx| idx % LABELS as i64).collect();
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [batch]), &device);
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    let mut seconds = Vec::new();
    for _ in 0..steps {
        let start = Clock::start();
        let loss = cross_entropy.forward(net.forward(images.clone()), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(0.01, net, gradients);
        seconds.push(start.seconds());
    }
    (net, seconds)
}

/// The card names the blocks, of presets too: what the peers are built from.
fn weights((architecture, plan): &(Architecture, NetPlan), folder: &Path) {
    let (net, _) = train(plan, 16, 3);
    let head = HeadCard::new(LabelSet::Fer2013, Labels::fer2013(), 1.0);
    let mut card = ModelCard::with_heads(*architecture, plan, vec![head], "1970-01-01");
    card.blocks.clone_from(&plan.blocks);
    checkpoint::save(folder, &net.valid(), &card).expect("room for a model");
}

fn infer(plan: &NetPlan, batch: usize, repeats: usize) -> Vec<f64> {
    let device = Device::flex();
    let net = fold(&Net::of_plan(plan, LABELS, 0.0, &device));
    let images = Tensor::<4>::random([batch, 1, SIDE, SIDE], Distribution::Normal(0.0, 1.0), &device);
    let images: Vec<f32> = images.into_data().iter().collect();
    let once = || {
        let images = images.clone();
        let start = Clock::start();
        let _logits = std::hint::black_box(net.logits(images));
        start.seconds()
    };
    (0..repeats).map(|_| once()).collect()
}

fn logits(folder: &Path, images: &Path, to: &Path) {
    let bytes = std::fs::read(images).expect("the images");
    let (floats, _) = bytes.as_chunks::<4>();
    let floats: Vec<f32> = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let net = fer_model::checkpoint::load(folder).expect("a model folder").net;
    let bytes: Vec<u8> = net.logits(floats).into_iter().flat_map(f32::to_le_bytes).collect();
    std::fs::write(to, bytes).expect("room for the logits");
}

/// The wall clock, or with `BENCH_CLOCK=cpu` the processor time of all threads, which Linux counts per thread.
enum Clock {
    Wall(Instant),
    Processor(Duration),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn start() -> Self {
        match std::env::var("BENCH_CLOCK").as_deref() {
            Ok("cpu") => Self::Processor(processor_time()),
            _ => Self::Wall(Instant::now()),
        }
    }

    fn seconds(&self) -> f64 {
        match self {
            Self::Wall(start) => start.elapsed().as_secs_f64(),
            Self::Processor(start) => (processor_time() - *start).as_secs_f64(),
        }
    }
}

fn processor_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("BENCH_CLOCK=cpu needs Linux");
    let nanoseconds = |task: std::io::Result<std::fs::DirEntry>| -> Option<u64> {
        let line = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(tasks.filter_map(nanoseconds).sum())
}
