//! The sanity tests that guard training.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use burn_train::{InferenceStep, TrainStep};
use fer_data::{Face, Split, drawn};
use fer_model::{DeviceChoice, checkpoint};
use fer_train::loader::{FaceBatch, FaceLoader, Recipe};
use fer_train::trainee::Trainee;

use crate::runs::{Run, alone, chosen, config, images, timeless};

fn plain(n: usize) -> (FaceBatch, Device) {
    let device = chosen(DeviceChoice::Cpu).device.autodiff();
    let samples = Arc::new(drawn::samples(Split::Train, n, 3));
    let recipe = Recipe { batch_size: 7 * n, seed: 1, augment: None, balanced: false, mixup: 0.0 };
    let loader = FaceLoader::new(samples, recipe, device.clone(), 1);
    let batch = loader.iter().next().unwrap().unwrap();
    (batch, device)
}

fn bare() -> fer_train::config::Config {
    config(&["model.dropout=0", "train.mixup=0", "train.label_smoothing=0", "average.ema_decay=0"])
}

#[test]
fn the_first_loss_is_about_the_logarithm_of_seven() {
    let _turn = alone();
    let (batch, device) = plain(4);
    let trainee = Trainee::new(&bare(), 7, Vec::new(), 0, &device, None);
    let loss = TrainStep::step(&trainee, batch).item.loss.into_scalar::<f32>();
    // A fresh head on unit-variance features adds some spread to even odds.
    assert!((loss - 7f32.ln()).abs() < 0.6, "{loss}");
}

#[test]
fn one_batch_can_be_overfitted() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let mut trainee = Trainee::new(&bare(), 7, Vec::new(), 0, &device, None);
    let mut optimizer = SgdConfig::new().init();
    for _ in 0..90 {
        let step = TrainStep::step(&trainee, batch.clone());
        trainee = trainee.optimize(&mut optimizer, 0.1.into(), step.grads);
    }
    let loss = TrainStep::step(&trainee, batch).item.loss.into_scalar::<f32>();
    assert!(loss < 0.05, "{loss}");
}

#[test]
fn blank_faces_teach_nothing_that_faces_do_not_teach_better() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let long = ["train.epochs=6", "data.drawn_train=12", "data.drawn_validation=8", "average.ema_decay=0"];
    let seeing = Run::new(config(&long), &folder.path().join("faces"));
    let mut blind = Run::new(config(&long), &folder.path().join("blank"));
    for samples in [&mut blind.data.train, &mut blind.data.validation] {
        samples.samples.iter_mut().for_each(|sample| sample.face = Face::blank(128));
    }
    let seen = seeing.go().0.unwrap().best.validation_accuracy;
    let unseen = blind.go().0.unwrap().best.validation_accuracy;
    assert!((unseen - 1.0 / 7.0).abs() < 1e-6, "blank faces are all one class: {unseen}");
    assert!(seen > unseen + 0.05, "{seen} against {unseen}");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: &str| Run::new(config(&[seed]), &folder.path().join(name)).go().1;
    let first = timeless(&run("first", "train.seed=5"));
    assert_eq!(first, timeless(&run("again", "train.seed=5")));
    assert_ne!(first, timeless(&run("other", "train.seed=6")));
}

/// A run stopped at the border of its first epoch and resumed has the same rows and the same model.
#[test]
fn resuming_equals_never_stopping() {
    let _turn = alone();
    for kind in ["optimizer.kind='sgd'", "optimizer.kind='adamw'", "schedule.kind='plateau'"] {
        let folder = tempfile::tempdir().unwrap();
        let overrides = [kind, "schedule.plateau_patience=0", "checkpoint.keep_last=9"];
        let whole = Run::new(config(&overrides), &folder.path().join("whole"));
        let rows = whole.go().1;

        let out = folder.path().join("parts");
        let first = Run { stop_after: Some(1), ..Run::new(config(&overrides), &out) };
        let (stopped, head) = first.go();
        assert!(stopped.unwrap().interrupted);
        assert_eq!(head.len(), 1);
        let (resumed, tail) = Run { resume: true, ..Run::new(config(&overrides), &out) }.go();
        let resumed = resumed.unwrap();
        assert_eq!(timeless(&[head, tail].concat()), timeless(&rows), "{kind}");

        let device = chosen(DeviceChoice::Cpu).device;
        let faces = images(&drawn::samples(Split::Validation, 2, 9));
        let logits = |model| {
            let (net, _) = checkpoint::load(model, &device).unwrap();
            net.forward(faces.clone()).into_data()
        };
        logits(&folder.path().join("whole/model")).assert_eq(&logits(&resumed.model), true);
    }
}

#[test]
fn a_run_can_start_from_a_model_and_refuses_another_architecture() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let first = Run::new(config(&["train.epochs=2"]), &folder.path().join("first"));
    let first = first.go().0.unwrap();
    let init = format!("model.init={:?}", first.model);
    let still = [init.as_str(), "train.epochs=1", "schedule.peak_rate=1e-7", "schedule.warmup_epochs=0"];
    let (_, rows) = Run::new(config(&still), &folder.path().join("still")).go();
    // Batch-norm statistics move even where weights stand still, so the loss is near, not equal.
    let drift = rows[0].validation_loss - first.best.validation_loss;
    assert!(drift.abs() < 0.05, "{} against {}", rows[0].validation_loss, first.best.validation_loss);
    let other = [init.as_str(), "model.architecture=small"];
    let error = Run::new(config(&other), &folder.path().join("other")).go().0.unwrap_err().to_string();
    assert!(error.contains("architecture: expected small, found tiny"), "{error}");
}

#[test]
fn the_average_is_judged_and_follows_the_weights() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let config = config(&["average.ema_decay=0.9", "model.dropout=0"]);
    let trainee = Trainee::new(&config, 7, Vec::new(), 0, &device, None);
    let logits = |trainee: &Trainee| {
        let batch = FaceBatch {
            images: batch.images.clone().inner(),
            targets: batch.targets.clone().inner(),
            labels: batch.labels.clone().inner(),
            ..batch.clone()
        };
        InferenceStep::step(&trainee.valid(), batch).output
    };
    let before = logits(&trainee);
    let grads = TrainStep::step(&trainee, batch.clone()).grads;
    let moved = trainee.optimize(&mut SgdConfig::new().init(), 0.5.into(), grads);
    let far = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
    let drift = far(before.clone(), logits(&moved));
    assert!(drift > 1e-4, "the average moves with a step: {drift}");
}

/// Burn's multi-device strategy with two CPU devices: each takes batches of its own.
#[test]
fn two_cpu_devices_train_together() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let overrides = ["execution.strategy='multi'", "execution.n_devices=2"];
    let (outcome, rows) = Run::new(config(&overrides), &folder.path().join("run")).go();
    assert_eq!(outcome.unwrap().n_epochs, 3);
    assert!(rows.iter().all(|row| row.train_loss.is_finite() && row.validation_loss.is_finite()));
}
