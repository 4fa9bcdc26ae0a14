//! The head: its outline, ears, neck and shoulders, and how light lies on it.
//! In: a [`Sitter`]. Out: pixels under the features.

use tiny_skia::Mask;

use super::sitter::Sitter;
use crate::{
    brush::{Canvas, Dice, Ink, P, Shape},
    person::Muscle,
};

/// The head's outline, from the crown clockwise.
pub(super) fn outline(s: &Sitter<'_>) -> Shape {
    let shape = &s.person.shape;
    let drop = s.drop();
    let smile = 0.02 * s.m(Muscle::Cheek).max(0.0);
    let jaw = shape.jaw;
    let full = 0.03 * shape.cheeks + smile;
    // x, y, part of the jaw's drop, depth.
    let right = [
        [0.56, -1.27, 0.0, 0.0],
        [0.88, -0.86, 0.0, 0.0],
        [0.985, -0.30, 0.0, 0.0],
        [0.965, 0.18, 0.0, 0.0],
        [0.90 + full, 0.56, 0.25, 0.05],
        [0.72 * jaw + full, 0.95, 0.7, 0.12],
        [0.42 * jaw, 1.25, 1.0, 0.22],
    ];
    let place = |[x, y, fall, depth]: [f32; 4], side: f32| {
        let y = if y > 0.0 { y * shape.length } else { y };
        s.place.deep([side * x * shape.width, y + fall * drop], depth)
    };
    let mut points = vec![place([0.0, -1.40, 0.0, 0.0], 1.0)];
    points.extend(right.iter().map(|&p| place(p, 1.0)));
    let flat = 0.09 * shape.rugged;
    points.push(place([0.16 + flat, 1.345, 1.0, 0.25], 1.0));
    points.push(place([0.16 + flat, 1.345, 1.0, 0.25], -1.0));
    points.extend(right.iter().rev().map(|&p| place(p, -1.0)));
    Shape::closed(&points)
}

/// A point of the body, which stays when the head moves.
fn torso(s: &Sitter<'_>, p: P) -> P {
    // The neck's length was judged by eye.
    s.place.still([p[0], p[1] - 0.15])
}

/// Neck and shoulders, under everything.
pub(super) fn body(canvas: &mut Canvas, s: &Sitter<'_>) {
    let rugged = s.person.shape.rugged;
    let neck = 0.46 + 0.12 * rugged;
    let shoulder = 1.62 + 0.3 * rugged;
    let still = |points: &[P]| points.iter().map(|&p| torso(s, p)).collect::<Vec<_>>();
    let under_jaw = |side: f32| s.place.deep([side * neck, 0.9], -0.1);
    let mut points = vec![under_jaw(-1.0), under_jaw(1.0)];
    points.extend(still(&[[neck, 1.75], [neck + 0.25, 2.0], [0.0, 2.6], [-neck - 0.25, 2.0], [-neck, 1.75]]));
    let shape = Shape::polygon(&points);
    canvas.fill(&shape, s.shadow(0.34).at(1.0), None);
    let clip = canvas.mask(&shape);
    let under_chin = s.place.deep([0.0, 1.30 + s.drop()], -0.05);
    canvas.soft(under_chin, [s.place.px(0.95), s.place.px(0.62)], 0.0, s.shadow(0.9).at(0.95), Some(&clip));
    clothes(canvas, s, neck, shoulder);
}

fn clothes(canvas: &mut Canvas, s: &Sitter<'_>, neck: f32, shoulder: f32) {
    let ink = s.person.clothes;
    let still = |points: &[P]| points.iter().map(|&p| torso(s, p)).collect::<Vec<_>>();
    let dip = 2.05;
    let right = [
        [neck + 0.04, 1.70],
        [neck + 0.35, 1.84],
        [shoulder - 0.25, 2.08],
        [shoulder, 2.55],
        [shoulder + 0.10, 3.4],
        [shoulder + 0.16, 7.0],
        [shoulder + 0.16, 12.0],
    ];
    let mut points: Vec<P> = vec![[0.0, dip], [0.5 * neck, dip - 0.45 * (dip - 1.7)]];
    points.extend(right);
    points.extend(right.iter().rev().map(|p| [-p[0], p[1]]));
    points.push([-0.5 * neck, dip - 0.45 * (dip - 1.7)]);
    let shape = Shape::closed(&still(&points));
    let (top, bottom) = (torso(s, [0.0, 1.6]), torso(s, [0.0, 3.4]));
    canvas.fill_between(&shape, (top, ink.at(1.0)), (bottom, ink.times(0.62).at(1.0)), None);
    let clip = canvas.mask(&shape);
    let shade = torso(s, [0.0, 1.75]);
    canvas.soft(shade, [s.place.px(0.9), s.place.px(0.5)], 0.0, ink.times(0.4).at(0.55), Some(&clip));
    for side in [-1.0, 1.0] {
        let lit = if side * s.light > 0.0 { 0.22 } else { 0.10 };
        let at = torso(s, [side * shoulder * 0.7, 2.15]);
        canvas.soft(
            at,
            [s.place.px(0.7), s.place.px(0.35)],
            side * 0.35,
            ink.light(0.5).at(lit),
            Some(&clip),
        );
        let seam = [[neck + 0.05, 1.72], [0.36, 1.97], [0.0, 2.07]].map(|p| torso(s, [side * p[0], p[1]]));
        canvas.line(&Shape::open(&seam), s.place.px(0.07), ink.times(0.78).at(1.0), None);
    }
}

