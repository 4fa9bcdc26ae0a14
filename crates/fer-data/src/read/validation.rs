//! Train samples → train and validation samples, for data without a validation split.
//! In: samples, a share and a seed. Out: both parts in their old order, stratified by label.

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

use crate::{Sample, face::equal};

/// Carves about `fraction` of every label's samples off, by seed; returns (train, validation).
///
/// Copies of a face stay together, so that no validation face stands in train. A label of two
/// distinct faces or more keeps at least one on either side.
pub(super) fn carve(samples: Vec<Sample>, fraction: f32, seed: u64) -> (Vec<Sample>, Vec<Sample>) {
    let chosen = choose(&samples, fraction, seed);
    let (mut train, mut validation) = (Vec::new(), Vec::new());
    for (sample, chosen) in samples.into_iter().zip(chosen) {
        if chosen { validation.push(sample) } else { train.push(sample) }
    }
    (train, validation)
}

fn choose(samples: &[Sample], fraction: f32, seed: u64) -> Vec<bool> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = vec![false; samples.len()];
    for mut groups in groups_by_label(samples) {
        groups.shuffle(&mut rng);
        let n: usize = groups.iter().map(Vec::len).sum();
        let wanted = (n as f32 * fraction).round().max(1.0) as usize;
        let mut taken = 0;
        let keep_one = groups.len().saturating_sub(1);
        for group in groups.iter().take(keep_one) {
            if taken >= wanted {
                break;
            }
            taken += group.len();
            group.iter().for_each(|&i| chosen[i] = true);
        }
    }
    chosen
}

/// Indices of equal faces, grouped, under the label of the first.
fn groups_by_label(samples: &[Sample]) -> Vec<Vec<Vec<usize>>> {
    let groups = equal::groups(samples.iter().map(|sample| &sample.face));
    let n_labels = samples.iter().map(|sample| sample.label + 1).max().unwrap_or(0);
    let mut by_label = vec![Vec::new(); n_labels];
    groups.into_iter().for_each(|group| by_label[samples[group[0]].label].push(group));
    by_label
}
