//! The sanity tests that guard training.

use std::{path::Path, sync::Arc};

use burn::data::dataloader::DataLoader;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use burn_train::{InferenceStep, TrainStep};
use fer_base::ExitCode;
use fer_data::{Face, Split};
use fer_model::{DeviceChoice, checkpoint::load_card, net::Pooling};
use fer_net::checkpoint;
use fer_train::TrainError;
use fer_train::run::initial::with_blocks_of_init;
use fer_train::train::Ending;
use fer_train::train::failure::Failure;
use fer_train::train::loader::{FaceBatch, FaceLoader};

use crate::train::runs::{
    Run, alone, chosen, config, fresh, fresh_after, images, plain_recipe, seven, timeless,
};

fn plain(n: usize) -> (FaceBatch, Device) {
    let device = chosen(DeviceChoice::Cpu).device.autodiff();
    let samples = Arc::new(fer_drawn::samples(Split::Train, n, 3));
    let recipe = plain_recipe(7 * n, 1, seven());
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
    let trainee = fresh(&bare(), &device);
    let loss = TrainStep::step(&trainee, batch).item.loss.into_scalar::<f32>();
    // A fresh head on unit-variance features adds some spread to even odds.
    assert!((loss - 7f32.ln()).abs() < 0.6, "{loss}");
}

#[test]
fn one_batch_can_be_overfitted() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let mut trainee = fresh(&bare(), &device);
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
    // Nothing random but the order: what is asked is whether faces teach, not how robustly.
    let long = [
        "train.epochs=5",
        "train.batch_size=28",
        "train.mixup=0",
        "data.drawn_train=100",
        "data.drawn_validation=10",
        "schedule.peak_rate=0.1",
        "model.dropout=0",
        "average.ema_decay=0",
        "augment.rotation_degrees=0",
        "augment.shift=0",
        "augment.erase=0",
    ];
    let seeing = Run::new(config(&long), &folder.path().join("faces"));
    let mut blind = Run::new(config(&long), &folder.path().join("blank"));
    for samples in [&mut blind.data.train, &mut blind.data.validation] {
        samples.samples.iter_mut().for_each(|sample| sample.face = Face::blank(128));
    }
    let seen = seeing.go().0.unwrap().best.validation_accuracy;
    let unseen = blind.go().0.unwrap().best.validation_accuracy;
    assert!((unseen - 1.0 / 7.0).abs() < 1e-6, "blank faces are all one class: {unseen}");
    assert!(seen > unseen + 0.1, "{seen} against {unseen}");
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
        assert_eq!(stopped.unwrap().ending, Ending::Interrupted);
        assert_eq!(head.len(), 1);
        let (resumed, tail) = Run { resume: true, ..Run::new(config(&overrides), &out) }.go();
        let resumed = resumed.unwrap();
        assert_eq!(timeless(&[head, tail].concat()), timeless(&rows), "{kind}");

        let device = chosen(DeviceChoice::Cpu).device;
        let faces = images(&fer_drawn::samples(Split::Validation, 2, 9));
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

    let pooled = [&["model.pooling=weighted"], &still[..]].concat();
    let (pooled, rows) = Run::new(config(&pooled), &folder.path().join("pooled")).go();
    let drift = rows[0].validation_loss - first.best.validation_loss;
    assert!(drift.abs() < 0.05, "weighted pooling begins as means: {}", rows[0].validation_loss);
    let init_pooled = format!("model.init={:?}", pooled.unwrap().model);
    let both = [init_pooled.as_str(), "model.pooling=weighted", "model.standardize=true"];
    let standard = [&both, &still[1..]].concat();
    let standard = Run::new(config(&standard), &folder.path().join("standard")).go().0.unwrap();
    let plan = load_card(&standard.model).unwrap().plan().unwrap();
    assert_eq!((plan.pooling, plan.standardizes), (Pooling::Weighted, true));
    // What a model has, a run that starts from it has.
    let taken = with_blocks_of_init(config(&[&format!("model.init={:?}", standard.model)])).unwrap();
    assert_eq!(taken.model.plan(), plan);

    let other = [init.as_str(), "model.architecture=small"];
    let error = Run::new(config(&other), &folder.path().join("other")).go().0.unwrap_err().to_string();
    let words = "model.init: blocks: expected 16 plain ×1 pooled, 32 residual /1, 96 residual /2, 160 residual /2, found 16";
    assert!(error.contains(words), "{error}");
}

