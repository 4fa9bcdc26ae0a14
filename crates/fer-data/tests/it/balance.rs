//! Orders of an epoch, and class weights.

use fer_data::balance::{balanced_order, class_weights, shuffled_order};

#[test]
fn a_shuffled_order_has_every_index_once_and_changes_by_epoch() {
    let order = shuffled_order(1000, 7, 1);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..1000));
    assert_eq!(order, shuffled_order(1000, 7, 1));
    assert_ne!(order, shuffled_order(1000, 7, 2));
    assert_ne!(order, shuffled_order(1000, 8, 1));
}

#[test]
fn a_balanced_order_shows_every_class_equally_often() {
    let labels: Vec<usize> = (0..1000).map(|i| if i < 900 { 0 } else { 1 + i % 2 }).collect();
    let order = balanced_order(&labels, 7, 1);
    assert_eq!(order.len(), 1000);
    let mut counts = [0; 3];
    order.iter().for_each(|&i| counts[labels[i]] += 1);
    assert!(counts.iter().all(|n| (333..=334).contains(n)), "{counts:?}");
    assert_eq!(order, balanced_order(&labels, 7, 1));
    assert_ne!(order, balanced_order(&labels, 7, 2));
}

#[test]
fn a_rare_class_uses_all_its_samples_before_it_repeats_one() {
    let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= 90)).collect();
    let order = balanced_order(&labels, 1, 1);
    let mut used = [0; 100];
    order.iter().for_each(|&i| used[i] += 1);
    assert!(used[90..].iter().all(|&n| n == 5), "{used:?}");
    assert!(used[..90].iter().all(|&n| n <= 1));
}

#[test]
fn an_empty_class_is_passed_over_and_no_labels_give_no_order() {
    let order = balanced_order(&[0, 2, 2, 2], 1, 1);
    assert_eq!(order.iter().filter(|&&i| i == 0).count(), 2);
    assert!(balanced_order(&[], 1, 1).is_empty());
}

#[test]
fn class_weights_are_inverse_frequencies_with_mean_one() {
    assert_eq!(class_weights(&[10, 10]), [1.0, 1.0]);
    assert_eq!(class_weights(&[10, 30]), [1.5, 0.5]);
    assert_eq!(class_weights(&[10, 0, 30]), [1.5, 0.0, 0.5]);
    assert_eq!(class_weights(&[0, 0]), [0.0, 0.0]);
}
