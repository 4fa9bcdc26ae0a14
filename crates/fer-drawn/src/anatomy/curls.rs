//! Curls: round locks around the skull and over the forehead.
//! In: a [`Sitter`]. Out: the cloud behind the head, and its edge over the face.

use tiny_skia::Mask;

use super::{placement::on_forehead, sitter::Sitter};
use crate::brush::{Canvas, Dice, P, Shape};

/// Curls standing out around the skull, lit from one side.
pub(super) fn cloud(canvas: &mut Canvas, s: &Sitter<'_>) {
    let (out, size) = (0.3, 0.21);
    let ink = s.person.hair.ink;
    let shape = curls(s, out, size);
    let u = |length: f32| s.place.px(length);
    canvas.fill(&shape, ink.times(0.9).at(1.0), None);
    let clip = canvas.mask(&shape);
    let lit = s.place.deep([0.55 * s.light, -1.15 - 0.5 * out], 0.0);
    canvas.soft(lit, [u(1.1), u(0.8)], 0.0, ink.light(0.4).at(0.35), Some(&clip));
    let low = s.place.deep([0.0, 0.35], 0.0);
    canvas.soft(low, [u(1.9), u(1.0)], 0.0, ink.times(0.35).at(0.7), Some(&clip));
}

/// A cloud of round locks around the skull.
fn curls(s: &Sitter<'_>, out: f32, size: f32) -> Shape {
    let dice = &mut Dice::new(&[s.person.seed, 0xC0B1]);
    let mut locks = Vec::new();
    let n = 34;
    for i in 0..n {
        // From behind one ear over the crown to the other.
        let angle = (-0.14 + 1.28 * i as f32 / (n - 1) as f32) * std::f32::consts::PI;
        let (sin, cos) = angle.sin_cos();
        let far = 1.0 + out * dice.range(0.8, 1.05);
        let p = [-cos * 0.93 * far, -0.35 - sin * 1.02 * far];
        locks.push((s.place.deep(p, -0.1), s.place.px(size * dice.range(0.85, 1.2))));
    }
    locks.push((s.place.deep([0.0, -0.5], -0.1), s.place.px(1.0 + 0.75 * out)));
    Shape::circles(&locks)
}

/// The edge of curls over the forehead and temples.
pub(super) fn edge(canvas: &mut Canvas, s: &Sitter<'_>, head: &Mask) {
    let dice = &mut Dice::new(&[s.person.seed, 0xC0B2]);
    let ink = s.person.hair.ink;
    let size = 0.21;
    let mut locks: Vec<(P, f32)> = Vec::new();
    for i in 0..15 {
        let angle = (0.02 + 0.96 * i as f32 / 14.0) * std::f32::consts::PI;
        let p = [-angle.cos() * 0.95, -0.22 - angle.sin() * (0.84 + dice.bell(0.03))];
        locks.push((s.place.deep(p, on_forehead(p) * 0.9), s.place.px(size * dice.range(0.85, 1.2))));
        let p = [p[0] * 0.98, p[1] - 0.24];
        locks.push((s.place.deep(p, 0.2), s.place.px(size * dice.range(0.95, 1.3))));
    }
    for i in 0..8 {
        let p = [-0.75 + 1.5 * i as f32 / 7.0, -1.34 + 0.22 * ((i as f32 - 3.5) / 3.5).powi(2)];
        locks.push((s.place.deep(p, 0.1), s.place.px(0.30 * dice.range(0.9, 1.15))));
    }
    let shadow: Vec<(P, f32)> = locks
        .iter()
        .map(|&(p, r)| ([p[0] - s.place.px(0.03) * s.light, p[1] + s.place.px(0.07)], r))
        .collect();
    canvas.fill(&Shape::circles(&shadow), s.shadow(0.75).at(0.38), Some(head));
    let shape = Shape::circles(&locks);
    canvas.fill(&shape, ink.at(1.0), None);
    let clip = canvas.mask(&shape);
    for &(p, r) in &locks {
        let lit = [p[0] + 0.3 * r * s.light, p[1] - 0.35 * r];
        canvas.soft(lit, [r * 0.8, r * 0.6], 0.3, ink.light(0.45).at(0.35), Some(&clip));
        canvas.soft([p[0], p[1] + 0.6 * r], [r * 0.9, r * 0.5], 0.0, ink.times(0.4).at(0.4), Some(&clip));
    }
}