#[test]
fn models_beside_one_another_start_as_their_mean() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let models = [1, 2].map(|seed| {
        let run = Run::new(
            config(&["train.epochs=1", &format!("train.seed={seed}")]),
            &folder.path().join(seed.to_string()),
        );
        run.go().0.unwrap().model
    });
    let init = format!("model.init={:?}", models[0]);
    let beside = format!("model.beside=[{:?}]", models[1]);
    let blocks = "model.blocks=[{ plain = { width = 32, convs = 1, pool = true } }, \
                  { residual = { width = 64, stride = 1 } }, { residual = { width = 96, stride = 2 } }, \
                  { residual = { width = 96, stride = 2 } }]";
    let slow = ["train.epochs=1", "schedule.peak_rate=1e-7", "schedule.warmup_epochs=0"];
    let both = [&[init.as_str(), beside.as_str(), blocks], &slow[..]].concat();
    let (wide, _) = Run::new(config(&both), &folder.path().join("wide")).go();

    let device = chosen(DeviceChoice::Cpu).device;
    let faces = images(&fer_drawn::samples(Split::Validation, 2, 9));
    let logits = |model: &Path| {
        let (net, _) = checkpoint::load(model, &device).unwrap();
        net.forward(faces.clone())
    };
    let mean = (logits(&models[0]) + logits(&models[1])) / 2.0;
    // Batch-norm statistics move even where weights stand still, so the logits are near, not equal.
    let apart = (logits(&wide.unwrap().model) - mean.clone()).abs().max().into_scalar::<f32>();
    assert!(apart < 0.2, "{apart}");

    let trunks = [init.as_str(), beside.as_str(), "model.join='trunks'", "model.n_trunks=2"];
    let (two, _) = Run::new(config(&[&trunks, &slow[..]].concat()), &folder.path().join("two")).go();
    let two = two.unwrap().model;
    assert_eq!(load_card(&two).unwrap().plan().unwrap().n_trunks, 2);
    let apart = (logits(&two) - mean).abs().max().into_scalar::<f32>();
    assert!(apart < 0.2, "{apart}");

    let crowd = format!("model.beside={:?}", vec![&models[1]; 64]);
    let crowd = [init.as_str(), crowd.as_str(), "model.join='trunks'"];
    let error = with_blocks_of_init(config(&crowd)).unwrap_err().to_string();
    assert!(error.contains("trunks: expected at most 64, found 65"), "{error}");

    let narrow = [&[init.as_str(), beside.as_str()], &slow[..]].concat();
    let error = Run::new(config(&narrow), &folder.path().join("narrow")).go().0.unwrap_err().to_string();
    assert!(error.contains("48 residual /2, found 32 plain ×1 pooled, 64 residual /1"), "{error}");
}

#[test]
fn a_run_can_start_from_the_mean_of_three_models_weights() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, changes: &[&str]| {
        let (run, _) = Run::new(config(changes), &folder.path().join(name)).go();
        run.map(|run| run.model)
    };
    let models = [1, 2, 3]
        .map(|seed| run(&seed.to_string(), &["train.epochs=1", &format!("train.seed={seed}")]).unwrap());
    let init = format!("model.init={:?}", models[0]);
    let beside = format!("model.beside={:?}", &models[1..]);
    let join = [init.as_str(), beside.as_str(), "model.join=weights"];
    let still = ["train.epochs=1", "schedule.peak_rate=1e-9", "schedule.warmup_epochs=0"];
    let joined = run("joined", &[&join, &still[..]].concat()).unwrap();

    let device = chosen(DeviceChoice::Cpu).device;
    let of = |model: &Path| weights(&checkpoint::load(model, &device).unwrap().0);
    let each = models.each_ref().map(|model| of(model));
    let mean: Vec<f32> =
        (0..each[0].len()).map(|i| each.iter().map(|own| own[i]).sum::<f32>() / 3.0).collect();
    let from_mean =
        |own: &[f32]| own.iter().zip(&mean).map(|(own, mean)| (own - mean).abs()).fold(0.0, f32::max);
    let (apart, from_first) = (from_mean(&of(&joined)), from_mean(&each[0]));
    assert!(apart < 1e-5, "{apart}");
    assert!(from_first > 0.1, "the models differ: {from_first}");

    let wider =
        run("wider", &["train.epochs=1", "model.blocks=[{ plain = { width = 8, convs = 1, pool = true } }]"]);
    let beside = format!("model.beside=[{:?}]", wider.unwrap());
    let error = with_blocks_of_init(config(&[&init, &beside, "model.join=weights"])).unwrap_err().to_string();
    assert!(error.contains("blocks: expected models of the same, found"), "{error}");
}

