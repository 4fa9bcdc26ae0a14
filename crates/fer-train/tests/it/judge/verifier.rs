//! One output more, fitted on drawn faces and drawn rooms.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fer_data::{ClassMap, Split};
use fer_drawn::Scene;
use fer_model::{Predictor, Tta, checkpoint::load_card};
use fer_net::checkpoint;
use fer_train::TrainError;
use fer_train::console::Watcher;
use fer_train::judge::input::{Cutting, Inputs};
use fer_train::judge::verifier::{Verifying, verify};

use crate::fixtures::cpu;

/// The shipped model, its verifier taken away.
fn bare(folder: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny");
    let (net, card) = checkpoint::load(&shipped, &cpu()).unwrap();
    let card = card.with_verifier(None).unwrap();
    let place = folder.join("bare");
    std::fs::create_dir(&place).unwrap();
    checkpoint::save(&place, &net.with_outputs(0..card.n_logits()), &card).unwrap();
    place
}

/// Ten empty rooms.
fn rooms(folder: &Path) {
    for seed in 0..10 {
        let room = Scene::new(seed, 0, 480, 360).frame(Duration::from_secs(seed));
        room.save(folder.join(format!("room-{seed}.png"))).unwrap();
    }
}

/// A folder of drawn faces with all three splits.
fn faces(folder: &Path) {
    for (split, per_class) in [(Split::Train, 20), (Split::Validation, 6)] {
        let samples = fer_drawn::samples(split, per_class, 3);
        for (idx, sample) in samples.samples.iter().enumerate() {
            let class = folder.join(split.name()).join(samples.labels.name(sample.label));
            std::fs::create_dir_all(&class).unwrap();
            sample.face.to_gray().save(class.join(format!("{idx}.png"))).unwrap();
        }
    }
}

fn go(model: PathBuf, folder: &Path, verifying: &Verifying) -> Result<String, TrainError> {
    let inputs = Inputs {
        model,
        data: folder.join("faces"),
        ferplus: None,
        skip_bad: false,
        validation_fraction: None,
        map: ClassMap::default(),
        cutting: Cutting::AsItIs,
    };
    let predictor = Predictor::load(&inputs.model).unwrap();
    let mut watcher = Watcher { progress: &mut |_, _| ControlFlow::Continue(()), notice: &|_| {} };
    verify(&predictor, &inputs, verifying, &mut watcher)
}

fn verifying(folder: &Path, fit: bool) -> Verifying {
    Verifying {
        scenery: folder.join("rooms"),
        fit,
        keep: 0.99,
        out: Some(folder.join("verified")),
        json: None,
        svg: None,
        command: "fer-eval verifier --fit".to_owned(),
    }
}

#[test]
fn a_fitted_verifier_knows_faces_from_rooms_and_leaves_every_expression_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["faces", "rooms"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    rooms(&folder.path().join("rooms"));
    faces(&folder.path().join("faces"));

    let model = bare(folder.path());
    let error = go(model.clone(), folder.path(), &verifying(folder.path(), false)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model has no verifier to judge: --fit fits one and writes it into the model"
    );

    go(model.clone(), folder.path(), &verifying(folder.path(), true)).unwrap();
    let before = Predictor::load(&model).unwrap();
    let after = Predictor::load(&folder.path().join("verified")).unwrap();
    let card = after.card();
    let verifier = card.verifier.as_ref().unwrap();
    assert_eq!(card.n_logits(), before.card().n_logits() + 1);
    assert!(verifier.faces_kept >= 0.95 && verifier.threshold > 0.0, "{verifier:?}");

    // Faces it has never seen, and rooms.
    let seen = fer_drawn::samples(Split::Test, 4, 8);
    let people: Vec<_> = seen.samples.iter().map(|sample| sample.face.clone()).collect();
    let wall = Scene::new(77, 0, 480, 360).frame(Duration::ZERO);
    let corner = |x, y, side| fer_vision::FaceBox { x, y, width: side, height: side, score: 1.0 };
    let places = [corner(10.0, 10.0, 90.0), corner(200.0, 60.0, 60.0), corner(330.0, 200.0, 120.0)];
    let walls = places.map(|place| fer_vision::crop(&wall, &place, 1.0));
    let score = |faces: &[fer_data::Face]| -> Vec<f32> {
        after.predict(faces, Tta::None).iter().map(|said| said.face_score.unwrap()).collect()
    };
    let mean = |scores: Vec<f32>| scores.iter().sum::<f32>() / scores.len() as f32;
    let (faces, none) = (mean(score(&people)), mean(score(&walls)));
    assert!(faces > 0.8 && none < 0.5, "faces {faces}, walls {none}");

    for tta in [Tta::None, Tta::Flip] {
        for (a, b) in before.predict(&people, tta).iter().zip(after.predict(&people, tta)) {
            assert_eq!((&a.logits, &a.probabilities), (&b.logits, &b.probabilities));
            assert_eq!(a.face_score, None);
        }
    }

    // Judged again it gives the figures of its card, and fitted again the same weights.
    let text = go(folder.path().join("verified"), folder.path(), &verifying(folder.path(), false)).unwrap();
    assert!(text.contains(&format!("{:.4}", verifier.threshold)), "{text}");
    let again = Verifying { out: None, ..verifying(folder.path(), true) };
    go(folder.path().join("verified"), folder.path(), &again).unwrap();
    let refitted = load_card(&folder.path().join("verified")).unwrap();
    assert_eq!(refitted.weights.sha256, card.weights.sha256);
}

#[test]
fn a_folder_with_hardly_a_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rooms")).unwrap();
    let error =
        go(bare(folder.path()), folder.path(), &verifying(folder.path(), true)).unwrap_err().to_string();
    assert!(error.ends_with("expected a folder with 5 pictures or more, found 0"), "{error}");
}
