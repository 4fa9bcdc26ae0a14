//! Softmax against rows worked by hand.

use fer_model::softmax;

#[test]
fn softmax_of_a_hand_worked_row() {
    // e^0 : e^ln2 : e^ln5 = 1 : 2 : 5, and at temperature 0.5 the squares 1 : 4 : 25.
    let logits = [0.0, 2.0_f32.ln(), 5.0_f32.ln()];
    for (temperature, expected) in [(1.0, [0.125, 0.25, 0.625]), (0.5, [1.0 / 30.0, 4.0 / 30.0, 25.0 / 30.0])]
    {
        for (p, e) in softmax(&logits, temperature).iter().zip(expected) {
            // 1e-7: the logits are rounded to f32.
            assert!((p - e).abs() < 1e-7, "{p} {e}");
        }
    }
    assert_eq!(softmax(&[1000.0, 1000.0], 1.0), [0.5, 0.5]);
}
