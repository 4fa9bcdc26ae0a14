//! The predictor: the same answer however it is asked.

use std::fs;

use fer_model::checkpoint::{CARD_FILE, WEIGHTS_FILE};
use fer_model::{ModelFiles, Prediction, Predictor, Tta, softmax};
use fer_net::{Frozen, checkpoint::save, predictor};
use tempfile::tempdir;

use crate::fixtures::net;
use crate::model::{card, faces};

fn largest_difference(a: &[Prediction], b: &[Prediction]) -> f32 {
    assert_eq!(a.len(), b.len());
    let rows = a.iter().zip(b);
    let pairs = rows.flat_map(|(a, b)| a.logits.iter().zip(&b.logits));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_predictor_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Predictor>();
}

#[test]
fn results_do_not_depend_on_the_batch_size() {
    let predictor = predictor(&net(), card());
    let faces = faces(21);
    for tta in Tta::ALL {
        let at_once = predictor.clone().with_batch_size(1024).predict(&faces, tta);
        for batch_size in [1, 2, 5, 16, 21] {
            let batched = predictor.clone().with_batch_size(batch_size).predict(&faces, tta);
            // 1e-5: other batch sizes may sum in another order, nothing else.
            let difference = largest_difference(&at_once, &batched);
            assert!(difference <= 1e-5, "{tta}, batch {batch_size}: {difference}");
        }
    }
}

#[test]
fn no_faces_give_no_predictions() {
    assert!(predictor(&net(), card()).predict(&[], Tta::TenCrop).is_empty());
}

#[test]
fn different_faces_give_different_logits() {
    let predictions = predictor(&net(), card()).predict(&faces(7), Tta::None);
    assert!(largest_difference(&predictions[..1], &predictions[3..4]) > 1e-4);
}

#[test]
fn probabilities_are_the_softmax_of_logits_over_the_temperature() {
    let mut card = card();
    card.temperature = 2.0;
    for prediction in predictor(&net(), card).predict(&faces(4), Tta::Flip) {
        assert!((prediction.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let expected: Vec<f32> = softmax(&prediction.logits, 2.0).into_iter().map(|p| p as f32).collect();
        assert_eq!(prediction.probabilities, expected);
        let largest = prediction.probabilities.iter().copied().fold(0.0, f32::max);
        assert_eq!(prediction.confidence(), largest);
    }
}

#[test]
fn flip_averaging_reads_a_face_and_its_mirror_image_alike() {
    let predictor = predictor(&net(), card());
    let faces = faces(3);
    let mirrored: Vec<_> = faces.iter().map(|face| Tta::Flip.views(face)[1].clone()).collect();
    let difference =
        largest_difference(&predictor.predict(&faces, Tta::Flip), &predictor.predict(&mirrored, Tta::Flip));
    // The same two rows of logits, summed in the other order.
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn a_model_in_memory_reads_as_its_folder_does() {
    let folder = tempdir().unwrap();
    save(folder.path(), &net(), &card()).unwrap();
    let card_json = fs::read(folder.path().join(CARD_FILE)).unwrap();
    let weights = fs::read(folder.path().join(WEIGHTS_FILE)).unwrap();
    let files = ModelFiles { card_json: &card_json, weights: &weights };
    let embedded = Predictor::from_bytes(files).unwrap();
    let loaded = Predictor::load(folder.path()).unwrap();
    assert_eq!(embedded.predict(&faces(2), Tta::None), loaded.predict(&faces(2), Tta::None));
}

#[test]
fn logits_that_are_no_numbers_pass_no_threshold() {
    let said = Prediction::new(vec![0.0, f32::NAN, 2.0], 1.0);
    assert!(!said.is_finite() && said.confidence().is_nan());
    assert!(Prediction::new(vec![0.0, 1.0, 2.0], 1.0).is_finite());
}

#[test]
fn what_other_devices_read_is_what_the_folded_network_reads() {
    let (net, faces) = (net(), faces(3));
    let folded = predictor(&net, card()).predict(&faces, Tta::None);
    let unfolded = Predictor::new(Frozen::Unfolded(net), card()).predict(&faces, Tta::None);
    let difference = largest_difference(&folded, &unfolded);
    assert!(difference < 1e-4, "{difference}");
}