/// The convolution and head weights of a module, one after the other.
fn weights(module: &impl Module) -> Vec<f32> {
    let mut weights = Weights(Vec::new());
    module.visit(&mut weights);
    weights.0
}

struct Weights(Vec<f32>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D >= 2 {
            self.0.extend(param.val().into_data().iter::<f32>());
        }
    }
}

#[test]
fn the_average_is_judged_and_lies_between_the_weights_before_and_after_a_step() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let config = config(&["average.ema_decay=0.9", "model.dropout=0"]);
    let trainee = fresh(&config, &device);
    // A trainee's weights are the network's, then as many of the average.
    let before = weights(trainee.judged());
    let both = weights(&trainee);
    assert_eq!([&before[..], &before].concat(), both, "the average starts with the network");
    let grads = TrainStep::step(&trainee, batch.clone()).grads;
    let averaged = trainee.optimize(&mut SgdConfig::new().init(), 0.1.into(), grads);
    let (both, judged) = (weights(&averaged), weights(averaged.judged()));
    let (after, average) = both.split_at(before.len());
    assert_eq!(average, judged, "the average is judged");
    for ((before, average), after) in before.iter().zip(average).zip(after) {
        // The first step's decay is a tenth, not the 0.9 of later ones: decay_at.
        let expected = 0.1 * before + 0.9 * after;
        // 1e-6: the mean is rounded to f32.
        assert!((average - expected).abs() < 1e-6, "{average} is not {expected}, of {before} and {after}");
    }
    let moved = before.iter().zip(after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(moved > 1e-3, "the step moved the weights: {moved}");

    let images = batch.images.clone().inner();
    let shown = FaceBatch {
        images: images.clone(),
        targets: batch.targets.clone().inner(),
        labels: batch.labels.clone().inner(),
        ..batch.clone()
    };
    let averaged = averaged.valid();
    let output = InferenceStep::step(&averaged, shown).output;
    output.into_data().assert_eq(&averaged.judged().forward(images).into_data(), true);
}

/// Burn's multi-device strategy with two CPU devices: they share each step, so that the schedule is
/// that of one device with as many faces a step.
#[test]
fn two_cpu_devices_train_as_one_device_does() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    // Dropout draws from one generator for all CPU devices, mixup pairs within a device's share.
    let calm = ["model.dropout=0", "train.mixup=0", "data.drawn_train=12", "train.epochs=4"];
    let multi = [&calm[..], &["execution.strategy='multi'", "execution.n_devices=2"]].concat();
    let (one, alone) = Run::new(config(&calm), &folder.path().join("one")).go();
    let (two, together) = Run::new(config(&multi), &folder.path().join("two")).go();
    assert_eq!((one.unwrap().n_epochs, two.unwrap().n_epochs), (4, 4));
    for (one, two) in alone.iter().zip(&together) {
        assert!((one.rate / two.rate - 1.0).abs() < 1e-9, "rate {} and {}", one.rate, two.rate);
        // Batch norm sees eight faces at a time instead of sixteen: near (at most 0.024 apart when this
        // was written), not equal.
        for (one, two) in [(one.train_loss, two.train_loss), (one.validation_loss, two.validation_loss)] {
            assert!((one - two).abs() < 0.05, "loss {one} on one device, {two} on two");
        }
    }
}

/// The square sum of all gradients of a network.
struct Squares<'a>(&'a GradientsParams, f32);

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.0.get::<D>(param.id) {
            self.1 += grad.square().sum().into_scalar::<f32>();
        }
    }
}

/// Burn adds up the devices' gradients, so each may only count by its part of the step.
#[test]
fn a_batch_counts_by_its_share_of_the_step() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let trainee = fresh(&bare(), &device);
    let squares = |n_step| {
        let step = TrainStep::step(&trainee, FaceBatch { n_step, ..batch.clone() });
        let mut squares = Squares(&step.grads, 0.0);
        trainee.visit(&mut squares);
        squares.1
    };
    let (whole, half) = (squares(14), squares(28));
    assert!((whole / half - 4.0).abs() < 1e-3, "{whole} is not four times {half}");
}

