//! Two label sets on one network, and teachers.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn_train::TrainStep;
use fer_data::Votes;
use fer_data::{LabelSet, Labels, Samples, Split};
use fer_model::checkpoint::{load_card, save_card};
use fer_model::{DeviceChoice, ModelCard, Predictor, Tta};
use fer_net::{Net, checkpoint};
use fer_train::config::Config;
use fer_train::judge::calibrate::card_figures::measured;
use fer_train::train::heads::heads;
use fer_train::train::loader::{FaceBatch, FaceLoader};
use fer_train::train::step::Trainee;
use fer_train::train::teacher::Teacher;

use crate::train::runs::{alone, chosen, config, plain_recipe};

const BARE: [&str; 4] =
    ["model.dropout=0", "train.mixup=0", "train.label_smoothing=0", "average.ema_decay=0"];

fn both(overrides: &[&str]) -> Config {
    let mut config = config(&[&BARE[..], overrides].concat());
    // A drawn set has no FER+ file: its votes are given by hand, so this is not what a config file may say.
    config.data.labels = fer_train::config::LabelChoice::Both;
    config
}

/// Drawn faces whose raters agree with the drawing, but for every third, which has no votes.
fn voted(per_class: usize) -> Samples {
    let mut samples = fer_drawn::samples(Split::Train, per_class, 3);
    for (idx, sample) in samples.samples.iter_mut().enumerate() {
        let mut emotions = [0; 8];
        (emotions[sample.label], emotions[7]) = (8, 2);
        let votes = Votes { emotions, unknown: 0, non_face: 0, named: true };
        sample.votes = (idx % 3 > 0).then_some(votes);
    }
    samples
}

fn batch(config: &Config, samples: &Samples) -> FaceBatch {
    let device = chosen(DeviceChoice::Cpu).device.autodiff();
    let cards = heads(config, samples).into_iter().map(|head| head.card).collect();
    let recipe = plain_recipe(samples.len(), 1, cards);
    let loader = FaceLoader::new(Arc::new(samples.clone()), recipe, device, 1);
    loader.iter().next().unwrap().unwrap()
}

fn loss(trainee: &Trainee, batch: &FaceBatch) -> f32 {
    TrainStep::step(trainee, batch.clone()).item.loss.into_scalar::<f32>()
}

fn trainee(config: &Config, samples: &Samples, teacher: Option<Teacher>) -> Trainee {
    let device = chosen(DeviceChoice::Cpu).device.autodiff();
    Trainee::new(config, heads(config, samples), teacher, Vec::new(), 0, &device, None)
}

#[test]
fn a_head_sees_its_own_labels_and_a_face_without_votes_none_of_ferplus() {
    let samples = voted(2);
    let batch = batch(&both(&[]), &samples);
    let targets: Vec<f32> = batch.targets.into_data().iter::<f32>().collect();
    for (row, sample) in targets.chunks(15).zip(&samples.samples) {
        let (own, plus) = row.split_at(7);
        assert_eq!((own[sample.label], own.iter().sum::<f32>()), (1.0, 1.0));
        let expected = if sample.votes.is_some() { [0.8, 0.2] } else { [0.0, 0.0] };
        assert_eq!([plus[sample.label], plus[7]], expected);
    }
}

/// A user's folder may have FER+'s eight classes, and no raters.
#[test]
fn the_datas_own_labels_are_learnt_from_the_data_whatever_they_are_called() {
    let mut samples = voted(1);
    samples.labels = Labels::ferplus();
    samples.samples.iter_mut().for_each(|sample| sample.votes = None);
    let batch = batch(&config(&BARE), &samples);
    let targets: Vec<f32> = batch.targets.into_data().iter::<f32>().collect();
    for (row, sample) in targets.chunks(8).zip(&samples.samples) {
        assert_eq!((row[sample.label], row.iter().sum::<f32>()), (1.0, 1.0));
    }
}

