//! The program on other data: folders with other classes, whole folders, photographs, robustness, explanations.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use fer_data::Split;
use fer_drawn::Scene;
use fer_net::checkpoint::save;
use fer_vision::FaceBox;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::fixtures::{card, net};

fn model() -> TempDir {
    let folder = tempdir().unwrap();
    save(folder.path(), &net(), &card()).unwrap();
    folder
}

fn fer_eval(model: &Path, arguments: &[&str]) -> Output {
    let (command, options) = match arguments[0].starts_with("--") {
        true => (&arguments[..0], arguments),
        false => arguments.split_at(1),
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_fer-eval"));
    program.args(command).args(["--device", "cpu", "--model", text(model)]).args(options).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// Class folders of drawn faces: of each class the faces of an expression, under the class's name.
fn put_drawn(root: &Path, classes: &[(&str, usize)], per_class: usize) {
    let samples = fer_drawn::samples(Split::Test, per_class, 9);
    for (name, label) in classes {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        let faces = samples.samples.iter().filter(|sample| sample.label == *label);
        for (idx, sample) in faces.enumerate() {
            sample.face.to_gray().save(folder.join(format!("{idx}.png"))).unwrap();
        }
    }
}

#[test]
fn a_whole_folder_with_other_classes_is_judged_under_a_map() {
    let (model, data) = (model(), tempdir().unwrap());
    put_drawn(data.path(), &[("grin", 3), ("Anger", 0), ("contempt", 1), ("sad", 5)], 4);
    let judge = ["--data", text(data.path()), "--split", "whole", "--json", "-"];
    let refused = fer_eval(model.path(), &judge);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("--map contempt=<class> gives it another name, --map contempt=- leaves it out"));

    let map = ["--map", "grin=happy", "--map", "contempt=-"];
    let output = fer_eval(model.path(), &[&judge[..], &map].concat());
    let json = json(&output);
    assert_eq!(json["n"], 12);
    let protocol = json["protocol"].as_str().unwrap();
    let words = "left out by --map: contempt; no images of disgust, fear, neutral, surprise; \
                 macro figures are over the 3 classes with images";
    assert!(protocol.ends_with(words), "{protocol}");
    assert!(protocol.contains("whole folder, not the images that the card names"), "{protocol}");
    assert!(String::from_utf8_lossy(&output.stderr).contains(words));
    let f1 = |class: &str| json["per_class"][class]["f1"].as_f64().unwrap();
    let mean = ["happy", "angry", "sad"].map(f1).iter().sum::<f64>() / 3.0;
    assert!((json["macro_f1"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert_eq!(json["per_class"]["happy"]["support"], 4);
}

#[test]
fn damaged_samples_that_are_left_out_are_counted_in_every_output() {
    let (model, data) = (model(), tempdir().unwrap());
    put_drawn(data.path(), &[("happy", 3), ("sad", 5)], 4);
    let judge = ["--data", text(data.path()), "--split", "whole", "--skip-bad"];
    let whole = fer_eval(model.path(), &judge);
    assert!(!stdout(&whole).contains("left out"));
    assert_eq!(json(&fer_eval(model.path(), &[&judge[..], &["--json", "-"]].concat()))["n_left_out"], 0);

    fs::write(data.path().join("happy/cut.png"), "no picture").unwrap();
    fs::write(data.path().join("sad/empty.png"), "").unwrap();
    fs::write(data.path().join("sad/notes.txt"), "no sample").unwrap();
    let report = data.path().join("report.html");
    let said = stdout(&fer_eval(model.path(), &[&judge[..], &["--report", text(&report)]].concat()));
    assert_eq!(said.lines().nth(1), Some("2 damaged samples left out"), "{said}");
    assert!(fs::read_to_string(report).unwrap().contains("<p>2 damaged samples left out.</p>"));
    let json = json(&fer_eval(model.path(), &[&judge[..], &["--json", "-"]].concat()));
    assert_eq!((&json["n"], &json["n_left_out"]), (&Value::from(8), &Value::from(2)));
}

#[cfg(unix)]
#[test]
fn names_of_classes_and_files_do_not_reach_the_terminal_raw() {
    let (model, data) = (model(), tempdir().unwrap());
    put_drawn(data.path(), &[("happy", 3), ("sad", 5)], 2);
    fs::write(data.path().join("sad/\u{1b}[31m\r.png"), "no picture").unwrap();
    let judge = ["--data", text(data.path()), "--split", "whole", "--skip-bad"];
    let said = |output: Output, words: &str| {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words) && !said.contains(['\u{1b}', '\r']), "{said:?}");
    };
    said(fer_eval(model.path(), &judge), "sad/\\u{1b}[31m\\r.png: not a readable image");
    put_drawn(data.path(), &[("odd\u{1b}[31m\rclass", 3)], 2);
    said(fer_eval(model.path(), &judge), "--map odd\\u{1b}[31m\\rclass=<class> gives it another name");
}

#[test]
fn what_chooses_takes_no_whole_folder_and_no_test_split() {
    let (model, data) = (model(), tempdir().unwrap());
    put_drawn(data.path(), &[("happy", 3), ("sad", 5)], 2);
    let before = fs::read(model.path().join("card.json")).unwrap();
    for split in ["whole", "test"] {
        let output = fer_eval(model.path(), &["calibrate", "--data", text(data.path()), "--split", split]);
        assert_eq!(output.status.code(), Some(2), "{split}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("calibrate fits on the validation split only")
        );
    }
    assert_eq!(fs::read(model.path().join("card.json")).unwrap(), before);
    let twice =
        ["--data", text(data.path()), "--split", "whole", "--map", "joy=happy", "--map", "happiness=sad"];
    assert_eq!(fer_eval(model.path(), &twice).status.code(), Some(2));
    for (option, value) in [("--split", "whole"), ("--map", "sad=-"), ("--detect", "--skip-bad")] {
        let mut drawn = vec!["--data", "drawn", option, value];
        if option != "--split" {
            drawn.extend(["--split", "validation"]);
        }
        assert_eq!(fer_eval(model.path(), &drawn).status.code(), Some(2), "{option}");
    }
}

/// A scene of one person in which the detector's largest face is the person's, with the place of the face.
fn scene(seed: u64) -> (image::RgbImage, FaceBox) {
    let (scene, time) = (Scene::new(seed, 1, 480, 360), Duration::from_millis(2500));
    let truth = scene.truth(time)[0];
    let truth = FaceBox { x: truth.x, y: truth.y, width: truth.width, height: truth.height, score: 0.0 };
    (scene.frame(time), truth)
}

#[test]
fn photographs_are_searched_for_faces_and_those_without_count_in_a_second_accuracy() {
    let (model, data) = (model(), tempdir().unwrap());
    for (class, seeds) in [("happy", [2, 5]), ("sad", [7, 8])] {
        let folder = data.path().join(class);
        fs::create_dir_all(&folder).unwrap();
        for seed in seeds {
            scene(seed).0.save(folder.join(format!("{seed}.png"))).unwrap();
        }
    }
    let empty = data.path().join("sad/empty room.png");
    Scene::empty(4, 480, 360).frame(Duration::ZERO).save(&empty).unwrap();
    let judge = ["--data", text(data.path()), "--split", "whole", "--json", "-"];
    let scaled = json(&fer_eval(model.path(), &judge));
    assert_eq!((&scaled["n"], &scaled["accuracy_of_all_photographs"]), (&Value::from(5), &Value::Null));
    let output = fer_eval(model.path(), &[&judge[..], &["--detect"]].concat());
    let json = json(&output);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(json["n"], 4, "{stderr}");
    assert!(
        stderr.contains("1 photographs without a face left out:\n") && stderr.contains(text(&empty)),
        "{stderr}"
    );
    let [found, all] = ["accuracy", "accuracy_of_all_photographs"].map(|key| json[key].as_f64().unwrap());
    assert!((all - found * 4.0 / 5.0).abs() < 1e-12, "{found} {all}");
    let text = stdout(&fer_eval(model.path(), &["--data", judge[1], "--split", "whole", "--detect"]));
    assert!(
        text.contains("of all photographs") && text.contains("the 1 without a found face counted as wrong")
    );
}

#[test]
fn the_largest_face_of_a_scene_is_cut_where_it_is() {
    let finder = fer_train::judge::input::FaceFinder::new(1.02);
    for seed in [2, 5, 7, 8] {
        let (picture, truth) = scene(seed);
        let (found, face) = finder.largest(&picture).unwrap().unwrap();
        assert!(found.iou(&truth) > 0.5, "{seed}: {found:?}, expected {truth:?}");
        assert_eq!(face, fer_vision::crop(&picture, &found, 1.02));
    }
    assert!(finder.largest(&image::RgbImage::new(200, 200)).unwrap().is_none());
}

#[test]
fn robustness_of_clean_faces_is_the_judges_own_figure_and_the_same_every_time() {
    let (model, out) = (model(), tempdir().unwrap());
    let data = tempdir().unwrap();
    put_drawn(data.path(), &[("angry", 0), ("happy", 3), ("surprise", 6)], 6);
    let [first, second, markdown] = ["a.json", "b.json", "t.md"].map(|name| out.path().join(name));
    let source = ["--data", text(data.path()), "--split", "whole"];
    let judged = json(&fer_eval(model.path(), &[&source[..], &["--json", "-"]].concat()));
    let probe = [&["robustness"], &source[..]].concat();
    let text_out = stdout(&fer_eval(
        model.path(),
        &[&probe[..], &["--json", text(&first), "--markdown", text(&markdown)]].concat(),
    ));
    stdout(&fer_eval(model.path(), &[&probe[..], &["--json", text(&second), "--batch", "5"]].concat()));
    let [first, second] = [first, second].map(|path| fs::read_to_string(path).unwrap());
    assert_eq!(first, second);
    let table: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(table["n"], 18);
    for figure in ["accuracy", "macro_f1", "ece_calibrated"] {
        assert_eq!(table["clean"][figure], judged[figure], "{figure}");
    }
    let conditions = table["conditions"].as_array().unwrap();
    let drops: Vec<f64> = conditions.iter().map(|condition| condition["drop"].as_f64().unwrap()).collect();
    assert!(drops.len() >= 16 && drops.is_sorted_by(|a, b| a >= b), "the worst first: {drops:?}");
    assert!(text_out.contains("macro figures are over the 3 classes with images"));
    assert!(fs::read_to_string(markdown).unwrap().contains("| eyes covered"));
    let card = model.path().join("card.json");
    let refused = fer_eval(model.path(), &[&probe[..], &["--markdown", text(&card)]].concat());
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_photograph_is_explained_in_words_numbers_and_a_picture() {
    let (model, out) = (model(), tempdir().unwrap());
    let [photo, map, empty] = ["photo.png", "map.png", "empty.png"].map(|name| out.path().join(name));
    scene(5).0.save(&photo).unwrap();
    Scene::empty(4, 480, 360).frame(Duration::ZERO).save(&empty).unwrap();
    let explain = ["explain", "--input", text(&photo), "--label", "Happiness"];
    let numbers =
        json(&fer_eval(model.path(), &[&explain[..], &["--out", text(&map), "--json", "-"]].concat()));
    assert_eq!((&numbers["label"], numbers["drops"].as_array().unwrap().len()), (&Value::from("happy"), 20));
    assert!(numbers["face_box"]["width"].as_f64().unwrap() > 40.0);
    assert_eq!(image::open(&map).unwrap().to_rgb8().dimensions(), (384, 384));
    assert!(stdout(&fer_eval(model.path(), &explain)).starts_with("happy "));

    let cut = json(&fer_eval(model.path(), &[&explain[..], &["--cut", "--json", "-"]].concat()));
    assert_eq!(cut["face_box"], Value::Null);
    assert_ne!(cut["drops"], numbers["drops"], "the whole picture is another face");
    let refused = |arguments: &[&str], code, words: &str| {
        let output = fer_eval(model.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && stderr.contains(words), "{stderr}");
    };
    refused(
        &["explain", "--input", text(&empty)],
        3,
        "no face, expected a photograph with a face; --cut takes",
    );
    refused(&["explain", "--input", "/no.png"], 3, "/no.png: no such file");
    refused(
        &["explain", "--input", text(&photo), "--label", "wink"],
        2,
        "--label wink: the model has no such class",
    );
    refused(&["explain", "--input", text(&photo), "--out", text(&photo)], 2, "the same file as --input");
}
