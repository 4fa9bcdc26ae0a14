//! How fast models load and read, for every preset on the CPU.
//! In: untrained weights (speed does not depend on them). Out: criterion's figures.
//! Run with `cargo bench -p fer-net --bench inference`.
#![allow(missing_docs)]

use std::fs;
use std::time::Duration;

use burn::tensor::Device;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fer_data::{Emotion, Face, Labels};
use fer_model::checkpoint::{CARD_FILE, WEIGHTS_FILE};
use fer_model::{Architecture, ModelCard, ModelFiles, Predictor, Tta};
use fer_net::{Net, checkpoint::save};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Faces in the batch that stands for evaluation.
const BATCH: usize = 64;

fn inference(criterion: &mut Criterion) {
    let device = Device::flex();
    let faces: Vec<Face> = (0..BATCH)
        .map(|idx| fer_drawn::face(1, idx, Emotion::FER2013[idx % Emotion::FER2013.len()]))
        .collect();
    for architecture in Architecture::ALL {
        let (card_json, weights) = files(architecture, &device);
        let load = || {
            let files = ModelFiles { card_json: &card_json, weights: &weights };
            Predictor::from_bytes(files).expect("it was just saved")
        };
        let predictor = load().with_batch_size(BATCH);
        let mut group = criterion.benchmark_group(architecture.name());
        group.measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
        group.bench_function("load", |b| b.iter(load));
        group.bench_function("one face", |b| b.iter(|| predictor.predict(&faces[..1], Tta::None)));
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("64 faces", |b| b.iter(|| predictor.predict(&faces, Tta::None)));
        group.finish();
    }
}

/// Card and weights of a preset with fresh weights.
fn files(architecture: Architecture, device: &Device) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let labels = Labels::fer2013();
    let net = Net::new(architecture, labels.len(), 0.0, device);
    save(folder.path(), &net, &ModelCard::new(architecture, labels, "1970-01-01")).expect("room for a model");
    let read = |name| fs::read(folder.path().join(name)).expect("it was just written");
    (read(CARD_FILE), read(WEIGHTS_FILE))
}

criterion_group!(benches, inference);
criterion_main!(benches);
