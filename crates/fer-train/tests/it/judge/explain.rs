//! What a prediction hangs on.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use fer_data::augment::rng_for;
use fer_data::{Emotion, Face};
use fer_model::{Predictor, Tta};
use fer_net::checkpoint;
use fer_train::judge::explain::heat_picture::heat_picture;
use fer_train::judge::explain::occlusion::{OcclusionMap, PATCH, PLACES, STRIDE};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::fixtures::cpu;

/// The smallest model that is shipped, whatever it was trained on.
fn trained() -> &'static Predictor {
    static TRAINED: OnceLock<Predictor> = OnceLock::new();
    TRAINED.get_or_init(|| Predictor::load(&tiny()).unwrap())
}

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny")
}

/// The same network with the weights of each of its layers in random order: what it learnt is gone, the
/// scales of its layers are as they were (Adebayo et al. 2018, arXiv 1810.03292).
fn shuffled(seed: u64) -> Predictor {
    struct Shuffle(ChaCha8Rng);
    impl ModuleMapper for Shuffle {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if D < 2 {
                return param;
            }
            param.map(|tensor| {
                let (shape, device) = (tensor.dims(), tensor.device());
                let mut weights: Vec<f32> = tensor.into_data().try_to_vec().unwrap();
                for idx in (1..weights.len()).rev() {
                    weights.swap(idx, self.0.random_range(0..=idx));
                }
                Tensor::from_data(TensorData::new(weights, shape), &device)
            })
        }
    }
    let (net, card) = checkpoint::load(&tiny(), &cpu()).unwrap();
    fer_net::predictor(&net.map(&mut Shuffle(rng_for(seed, 0, 0))), card)
}

/// How alike two maps are, `-1..=1`: their correlation.
fn likeness(a: &OcclusionMap, b: &OcclusionMap) -> f64 {
    let [a, b] = [a, b].map(|map| map.pixels().into_iter().map(f64::from).collect::<Vec<_>>());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
    };
    product(&a, mean_a, &b, mean_b)
        / (product(&a, mean_a, &a, mean_a) * product(&b, mean_b, &b, mean_b)).sqrt()
}

/// Drawn faces that the trained model reads rightly and surely.
fn sure(emotion: Emotion, n: usize) -> Vec<Face> {
    let faces = (0..200).map(|index| fer_drawn::face(11, index, emotion));
    let is_sure = |face: &Face| {
        let prediction = &trained().predict(std::slice::from_ref(face), Tta::None)[0];
        prediction.label() == emotion.index() && prediction.confidence() > 0.7
    };
    let faces: Vec<Face> = faces.filter(is_sure).take(n).collect();
    assert_eq!(faces.len(), n, "sure {emotion} faces");
    faces
}

#[test]
fn a_drop_is_what_covering_that_place_takes() {
    let face = fer_drawn::face(11, 3, Emotion::Happy);
    let map = OcclusionMap::new(trained(), &face, Emotion::Happy.index());
    assert_eq!((map.drops.len(), map.drops[0].len()), (PLACES, PLACES));
    let (left, top) = (7, 12);
    let mut covered = face.clone();
    for y in top * STRIDE..top * STRIDE + PATCH {
        covered.pixels_mut()[y * 48 + left * STRIDE..][..PATCH].fill(129);
    }
    let probability =
        |face: Face| trained().predict(&[face], Tta::None)[0].probabilities[Emotion::Happy.index()];
    let expected = probability(face) - probability(covered);
    assert!((map.drops[top][left] - expected).abs() < 1e-5, "{} {expected}", map.drops[top][left]);
}

#[test]
fn pixels_are_means_of_the_patches_over_them() {
    let mut drops = vec![vec![0.0; PLACES]; PLACES];
    drops[0][0] = 0.5;
    let map = OcclusionMap { label: 0, probability: 1.0, drops };
    let pixels = map.pixels();
    assert_eq!(pixels.len(), 48 * 48);
    // The corner is under one patch, the pixel at (2, 0) under two, that at (2, 2) under four.
    assert_eq!((pixels[0], pixels[2], pixels[2 * 48 + 2], pixels[10]), (0.5, 0.25, 0.125, 0.0));
    assert_eq!(map.peak(), (0.5, [5, 5]));
}

#[test]
fn a_network_that_learnt_nothing_gives_another_map() {
    let label = Emotion::Happy.index();
    for (seed, face) in (1..).zip(sure(Emotion::Happy, 6)) {
        let map = OcclusionMap::new(trained(), &face, label);
        let again = OcclusionMap::new(trained(), &face, label);
        assert!(likeness(&map, &again) > 0.999, "the same network, the same map");
        let random = OcclusionMap::new(&shuffled(seed), &face, label);
        let likeness = likeness(&map, &random);
        // The correlations seen are -0.41 to 0.18.
        assert!(likeness < 0.5, "{likeness}");
    }
}

#[test]
fn happy_drawn_faces_hang_on_the_mouth() {
    let faces = sure(Emotion::Happy, 10);
    let mut n_mouth = 0;
    for face in &faces {
        let map = OcclusionMap::new(trained(), face, Emotion::Happy.index());
        let (_, [x, y]) = map.peak();
        n_mouth += usize::from(y >= 28 && (10..38).contains(&x));
    }
    assert!(n_mouth >= 8, "{n_mouth} of {}", faces.len());
}

#[test]
fn the_picture_shows_the_face_and_colours_it_where_the_map_is_strong() {
    let face = Face::blank(100);
    let mut drops = vec![vec![0.0; PLACES]; PLACES];
    (drops[0][0], drops[PLACES - 1][PLACES - 1]) = (0.4, -0.2);
    let picture = heat_picture(&face, &OcclusionMap { label: 0, probability: 0.9, drops });
    assert_eq!(picture.dimensions(), (384, 384));
    let [r, _, b] = picture.get_pixel(0, 0).0;
    assert!(r > 150 && b < 80, "red where the label loses");
    let [r, _, b] = picture.get_pixel(383, 383).0;
    assert!(b > 110 && r < 90, "blue where it gains");
    assert_eq!(picture.get_pixel(192, 192).0, [100; 3], "bare elsewhere");
    let flat = OcclusionMap { label: 0, probability: 0.9, drops: vec![vec![0.0; PLACES]; PLACES] };
    assert!(heat_picture(&face, &flat).pixels().all(|pixel| pixel.0 == [100; 3]));
}
