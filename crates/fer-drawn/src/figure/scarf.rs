//! A headscarf.
//! In: a [`Sitter`]. Out: the cloth behind the head, and the cloth that frames the face.

use tiny_skia::Mask;

use super::{placement::on_forehead, sitter::Sitter};
use crate::brush::{Canvas, Ink, P, Shape};

/// The cloth's colour: the clothes' own, paler.
fn cloth(s: &Sitter<'_>) -> Ink {
    s.person.clothes.ink.mix(s.person.backdrop, 0.35)
}

/// The cloth behind the head, down to the shoulders.
pub(super) fn back(canvas: &mut Canvas, s: &Sitter<'_>) {
    let ink = cloth(s);
    let right: [P; 6] = [[0.80, -1.28], [1.16, -0.70], [1.22, 0.2], [1.18, 0.95], [1.30, 1.6], [1.15, 2.3]];
    let place = |p: P, side: f32| {
        let p = [side * p[0], p[1]];
        if p[1] > 1.4 { s.place.still(p) } else { s.place.deep(p, -0.1) }
    };
    let mut points = vec![s.place.deep([0.0, -1.54], -0.1)];
    points.extend(right.map(|p| place(p, 1.0)));
    points.push(s.place.still([0.0, 2.7]));
    points.extend(right.iter().rev().map(|&p| place(p, -1.0)));
    canvas.fill(&Shape::closed(&points), ink.times(0.72).at(1.0), None);
}

/// A headscarf: the cloth framing the face, and its folds under the chin.
pub(super) fn front(canvas: &mut Canvas, s: &Sitter<'_>, head: &Mask) {
    let ink = cloth(s);
    let drop = s.drop();
    let inner: [P; 7] = [
        [0.0, -0.92],
        [0.46, -0.84],
        [0.80, -0.50],
        [0.90, 0.05],
        [0.84, 0.62],
        [0.60, 1.10 + 0.6 * drop],
        [0.0, 1.40 + drop],
    ];
    let outer: [P; 7] =
        [[0.0, -1.56], [0.72, -1.36], [1.12, -0.75], [1.20, 0.1], [1.16, 0.8], [1.12, 1.5], [0.0, 2.45]];
    let line = |side: f32, points: &[P; 7], skin: bool| {
        points
            .map(|p| {
                let q = [side * p[0], p[1]];
                if skin {
                    s.place.deep(q, on_forehead(q))
                } else if p[1] > 1.3 {
                    s.place.still(q)
                } else {
                    s.place.deep(q, -0.05)
                }
            })
            .to_vec()
    };
    let ring = |points: &[P; 7], skin: bool| {
        let mut all = line(1.0, points, skin);
        all.extend(line(-1.0, points, skin)[1..6].iter().rev());
        all
    };
    let shadow = ring(&inner.map(|p| [p[0] * 0.93, p[1] * 0.95]), true);
    canvas.shade_outside(&Shape::closed(&shadow), s.shadow(0.75).at(0.35), head);
    let shape = Shape::ring(&ring(&outer, false), &ring(&inner, true));
    canvas.fill_between(
        &shape,
        (s.place.still([0.8 * s.light, -1.2]), ink.light(0.12).at(1.0)),
        (s.place.still([-0.8 * s.light, 2.2]), ink.times(0.7).at(1.0)),
        None,
    );
    let clip = canvas.mask(&shape);
    for side in [-1.0, 1.0] {
        for (a, b, c) in [
            ([0.2, -1.5], [0.88, -0.9], [1.04, 0.3]),
            ([1.0, 0.2], [0.95, 0.95], [0.3, 1.7]),
            ([1.1, 0.9], [0.8, 1.6], [0.0, 2.1]),
        ] {
            let fold = [a, b, c].map(|p: P| s.place.deep([side * p[0], p[1]], 0.0));
            canvas.fill(
                &Shape::ribbon(&fold, &[0.01, 0.06, 0.01].map(|w| s.place.px(w))),
                ink.times(0.5).at(0.35),
                Some(&clip),
            );
        }
    }
    let shine = s.place.deep([0.35 * s.light, -1.25], 0.4);
    canvas.soft(
        shine,
        [s.place.px(0.6), s.place.px(0.25)],
        0.2 * s.light,
        ink.light(0.5).at(0.4),
        Some(&clip),
    );
}
