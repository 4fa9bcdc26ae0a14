//! The order of an epoch, and what to do about rare classes.
//! In: labels or their counts, a seed and an epoch. Out: indices, or class weights.

use rand::seq::SliceRandom;

use crate::augment::rng_for;

/// Marks the generators of this file off from those of samples, whose last number is an index.
const ORDER: u64 = u64::MAX;
const BALANCED: u64 = u64::MAX - 1;

/// Every index below `n` once, in an order that (seed, epoch) fixes.
#[must_use]
pub fn shuffled_order(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut rng_for(seed, epoch, ORDER));
    order
}

/// As many indices as there are labels, every class that occurs equally often (to within one), in
/// an order that (seed, epoch) fixes.
///
/// A class repeats none of its samples before all of them have been used.
#[must_use]
pub fn balanced_order(labels: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let mut rng = rng_for(seed, epoch, BALANCED);
    let mut classes = indices_by_class(labels);
    classes.retain(|members| !members.is_empty());
    // Which classes get the one sample more changes from epoch to epoch.
    classes.shuffle(&mut rng);
    let (n, n_classes) = (labels.len(), classes.len());
    let mut order = Vec::with_capacity(n);
    for (i, members) in classes.iter_mut().enumerate() {
        let wanted = order.len() + n / n_classes + usize::from(i < n % n_classes);
        while order.len() < wanted {
            members.shuffle(&mut rng);
            order.extend(members.iter().take(wanted - order.len()));
        }
    }
    order.shuffle(&mut rng);
    order
}

/// Inverse-frequency weights, `[classes]`, with mean 1 over the classes that occur; a class without
/// samples weighs 0.
#[must_use]
pub fn class_weights(counts: &[usize]) -> Vec<f32> {
    let inverse = |&n: &usize| if n == 0 { 0.0 } else { 1.0 / n as f64 };
    let sum: f64 = counts.iter().map(inverse).sum();
    let n_present = counts.iter().filter(|&&n| n > 0).count() as f64;
    counts.iter().map(|n| (inverse(n) * n_present / sum.max(f64::MIN_POSITIVE)) as f32).collect()
}

fn indices_by_class(labels: &[usize]) -> Vec<Vec<usize>> {
    let n_classes = labels.iter().max().map_or(0, |most| most + 1);
    let mut classes = vec![Vec::new(); n_classes];
    labels.iter().enumerate().for_each(|(i, &label)| classes[label].push(i));
    classes
}
