//! Crops to learn from: faces as a detector may frame them, and as none should.
//! In: faces. Out: faces, the same for the same seed.

use fer_data::Face;
use fer_data::augment::{Augment, Warp, resample, rng_for};
use rand::{Rng, RngExt};

/// As a camera and a detector give faces: also dark, flat, small, noisy and a little off.
fn variation() -> Augment {
    Augment {
        rotation_degrees: 20.0,
        scale: 0.2,
        brightness: 0.75,
        contrast: 0.5,
        degrade: 0.4,
        erase: 0.0,
        ..Augment::fer2013()
    }
}

/// Each face, varied `n` times.
#[must_use]
pub(super) fn varied(faces: &[&Face], n: u64, seed: u64) -> Vec<Face> {
    let variation = variation();
    let vary = |(face, at): (&&Face, u64)| variation.apply(face, &mut rng_for(seed, 0, at));
    (0..n).flat_map(|round| faces.iter().zip(round * faces.len() as u64..)).map(vary).collect()
}

/// Each face as no detector should frame it: a part of it, its edge, upside down.
#[must_use]
pub(super) fn badly_framed(faces: &[&Face], seed: u64) -> Vec<Face> {
    let tone = Augment { shift: 0.0, scale: 0.0, rotation_degrees: 0.0, flip: 0.0, ..variation() };
    let reframe = |(face, at): (&&Face, u64)| {
        let mut rng = rng_for(seed, 1, at);
        tone.apply(&resample(face, &wrong_frame(&mut rng)), &mut rng)
    };
    faces.iter().zip(0..).map(reframe).collect()
}

/// A map that leaves of a face what is none.
fn wrong_frame(rng: &mut impl Rng) -> Warp {
    let mut uniform = |least: f32, most: f32| rng.random_range(least..=most);
    let (right, down) = (uniform(-0.6, 0.6), uniform(-0.6, 0.6));
    match uniform(0.0, 4.0) as u32 {
        // A part, from an eye to a cheek with half a mouth; upright or turned.
        0 => Warp::rotate(uniform(-40.0, 40.0))
            .then(&Warp::magnify(uniform(2.2, 4.0)))
            .then(&Warp::shift(right, down)),
        1 => Warp::rotate(uniform(-90.0, 90.0))
            .then(&Warp::magnify(uniform(1.8, 3.0)))
            .then(&Warp::shift(right, down)),
        // The edge of a face: its centre at least half a face away.
        2 => {
            let (sin, cos) = uniform(0.0, std::f32::consts::TAU).sin_cos();
            let away = uniform(0.55, 0.8);
            Warp::magnify(uniform(0.8, 1.5)).then(&Warp::shift(away * cos, away * sin))
        }
        _ => Warp::rotate(180.0 + uniform(-30.0, 30.0)).then(&Warp::magnify(uniform(0.9, 1.5))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face whose grey value tells the place: 2 · column + row.
    fn places() -> Face {
        let mut face = Face::blank(0);
        for (at, pixel) in face.pixels_mut().iter_mut().enumerate() {
            *pixel = (2 * (at % 48) + at / 48) as u8;
        }
        face
    }

    #[test]
    fn a_wrong_frame_shows_a_part_or_an_edge_of_the_face_or_turns_it_over() {
        for at in 0..400 {
            let Warp { matrix: [[xx, xy], [yx, yy]], offset: [right, down] } =
                wrong_frame(&mut rng_for(SEED_OF_TEST, 0, at));
            // Share of the face's area that the frame is as large as, and where the frame's centre lies.
            let (area, away) = (xx * yy - xy * yx, right.hypot(down) / 48.0);
            let is_upside_down = xx + yy < 0.0;
            assert!(area < 0.35 || away > 0.35 || is_upside_down, "frame {at}: area {area}, {away} away");
        }
    }

    const SEED_OF_TEST: u64 = 9;

    #[test]
    fn crops_are_the_same_for_the_same_seed_and_differ_from_round_to_round() {
        let face = places();
        let twice = varied(&[&face], 2, 1);
        assert_eq!(twice, varied(&[&face], 2, 1));
        assert_ne!(twice[0], twice[1]);
        assert_ne!(badly_framed(&[&face], 1), badly_framed(&[&face], 2));
    }
}
