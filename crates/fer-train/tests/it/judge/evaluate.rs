//! Judging a split: who is counted, who stops it, and what comes out.

use std::ops::ControlFlow;

use fer_base::ExitCode;
use fer_data::{Labels, Part, Samples, Split};
use fer_model::Tta;
use fer_net::predictor;
use fer_train::judge::calibrate::card_figures::{calibrated, card_metrics, measured};
use fer_train::judge::evaluate::evaluate;
use fer_train::judge::predictions_csv::predictions_csv;
use fer_train::judge::summary::{Summary, protocol};
use fer_train::report::report_html;
use insta::assert_snapshot;

use crate::fixtures::{card, judged, net, pretend, samples};

#[test]
fn every_image_is_judged_once_and_in_order() {
    let samples = samples(40);
    let evaluation = judged(&samples);
    assert_eq!(evaluation.n(), 280);
    assert_eq!(evaluation.predictions.len(), 280);
    let labels: Vec<usize> = samples.samples.iter().map(|sample| sample.label).collect();
    assert_eq!(evaluation.truth, labels);
}

#[test]
fn ctrl_c_stops_with_the_number_of_images_done() {
    let predictor = predictor(&net(), card());
    let error = evaluate(&predictor, &samples(40), Tta::None, |_| ControlFlow::Break(())).unwrap_err();
    assert_snapshot!(error.to_string(), @"interrupted after 256 of 280 images; nothing was written");
}

#[test]
fn data_of_other_classes_is_refused() {
    let mut cats = samples(1);
    cats.labels = Labels::custom(vec!["cat".to_owned()]);
    let predictor = predictor(&net(), card());
    let error = evaluate(&predictor, &cats, Tta::None, |_| ControlFlow::Continue(())).unwrap_err();
    assert_snapshot!(error.to_string(), @"model card, against the data's classes: label order is angry, disgust, fear, happy, neutral, sad, surprise, expected cat");
}

#[test]
fn images_that_stand_in_the_training_data_are_left_out() {
    // 14 images; the first ten are right. Two right and one wrong stand in training, one of them
    // under another label: pixels decide.
    let samples = samples(2);
    let evaluation = pretend(&samples, |idx, label| if idx < 10 { label } else { (label + 1) % 7 });
    let mut train = fer_drawn::samples(Split::Train, 1, 7);
    for idx in [0, 3, 12] {
        train.samples.push(samples.samples[idx].clone());
    }
    train.samples.last_mut().unwrap().label = 0;
    let unseen = evaluation.unseen(&samples, &train);
    assert_eq!((unseen.n, unseen.n_removed), (11, 3));
    assert!((unseen.accuracy - 8.0 / 11.0).abs() < 1e-12);
}

#[test]
fn the_summary_reads_as_a_table_of_figures() {
    let samples = samples(2);
    let evaluation = pretend(&samples, |idx, label| if idx < 10 { label } else { (label + 1) % 7 });
    let mut card = card();
    card.training.validation_sha256 = samples.hash();
    let line = protocol(&card, "models/tiny", "faces.csv", &samples, Part::Split(samples.split), Tta::Flip);
    let text = Summary::new(&evaluation, line, None).to_text();
    // Four of two images a class are wrong, each taken for the next class: F1 4/5, 1, 1, 2/3 and
    // three times 1/2. Their labels share the last place with others, so top-2 gains nothing.
    let head: Vec<&str> = text.lines().take(12).collect();
    assert_snapshot!(head.join("\n"), @r"
    models/tiny (tiny, 95495 parameters), selected by highest validation accuracy, epoch 3 of 4; judged on 14 images of faces.csv, validation split, which selected the model: optimistic; test-time augmentation flip

    accuracy            71.43 %  95 % interval 45.35 to 88.28 %
    balanced accuracy   71.43 %  mean recall over classes
    macro-F1            70.95 %  every class counts equally
    top-2               71.43 %  the label is among the two most probable
    NLL                  1.1662  nats, before the temperature
    Brier                0.5072  0 to 2, before the temperature
    ECE                 16.08 %  15 bins, before the temperature
    ECE by chance       10.60 %  ± 8.01 %: of a perfectly calibrated model as sure as this
    speed                   280  images a second, loading not counted
    uncalibrated: fer-eval calibrate fits a temperature
    ");
}

#[test]
fn the_json_has_the_agreed_names_in_their_order() {
    let samples = samples(1);
    let summary = Summary::new(&judged(&samples), "line".to_owned(), None);
    let json = summary.to_json();
    let keys: Vec<&str> = json
        .lines()
        .filter(|line| line.starts_with("  \""))
        .map(|line| line.trim().split('"').nth(1).unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "n",
            "n_left_out",
            "accuracy",
            "accuracy_ci95",
            "balanced_accuracy",
            "macro_f1",
            "top2",
            "nll",
            "brier",
            "ece",
            "nll_calibrated",
            "brier_calibrated",
            "ece_calibrated",
            "ece_by_chance",
            "per_class",
            "confusion_matrix",
            "images_per_second",
            "protocol"
        ]
    );
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["per_class"]["happy"]["support"], 1);
    assert_eq!(value["confusion_matrix"].as_array().unwrap().len(), 7);
}

