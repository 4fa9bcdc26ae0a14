//! Beards and glasses.
//! In: a [`Sitter`]. Out: what the face wears.

use tiny_skia::Mask;

use super::{mouth, sitter::Sitter};
use crate::brush::{Canvas, P, Shape};

/// The beard on cheeks and chin; drawn before the mouth.
pub(super) fn beard(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    if !s.person.beard {
        return;
    }
    let ink = s.person.brows.ink;
    canvas.fill(&jaw(s, 0.60, 0.10), ink.mix(s.skin(), 0.2).at(0.45), Some(clip));
    let shape = jaw(s, 0.66, 0.05);
    canvas.fill(&shape, ink.at(0.94), Some(clip));
    let inside = canvas.mask(&shape);
    let shine = s.place.at([0.2 * s.light, 1.22 + s.drop()]);
    canvas.soft(shine, [s.place.px(0.4), s.place.px(0.16)], 0.0, ink.light(0.4).at(0.35), Some(&inside));
}

/// The bearded region: from ear to ear under the mouth, with a hole around the lips.
fn jaw(s: &Sitter<'_>, cheek: f32, grow: f32) -> Shape {
    let d = s.drop();
    let w = mouth::half_width(s) + 0.10 - grow;
    let y = mouth::corner_y(s);
    let side: [P; 5] =
        [[1.02, 0.10], [0.90, 0.34], [0.78, cheek], [w + 0.12, 0.5 * (cheek + y)], [w + 0.02, y - 0.02]];
    let mut points: Vec<P> = side.map(|p| s.place.at(p)).to_vec();
    points.extend([[0.24, y + 0.21 + 0.6 * d], [-0.24, y + 0.21 + 0.6 * d]].map(|p| s.place.at(p)));
    points.extend(side.iter().rev().map(|p| s.place.at([-p[0], p[1]])));
    points.extend([[-1.15, 0.9], [-0.7, 1.5 + d], [0.7, 1.5 + d], [1.15, 0.9]].map(|p| s.place.deep(p, 0.1)));
    Shape::closed(&points)
}

/// The moustache of a beard; drawn after the mouth.
pub(super) fn moustache(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    if !s.person.beard {
        return;
    }
    let ink = s.person.brows.ink;
    let w = mouth::half_width(s);
    let (corner, lip) = (mouth::corner_y(s), mouth::upper_edge(s));
    for side in [-1.0, 1.0] {
        let line = [
            [0.0, lip - 0.05],
            [0.42 * w, lip - 0.055],
            [0.86 * w, 0.45 * lip + 0.55 * corner - 0.05],
            [w + 0.06, corner + 0.03],
        ]
        .map(|p| s.place.lifted([side * p[0], p[1]], 0.05));
        let widths = [0.07, 0.115, 0.085, 0.03].map(|w| s.place.px(w));
        canvas.fill(&Shape::ribbon(&line, &widths), ink.at(0.93), Some(clip));
    }
}

/// Glasses; drawn over the hair's edge.
pub(super) fn glasses(canvas: &mut Canvas, s: &Sitter<'_>) {
    let Some(glasses) = s.person.glasses else { return };
    let x = s.person.eyes.apart + 0.01;
    let (rx, ry, square) = if glasses.round { (0.325, 0.29, 0.0) } else { (0.345, 0.245, 0.45) };
    let width = s.place.px(0.030);
    for side in [-1.0, 1.0] {
        let rim: Vec<P> = (0..16)
            .map(|i| {
                let (sin, cos) = (i as f32 * std::f32::consts::TAU / 16.0).sin_cos();
                // A superellipse: `square` pulls the corners out.
                let pull = 1.0
                    / (cos.abs().powf(2.0 + 4.0 * square) + sin.abs().powf(2.0 + 4.0 * square))
                        .powf(1.0 / (2.0 + 4.0 * square));
                s.place.lifted([side * (x + rx * cos * pull), 0.035 + ry * sin * pull], 0.12)
            })
            .collect();
        let shape = Shape::closed(&rim);
        canvas.fill(&shape, s.shadow(1.0).at(0.1), None);
        canvas.line(&shape, width, glasses.ink.at(0.95), None);
        let arm = [s.place.lifted([side * (x + rx), -0.02], 0.12), s.place.deep([side * 1.02, -0.06], 0.05)];
        canvas.line(&Shape::open(&arm), width, glasses.ink.at(0.95), None);
    }
    let bridge = [[-(x - rx), 0.0], [0.0, -0.05], [x - rx, 0.0]].map(|p| s.place.lifted(p, 0.14));
    canvas.line(&Shape::open(&bridge), width, glasses.ink.at(0.95), None);
}