#[test]
fn the_parts_of_the_loss_are_those_of_the_config() {
    let _turn = alone();
    let samples = voted(2);
    let of = |weight: &str| {
        let config = both(&[weight]);
        loss(&trainee(&config, &samples, None), &batch(&config, &samples))
    };
    let [first, second, half] =
        ["train.ferplus_weight=0.0", "train.ferplus_weight=1.0", "train.ferplus_weight=0.5"].map(of);
    assert!((half - (first + second) / 2.0).abs() < 1e-5, "{first} and {second} make {half}");
    // A third of the faces adds nothing to the second head's loss.
    assert!((second / 8_f32.ln() - 2.0 / 3.0).abs() < 0.25, "{second}");
}

#[test]
fn a_card_with_two_heads_reads_each_and_both() {
    let folder = tempfile::tempdir().unwrap();
    let device = chosen(DeviceChoice::Cpu).device;
    let config = both(&[]);
    let samples = voted(1);
    let cards = heads(&config, &samples).into_iter().map(|head| head.card).collect();
    let plan = config.model.plan();
    let card = ModelCard::with_heads(config.model.architecture, &plan, cards, "2026-01-31");
    let net = Net::of_plan(&plan, card.n_logits(), 0.0, &device);
    checkpoint::save(folder.path(), &net, &card).unwrap();

    let read = |head: Option<LabelSet>| {
        let predictor = Predictor::load(folder.path()).unwrap();
        let predictor = match head {
            Some(head) => predictor.of_head(head).unwrap(),
            None => predictor,
        };
        let faces: Vec<_> = samples.samples.iter().map(|sample| sample.face.clone()).collect();
        (predictor.labels().clone(), predictor.predict(&faces, Tta::None).remove(0).logits)
    };
    let (labels, own) = read(Some(LabelSet::Fer2013));
    assert_eq!(labels, Labels::fer2013());
    let (labels, plus) = read(Some(LabelSet::FerPlus));
    assert_eq!(labels, Labels::ferplus());
    let (labels, reading) = read(None);
    assert_eq!(labels, Labels::fer2013());
    for ((reading, own), plus) in reading.iter().zip(&own).zip(&plus) {
        assert!((reading - (own + plus) / 2.0).abs() < 1e-5);
    }
    // What is added to a head's logits counts where heads are combined, and there alone.
    let mut card = load_card(folder.path()).unwrap();
    card.heads[1].offsets = vec![0.0, 0.5, 0.0, 0.0, -1.0, 0.0, 0.0, 9.0];
    save_card(folder.path(), &card).unwrap();
    assert_eq!(read(Some(LabelSet::FerPlus)).1, plus);
    let reading: Vec<f32> =
        reading.iter().zip([0.0, 0.25, 0.0, 0.0, -0.5, 0.0, 0.0]).map(|(a, b)| a + b).collect();
    for (adjusted, expected) in read(None).1.iter().zip(&reading) {
        assert!((adjusted - expected).abs() < 1e-5, "{adjusted}, expected {expected}");
    }
    let joined = fer_net::frozen::reading_net(&net, &card);
    let single =
        ModelCard::with_heads(config.model.architecture, &plan, card.heads[..1].to_vec(), "2026-01-31");
    let joined = fer_net::predictor(&joined, single);
    let logits = joined.predict(&[samples.samples[0].face.clone()], Tta::None).remove(0).logits;
    for (joined, reading) in logits.iter().zip(&reading) {
        assert!((joined - reading).abs() < 1e-5, "one head that is the sum of two: {joined} and {reading}");
    }
    let error = Predictor::load(folder.path()).unwrap().of_head(LabelSet::Own).unwrap_err();
    assert!(error.to_string().contains("head is fer2013, ferplus, expected own"), "{error}");
}

