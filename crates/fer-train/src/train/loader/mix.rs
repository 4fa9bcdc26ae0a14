//! How the faces of a step are mixed with each other.
//! In: strengths, a random stream; a step's images and targets. Out: both, mixed.

use std::ops::Range;

use burn::tensor::Tensor;
use fer_data::face::{PIXELS, SIDE};
use rand::{Rng, RngExt};

/// What becomes of each face of a step: it meets its mirror place in the batch, which the shuffle made random.
#[derive(Clone, Debug, PartialEq)]
pub enum Mix {
    /// Nothing.
    Off,
    /// Mixup (Zhang et al. 2017, arXiv 1710.09412): this share of itself, `0.5..1`, and the rest of the other.
    Blend(f32),
    /// CutMix (Yun et al. 2019, arXiv 1905.04899): these pixels are the other's, at most half of all.
    Paste {
        /// Rows of the other, inside `0..48`.
        rows: Range<usize>,
        /// Columns of the other, inside `0..48`.
        columns: Range<usize>,
    },
}

impl Mix {
    /// Draws for a step; of two strengths above 0 each has half of the steps. Either is the alpha of a Beta distribution.
    pub(super) fn draw(mixup: f32, cutmix: f32, rng: &mut impl Rng) -> Self {
        let is_cut = cutmix > 0.0 && (mixup <= 0.0 || rng.random());
        let alpha = if is_cut { cutmix } else { mixup };
        let share = if alpha > 0.0 { own_share(alpha, rng) } else { 1.0 };
        if share >= 1.0 {
            return Self::Off;
        }
        if !is_cut {
            return Self::Blend(share);
        }
        let side = SIDE as f32 * (1.0 - share).sqrt();
        let mut along = || {
            let middle = rng.random::<f32>() * SIDE as f32;
            let clamp = |edge: f32| edge.round().clamp(0.0, SIDE as f32) as usize;
            clamp(middle - side / 2.0)..clamp(middle + side / 2.0)
        };
        let (rows, columns) = (along(), along());
        if rows.is_empty() || columns.is_empty() { Self::Off } else { Self::Paste { rows, columns } }
    }

    /// Mixes faces `[N, 1, 48, 48]` and label distributions `[N, n_logits]`; these by the shares of the pixels.
    #[must_use]
    pub fn apply(self, images: Tensor<4>, targets: Tensor<2>) -> (Tensor<4>, Tensor<2>) {
        let (images, share) = match self {
            Self::Off => return (images, targets),
            Self::Blend(share) => (images.clone() * share + images.flip([0]) * (1.0 - share), share),
            Self::Paste { rows, columns } => {
                let share = 1.0 - (rows.len() * columns.len()) as f32 / PIXELS as f32;
                let place = [0..images.dims()[0], 0..1, rows, columns];
                let other = images.clone().flip([0]).slice(place.clone());
                (images.slice_assign(place, other), share)
            }
        };
        (images, targets.clone() * share + targets.flip([0]) * (1.0 - share))
    }
}

/// Draws a face's share of itself from Beta(alpha, alpha), folded to `0.5..=1` so that its own label leads.
///
/// Beta by Jöhnk's rejection (1964), exact for any alpha and quick for the small ones in use.
fn own_share(alpha: f32, rng: &mut impl Rng) -> f32 {
    let power = 1.0 / f64::from(alpha);
    loop {
        let x = rng.random::<f64>().powf(power);
        let y = rng.random::<f64>().powf(power);
        let sum = x + y;
        if sum > 0.0 && sum <= 1.0 {
            let share = x / sum;
            return share.max(1.0 - share) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use fer_data::augment::rng_for;

    use super::*;

    #[test]
    fn pasted_pixels_are_the_others_and_labels_follow_their_share() {
        let device = Device::flex();
        let faces: Vec<f32> = (0..2 * PIXELS).map(|idx| (idx / PIXELS) as f32).collect();
        let images = Tensor::<4>::from_data(TensorData::new(faces, [2, 1, SIDE, SIDE]), &device);
        let targets = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
        let (images, targets) = Mix::Paste { rows: 0..24, columns: 12..36 }.apply(images, targets);
        let pixels: Vec<f32> = images.into_data().iter().collect();
        for (idx, pixel) in pixels.into_iter().enumerate() {
            let (face, row, column) = (idx / PIXELS, idx % PIXELS / SIDE, idx % SIDE);
            let is_pasted = row < 24 && (12..36).contains(&column);
            assert_eq!(pixel, if is_pasted { 1 - face } else { face } as f32, "face {face}, {row}, {column}");
        }
        assert_eq!(targets.into_data().iter::<f32>().collect::<Vec<_>>(), [0.75, 0.25, 0.25, 0.75]);
    }

    #[test]
    fn each_strength_draws_its_kind_and_never_most_of_another_face() {
        let draw = |mixup, cutmix, step| Mix::draw(mixup, cutmix, &mut rng_for(1, 1, step));
        let (mut n_blends, mut n_pastes) = (0, 0);
        for step in 0..200 {
            assert_eq!(draw(0.0, 0.0, step), Mix::Off);
            assert!(!matches!(draw(1.0, 0.0, step), Mix::Paste { .. }));
            assert!(!matches!(draw(0.0, 1.0, step), Mix::Blend(_)));
            match draw(1.0, 1.0, step) {
                Mix::Off => {}
                Mix::Blend(share) => {
                    n_blends += 1;
                    assert!((0.5..1.0).contains(&share), "{share}");
                }
                Mix::Paste { rows, columns } => {
                    n_pastes += 1;
                    assert!(rows.end <= SIDE && columns.end <= SIDE, "{rows:?} {columns:?}");
                    // A side is rounded to whole pixels.
                    assert!(rows.len() * columns.len() <= 35 * 35, "{rows:?} {columns:?}");
                }
            }
        }
        assert!(n_blends > 60 && n_pastes > 60, "{n_blends} {n_pastes}");
    }
}
