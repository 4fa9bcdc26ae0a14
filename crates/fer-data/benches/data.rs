//! How fast faces are loaded and varied.
//!
//! `cargo bench -p fer-data`. Loads 2,100 made-up faces from a temporary folder, and FER-2013's 32,298
//! where `FER2013_DIR` names it; docs/reports/data.md holds the figures.

// The macros of criterion make public functions without docs.
#![allow(missing_docs)]

use std::{env, fs, hint::black_box, path::Path, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_data::{
    Augment, Face, Labels, LoadOptions, Sample, Samples, Source, Split,
    augment::rng_for,
    balance::shuffled_order,
    export,
    face::{PIXELS, normalize},
    load_learning,
};
use rand::RngExt;

/// Images in a training batch.
const BATCH: usize = 128;

/// `per_class` faces of every expression, shaded and grainy as photographs are.
fn faces(split: Split, per_class: usize) -> Samples {
    let labels = Labels::fer2013();
    let samples = (0..per_class * labels.len()).map(|i| {
        let mut rng = rng_for(1, split as u64, i as u64);
        let slope: [f32; 2] = [rng.random_range(-80.0..80.0), rng.random_range(-80.0..80.0)];
        let mut face = Face::blank(0);
        for (at, pixel) in face.pixels_mut().iter_mut().enumerate() {
            let [x, y] = [at % 48, at / 48].map(|at| at as f32 / 47.0 - 0.5);
            *pixel = (128.0 + slope[0] * x + slope[1] * y + rng.random_range(-8.0..8.0)) as u8;
        }
        Sample { face, label: i % labels.len(), votes: None, source: Source::Drawn { seed: 1, index: i } }
    });
    Samples { split, samples: samples.collect(), labels: labels.clone() }
}

fn loading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let train = faces(Split::Train, 240);
    let validation = faces(Split::Validation, 60);
    let splits = [&train, &validation];
    let csv = folder.path().join("faces.csv");
    let faces = folder.path().join("faces");
    let zst = folder.path().join("faces.csv.zst");
    export::write_csv(&csv, &splits).expect("a CSV file");
    export::write_folders(&faces, &splits).expect("folders");
    let text = fs::read(&csv).expect("the file");
    fs::write(&zst, zstd::encode_all(&*text, 9).expect("memory")).expect("a file");
    let mut places = vec![("made-up csv", csv), ("made-up csv.zst", zst), ("made-up png", faces)];
    if let Some(real) = env::var_os("FER2013_DIR") {
        let real = Path::new(&real);
        let named = [
            ("fer2013 csv", "fer2013.csv"),
            ("fer2013 csv.zst", "fer2013.csv.zst"),
            ("fer2013 jpg", "fer2013"),
        ];
        places.extend(
            named.map(|(name, file)| (name, real.join(file))).into_iter().filter(|(_, path)| path.exists()),
        );
    }
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    for (name, path) in places {
        let load = || load_learning(&path, &LoadOptions::default()).expect("good data");
        let loaded = load();
        group.throughput(Throughput::Elements((loaded.train.len() + loaded.validation.len()) as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| bencher.iter(load));
    }
}

fn varying(criterion: &mut Criterion) {
    let train = faces(Split::Train, 20);
    let mut group = criterion.benchmark_group("augment one core");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let off = Augment::default;
    let steps = [
        ("recipe", Augment::fer2013()),
        ("geometry", Augment { brightness: 0.0, contrast: 0.0, erase: 0.0, ..Augment::fer2013() }),
        ("tone", Augment { brightness: 0.3, contrast: 0.3, ..off() }),
        ("erase", Augment { erase: 1.0, ..off() }),
    ];
    group.throughput(Throughput::Elements(1));
    for (name, augment) in steps {
        let mut index = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                index += 1;
                let face = &train.samples[index % train.len()].face;
                augment.apply(face, &mut rng_for(1, 1, index as u64))
            });
        });
    }
}

/// All that stands between samples in memory and a batch of network inputs, on one core.
fn batching(criterion: &mut Criterion) {
    let train = faces(Split::Train, 100);
    let order = shuffled_order(train.len(), 1, 1);
    let augment = Augment::fer2013();
    let mut inputs = vec![0.0_f32; BATCH * PIXELS];
    let mut group = criterion.benchmark_group("batch one core");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("augment and normalize 128", |bencher| {
        bencher.iter(|| {
            for (input, &index) in inputs.as_chunks_mut::<PIXELS>().0.iter_mut().zip(&order) {
                let face = augment.apply(&train.samples[index].face, &mut rng_for(1, 1, index as u64));
                normalize(&face, input);
            }
            black_box(&inputs);
        });
    });
    group.finish();
}

criterion_group!(data, loading, varying, batching);
criterion_main!(data);