#[test]
fn a_card_says_how_often_each_head_is_right_by_its_own_labels() {
    let device = chosen(DeviceChoice::Cpu).device;
    let config = both(&[]);
    let mut samples = voted(3);
    let cards = heads(&config, &samples).into_iter().map(|head| head.card).collect();
    let plan = config.model.plan();
    let card = ModelCard::with_heads(config.model.architecture, &plan, cards, "2026-01-31");
    let net = Net::of_plan(&plan, card.n_logits(), 0.0, &device);

    let card = measured(card, &net, &samples).unwrap();
    let (majority, n_without) = samples.clone().by_ferplus_majority();
    assert_eq!(n_without, 7, "a third has no votes");
    for (head, truth) in card.heads.iter().zip([&samples, &majority]) {
        let predictor = fer_net::predictor(&net, card.clone()).of_head(head.set).unwrap();
        let faces: Vec<_> = truth.samples.iter().map(|sample| sample.face.clone()).collect();
        let read = predictor.predict(&faces, Tta::None);
        let right = read
            .iter()
            .zip(&truth.samples)
            .filter(|(read, sample)| read.logits.iter().all(|logit| *logit <= read.logits[sample.label]));
        assert_eq!(head.accuracy, Some(right.count() as f64 / truth.len() as f64), "{}", head.set);
    }
    samples.samples.iter_mut().for_each(|sample| sample.votes = None);
    let unvoted = measured(card.clone(), &net, &samples).unwrap();
    assert_eq!(unvoted.heads[0].accuracy, card.heads[0].accuracy);
    assert_eq!(unvoted.heads[1].accuracy, None, "no votes, no figure");
}

#[test]
fn logits_are_adjusted_while_training_by_how_rare_a_label_is() {
    let samples = {
        let mut samples = fer_drawn::samples(Split::Train, 4, 3);
        samples.samples.retain(|sample| {
            sample.label != 1
                || matches!(sample.source, fer_data::Source::Drawn { index, .. } if index % 4 == 0)
        });
        samples
    };
    let counts = samples.counts();
    let head = &heads(&config(&["train.logit_adjustment=1.0"]), &samples)[0];
    let n = samples.len() as f32;
    for (adjustment, count) in head.adjustment.iter().zip(counts) {
        let share = (count as f32).max(0.5) / n;
        assert!((adjustment - share.ln()).abs() < 1e-5, "{adjustment} for {count} of {n}");
    }
}

#[test]
fn a_student_that_is_its_own_teacher_has_nothing_to_learn_but_its_doubt() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let device = chosen(DeviceChoice::Cpu).device;
    let config = config(&BARE);
    let samples = fer_drawn::samples(Split::Train, 2, 3);
    let card = ModelCard::new(config.model.architecture, Labels::fer2013(), "2026-01-31");
    let net = Net::new(config.model.architecture, 7, 0.0, &device);
    checkpoint::save(folder.path(), &net, &card).unwrap();

    let mut taught = config.clone();
    taught.teacher.models = vec![folder.path().display().to_string()];
    taught.teacher.weight = 1.0;
    taught.teacher.temperature = 1.0;
    let heads = heads(&taught, &samples);
    let teacher = Teacher::load(&taught.teacher, &heads, &device).unwrap().expect("a teacher is named");
    let batch = batch(&taught, &samples);
    let soft: Vec<f32> =
        teacher.targets(batch.images.clone().inner(), &heads).into_data().iter::<f32>().collect();
    for row in soft.chunks(7) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    // With the teacher's whole weight the labels do not count: other labels give the same loss.
    let student = trainee(&taught, &samples, Some(teacher));
    let other = FaceBatch { targets: batch.targets.clone().flip([1]), ..batch.clone() };
    assert!((loss(&student, &batch) - loss(&student, &other)).abs() < 1e-6);
    let alone = trainee(&config, &samples, None);
    assert!((loss(&alone, &batch) - loss(&alone, &other)).abs() > 1e-6, "labels count without a teacher");
}

#[test]
fn a_teacher_that_knows_other_labels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = chosen(DeviceChoice::Cpu).device;
    let mut config = both(&[]);
    let samples = voted(1);
    let card = ModelCard::new(config.model.architecture, Labels::fer2013(), "2026-01-31");
    let net = Net::new(config.model.architecture, 7, 0.0, &device);
    checkpoint::save(folder.path(), &net, &card).unwrap();
    config.teacher.models = vec![folder.path().display().to_string()];
    let error = Teacher::load(&config.teacher, &heads(&config, &samples), &device).unwrap_err();
    assert!(error.to_string().contains("contempt"), "{error}");
}