/// The ears, under the head.
pub(super) fn ears(canvas: &mut Canvas, s: &Sitter<'_>) {
    for side in [-1.0, 1.0] {
        let x = s.person.shape.width;
        let ear = [[0.93, -0.16], [1.06, -0.2], [1.13, -0.02], [1.08, 0.28], [0.99, 0.46], [0.92, 0.38]];
        let at = |p: P| s.place.deep([side * p[0] * x, p[1]], -0.05);
        let shape = Shape::closed(&ear.map(at));
        canvas.fill(&shape, s.shadow(0.12).at(1.0), None);
        let clip = canvas.mask(&shape);
        let hollow = at([1.01, 0.1]);
        canvas.soft(hollow, [s.place.px(0.1), s.place.px(0.26)], 0.0, s.shadow(0.65).at(0.8), Some(&clip));
    }
}

/// The skin of the head with soft light on it; returns the head's inside, for clipping.
pub(super) fn skin(canvas: &mut Canvas, s: &Sitter<'_>) -> Mask {
    let shape = outline(s);
    canvas.fill(&shape, s.skin().at(1.0), None);
    let clip = canvas.mask(&shape);
    let u = |length: f32| s.place.px(length);
    let middle = s.place.deep([0.22 * s.light, 0.02], 0.35);
    canvas.vignette(middle, [u(1.28), u(1.62)], 0.42, s.shadow(0.62).at(0.45), &clip);
    let dark = s.skin().luma() < 0.45;
    let glow = if dark { 0.85 } else { 0.62 };
    let lit = s.skin().light(if dark { 0.42 } else { 0.55 });
    canvas.soft(s.place.at([0.16 * s.light, -0.78]), [u(0.72), u(0.42)], 0.0, lit.at(glow), Some(&clip));
    let lift = 0.06 * s.m(Muscle::Cheek);
    for side in [-1.0, 1.0] {
        let near = 1.0 + 0.35 * side * s.light;
        cheek(canvas, s, &clip, side, lift, lit, glow * near);
    }
    canvas.soft(s.place.at([0.0, 1.16 + s.drop()]), [u(0.3), u(0.17)], 0.0, lit.at(glow * 0.8), Some(&clip));
    freckles(canvas, s, &clip);
    clip
}

fn cheek(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask, side: f32, lift: f32, lit: Ink, glow: f32) {
    let u = |length: f32| s.place.px(length);
    let blush = s.skin().mix(Ink::hex(0xD2504A), 0.5);
    canvas.soft(s.place.at([side * 0.56, 0.52 - lift]), [u(0.36), u(0.26)], 0.0, blush.at(0.32), Some(clip));
    canvas.soft(
        s.place.at([side * 0.50, 0.37 - lift]),
        [u(0.38), u(0.22)],
        side * -0.35,
        lit.at(glow),
        Some(clip),
    );
    let hollow = s.place.at([side * 0.80, 0.72]);
    canvas.soft(hollow, [u(0.22), u(0.5)], side * 0.45, s.shadow(0.5).at(0.35), Some(clip));
}

fn freckles(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let amount = s.person.skin.freckles;
    if amount <= 0.0 {
        return;
    }
    let dice = &mut Dice::new(&[s.person.seed, 0xF4EC]);
    let dots: Vec<(P, f32)> = (0..34)
        .map(|_| {
            let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
            let p = [side * dice.range(0.06, 0.7), 0.36 + dice.bell(0.09)];
            (s.place.at(p), s.place.px(dice.range(0.010, 0.020)))
        })
        .collect();
    canvas.fill(&Shape::circles(&dots), s.shadow(0.6).at(0.45 * amount), Some(clip));
}