#[test]
fn the_csv_has_one_row_an_image_that_reads_back_exactly() {
    let samples = samples(2);
    let evaluation = judged(&samples);
    let csv = String::from_utf8(predictions_csv(&evaluation, &samples).unwrap()).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "source,label,prediction,angry,disgust,fear,happy,neutral,sad,surprise");
    assert_eq!(lines.len(), 15);
    let fields: Vec<&str> = lines[4].split(',').collect();
    assert_eq!(fields[..2], [samples.samples[3].source.to_string().as_str(), "happy"]);
    let probabilities: Vec<f32> = fields[3..].iter().map(|field| field.parse().unwrap()).collect();
    assert_eq!(probabilities, evaluation.predictions[3].probabilities);
}

#[test]
fn the_protocol_says_what_the_judged_images_had_to_do_with_the_model() {
    let (validation, train) = (samples(1), fer_drawn::samples(Split::Train, 1, 7));
    let mut card = card();
    card.training.validation_sha256 = validation.hash();
    card.training.train_sha256 = train.hash();
    let line =
        |samples: &Samples| protocol(&card, "m", "drawn", samples, Part::Split(samples.split), Tta::None);
    assert!(line(&validation).contains("validation split, which selected the model: optimistic"));
    assert!(line(&train).contains("train split, which fitted the weights"));
    // Another validation or training split may be an image less than the one that made this model.
    let words = "validation split, not the same images as the card's: they may have selected the model";
    assert!(line(&samples(2)).contains(words));
    let words = "train split, not the same images as the card's: they may have fitted the weights";
    assert!(line(&fer_drawn::samples(Split::Train, 2, 7)).contains(words));
    assert!(
        line(&fer_drawn::samples(Split::Test, 1, 7))
            .contains("test split, which chose nothing of this model")
    );
}

#[test]
fn calibrating_on_other_images_leaves_the_figures_of_the_validation_split() {
    let (validation, others) = (samples(2), samples(3));
    let mut card = card();
    card.training.validation_sha256 = validation.hash();
    card.validation = Some(card_metrics(&judged(&validation)));
    let predict = |idx: usize, label: usize| if idx < 9 { label } else { (label + 1) % 7 };
    let on_others = calibrated(&card, &pretend(&others, predict), &others, "others.csv").unwrap();
    assert_ne!(on_others.temperature, 1.0);
    assert_eq!(on_others.validation, card.validation);
    let noted = on_others.calibration.unwrap();
    assert_eq!((noted.data.as_str(), noted.n, noted.sha256), ("others.csv", 21, others.hash()));
    let evaluation = pretend(&validation, predict);
    let on_validation = calibrated(&card, &evaluation, &validation, "faces.csv").unwrap();
    assert_eq!(on_validation.validation, Some(card_metrics(&evaluation)));
}

#[test]
fn a_card_is_filled_in_with_what_was_measured() {
    let samples = samples(2);
    let net = net();
    let measured = measured(card(), &net, &samples).unwrap();
    let predictor = predictor(&net, card());
    let evaluation = evaluate(&predictor, &samples, Tta::None, |_| ControlFlow::Continue(())).unwrap();
    let metrics = measured.validation.clone().unwrap();
    assert_eq!(metrics.n, 14);
    assert_eq!(metrics.accuracy, evaluation.confusion_matrix().accuracy());
    assert_eq!(fer_model::ModelCard { validation: None, ..measured }, card());
}

#[test]
fn a_figure_is_the_same_in_every_output() {
    let samples = samples(4);
    let mut evaluation = pretend(&samples, |idx, label| if idx % 3 == 0 { (label + 1) % 7 } else { label });
    evaluation.temperature = 1.3;
    let unseen = evaluation.unseen(&samples, &fer_drawn::samples(Split::Train, 1, 7));
    let summary = Summary::new(&evaluation, String::new(), Some(unseen));
    let (text, json) = (summary.to_text(), serde_json::to_value(&summary).unwrap());
    let html = report_html(&evaluation, &summary, &samples);
    assert_eq!(summary.rows().len(), 13);
    for row in summary.rows() {
        let line = text.lines().find(|line| line.starts_with(&format!("{:<18} ", row.name))).unwrap();
        assert!(line.contains(&row.shown()) && line.ends_with(&row.remark()), "{line}");
        let cells = format!("<th>{}</th><td>{}</td><th>{}</th>", row.name, row.shown(), row.remark());
        assert!(html.contains(&cells), "{cells}");
        let value = json[row.key].as_f64().or_else(|| json[row.key]["accuracy"].as_f64());
        assert_eq!(value, Some(row.value), "{}", row.key);
    }
    let card = serde_json::to_value(card_metrics(&evaluation)).unwrap();
    for (key, value) in card.as_object().unwrap() {
        assert_eq!(value.as_f64(), json[key].as_f64(), "{key}");
    }
}

/// Finite weights can still be too large: the head's sums are then infinite.
#[test]
fn a_network_whose_logits_are_no_numbers_is_not_judged() {
    struct Huge;
    impl burn::module::ModuleMapper for Huge {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<burn::tensor::Tensor<D>>,
        ) -> burn::module::Param<burn::tensor::Tensor<D>> {
            // The head's weight is the network's only matrix.
            param.map(|tensor| if D == 2 { tensor.sign() * 3e38 } else { tensor })
        }
    }
    let net = burn::module::Module::map(net(), &mut Huge);
    let predictor = predictor(&net, card());
    let error = evaluate(&predictor, &samples(1), Tta::None, |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    // Which image is the first depends on the weights, which are random.
    let words =
        ": the network's logits are not finite; its weights are too large to use, take another checkpoint";
    assert!(error.to_string().starts_with("drawn 7/") && error.to_string().ends_with(words), "{error}");
}