#[test]
fn devices_share_the_faces_of_each_step() {
    let _turn = alone();
    let device = chosen(DeviceChoice::Cpu).device.autodiff();
    let samples = Arc::new(fer_drawn::samples(Split::Train, 3, 3));
    let recipe = plain_recipe(8, 2, seven());
    let whole = FaceLoader::new(samples, recipe, device, 1);
    let (n, half) = (whole.num_items(), whole.num_items() / 2);
    let parts = [whole.slice(0, half), whole.slice(half, n)];
    assert_eq!(parts.iter().map(|part| part.num_items()).sum::<usize>(), n);
    let labels = |loader: &dyn DataLoader<FaceBatch>| -> Vec<(usize, Vec<i64>)> {
        let batch = |batch: FaceBatch| (batch.n_step, batch.labels.into_data().iter::<i64>().collect());
        loader.iter().map(|step| batch(step.unwrap())).collect()
    };
    let [first, second] = [labels(&*parts[0]), labels(&*parts[1])];
    for ((n_step, whole), (first, second)) in labels(&whole).into_iter().zip(first.into_iter().zip(second)) {
        assert_eq!([first.0, second.0], [n_step, n_step], "each knows how many faces the step has");
        assert_eq!([first.1, second.1].concat(), whole, "the devices share the step's faces");
    }
}

/// A learning rate that no network survives: the run ends with the step, and what was kept stays.
#[test]
fn a_run_that_diverges_ends_with_its_epoch_and_step() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let wild = [
        "optimizer.clip_norm=0",
        "optimizer.momentum=0",
        "train.mixup=0",
        "average.ema_decay=0",
        "schedule.kind='constant'",
        "schedule.warmup_epochs=0",
    ];
    let mut run = Run::new(config(&wild), &out);
    // Targets that are no distributions stand for whatever makes a loss NaN.
    run.config.train.label_smoothing = f32::NAN;
    let (outcome, rows) = run.go();
    let error = outcome.unwrap_err();
    let TrainError::Diverged { epoch: 1, step, what: "the loss", value } = &error else { panic!("{error}") };
    assert!((1..=2).contains(step) && value.is_nan(), "{error}");
    assert_eq!((error.exit_code(), rows.len()), (4, 0));
    let words =
        format!("training diverged in epoch 1, step {step}: the loss is NaN; lower schedule.peak_rate");
    assert!(error.to_string().starts_with(&words), "{error}");
    assert!(!out.join("model").exists() && out.join("config.toml").exists());
}

/// Gradients can be no numbers where the loss still is one; the weights then stay as they are.
#[test]
fn gradients_that_are_no_numbers_stop_the_run_before_the_step() {
    let _turn = alone();
    let (batch, device) = plain(2);
    let failure = Failure::default();
    let trainee = fresh_after(10, &bare(), &device).watched_by(failure.clone(), 4);
    let mut step = TrainStep::step(&trainee, batch);
    assert!(failure.take().is_none(), "the loss is a number");
    let mut poison = Poison(&mut step.grads);
    trainee.visit(&mut poison);
    let before = trainee.clone().into_record().into_bytes().unwrap();
    let after = trainee.optimize(&mut SgdConfig::new().init(), 0.1.into(), step.grads);
    let Some(TrainError::Diverged { epoch: 3, step: 3, what: "the gradients' norm", .. }) = failure.take()
    else {
        panic!("ten steps are two epochs of four and two steps")
    };
    assert!(before[..] == after.into_record().into_bytes().unwrap()[..], "no step was taken");
}

/// Replaces the gradients of a network by NaN.
struct Poison<'a>(&'a mut GradientsParams);

impl ModuleVisitor for Poison<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.0.remove::<D>(param.id) {
            self.0.register(param.id, grad * f32::NAN);
        }
    }
}

#[test]
fn patience_ends_a_run_and_says_so() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    // Nothing moves, so that no epoch after the first can be better.
    let still =
        ["train.epochs=9", "train.patience=2", "schedule.peak_rate=1e-12", "average.ema_decay=0.999999"];
    let mut run = Run::new(config(&still), &folder.path().join("run"));
    for samples in [&mut run.data.train, &mut run.data.validation] {
        samples.samples.iter_mut().for_each(|sample| sample.face = Face::blank(128));
    }
    let outcome = run.go().0.unwrap();
    assert_eq!((outcome.ending, outcome.n_epochs), (Ending::Patience, 3));
    assert!((outcome.chance - 1.0 / 7.0).abs() < 1e-12 && outcome.is_no_better_than_chance());
}
