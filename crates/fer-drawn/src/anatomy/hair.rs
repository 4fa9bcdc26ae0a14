//! Hair on the head.
//! In: a [`Sitter`]. Out: the part behind the head, and the part over the forehead.

use tiny_skia::Mask;

use super::{curls, hairlines, placement::on_forehead, sitter::Sitter};
use crate::{
    brush::{Canvas, Dice, P, Shape},
    person::HairStyle,
};

/// What is behind the head; drawn first.
pub(super) fn back(canvas: &mut Canvas, s: &Sitter<'_>) {
    let hair = &s.person.hair;
    match hair.style {
        HairStyle::Buzz | HairStyle::SideParted => {}
        HairStyle::Bob => {
            fall(canvas, s, &[[1.12, -0.6], [1.26, 0.1], [1.30, 0.7], [1.18, 1.18], [0.9, 1.3]])
        }
        HairStyle::Curly => curls::cloud(canvas, s),
    }
}

/// Hair falling behind the head to both sides.
fn fall(canvas: &mut Canvas, s: &Sitter<'_>, right: &[P]) {
    let ink = s.person.hair.ink;
    // The lower it hangs, the less it follows the head.
    let place = |p: &P, side: f32| {
        let p = [side * p[0], p[1]];
        let (moving, still) = (s.place.deep(p, -0.15), s.place.still(p));
        let t = ((p[1] - 0.6) / 1.4).clamp(0.0, 1.0);
        [moving[0] + (still[0] - moving[0]) * t, moving[1] + (still[1] - moving[1]) * t]
    };
    let mut points = vec![s.place.deep([0.0, -1.5], -0.15)];
    points.push(s.place.deep([0.72, -1.26], -0.15));
    points.extend(right.iter().map(|p| place(p, 1.0)));
    points.extend(right.iter().rev().map(|p| place(p, -1.0)));
    points.push(s.place.deep([-0.72, -1.26], -0.15));
    let shape = Shape::closed(&points);
    canvas.fill_between(
        &shape,
        (s.place.still([0.0, -1.4]), ink.times(0.75).at(1.0)),
        (s.place.still([0.0, 2.2]), ink.times(0.88).at(1.0)),
        None,
    );
    let clip = canvas.mask(&shape);
    let behind = s.place.deep([0.0, 1.0], -0.2);
    canvas.soft(behind, [s.place.px(1.05), s.place.px(1.3)], 0.0, ink.times(0.25).at(0.75), Some(&clip));
    strands(canvas, s, &clip, 1.02, 1.26, [-0.5, 2.3]);
}

/// Vertical strands in the hair beside the face.
fn strands(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask, near: f32, far: f32, [top, bottom]: [f32; 2]) {
    let ink = s.person.hair.ink;
    let dice = &mut Dice::new(&[s.person.seed, 0x57A4]);
    for side in [-1.0, 1.0] {
        for _ in 0..7 {
            let x = side * dice.range(near, far);
            let sway = dice.bell(0.04);
            let line = [[x * 0.95, top], [x + sway, 0.5 * (top + bottom)], [x * 1.02, bottom]]
                .map(|p| s.place.deep(p, -0.15));
            let color = if dice.chance(0.5) { ink.light(0.22).at(0.35) } else { ink.times(0.55).at(0.4) };
            let w = s.place.px(dice.range(0.015, 0.045));
            canvas.fill(&Shape::ribbon(&line, &[w * 0.3, w, w * 0.2]), color, Some(clip));
        }
    }
}

/// What lies over the forehead and temples; drawn after the features.
pub(super) fn front(canvas: &mut Canvas, s: &Sitter<'_>, head: &Mask) {
    let hair = &s.person.hair;
    match hair.style {
        HairStyle::Buzz => buzz(canvas, s, head),
        HairStyle::Curly => curls::edge(canvas, s, head),
        HairStyle::SideParted => cap(canvas, s, head, &hairlines::CROWN_SHORT, &hairlines::PARTED),
        HairStyle::Bob => cap(canvas, s, head, &hairlines::CROWN_BOB, &hairlines::FRINGE),
    }
}

/// Hair between an outer edge and a hairline, both mirrored where the parting is on the left.
fn cap(canvas: &mut Canvas, s: &Sitter<'_>, head: &Mask, crown: &[P], line: &[P]) {
    let parted = |points: &[P]| points.iter().map(|p| [s.person.hair.part * p[0], p[1]]).collect::<Vec<_>>();
    let (mut crown, mut line) = (parted(crown), parted(line));
    if crown[0][0] > 0.0 {
        crown.reverse();
    }
    if line[0][0] < 0.0 {
        line.reverse();
    }
    let hairline: Vec<P> = line.iter().map(|&p| s.place.deep(p, on_forehead(p))).collect();
    let shadow: Vec<P> =
        [hairline.clone(), vec![s.place.deep([-1.2, -1.6], 0.0), s.place.deep([1.2, -1.6], 0.0)]].concat();
    let shadow: Vec<P> =
        shadow.into_iter().map(|p| [p[0] - s.place.px(0.03) * s.light, p[1] + s.place.px(0.075)]).collect();
    canvas.fill(&Shape::closed(&shadow), s.shadow(0.75).at(0.38), Some(head));
    let points: Vec<P> = crown.iter().map(|&p| s.place.deep(p, 0.0)).chain(hairline).collect();
    let shape = Shape::closed(&points);
    let ink = s.person.hair.ink;
    canvas.fill_between(
        &shape,
        (s.place.deep([0.3 * s.light, -1.5], 0.2), ink.light(0.10).at(1.0)),
        (s.place.deep([0.0, 0.2], 0.2), ink.times(0.72).at(1.0)),
        None,
    );
    let clip = canvas.mask(&shape);
    locks(canvas, s, &clip);
    let shine = s.place.deep([0.32 * s.light, -1.12], 0.5);
    canvas.soft(
        shine,
        [s.place.px(0.62), s.place.px(0.2)],
        0.12 * s.light,
        ink.light(0.55).at(0.42),
        Some(&clip),
    );
}

/// Strands from the parting over the skull to the temples.
fn locks(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let ink = s.person.hair.ink;
    let part = s.person.hair.part;
    let dice = &mut Dice::new(&[s.person.seed, 0x10C5]);
    for i in 0..16 {
        let side = if i % 3 == 0 { part } else { -part };
        let reach = dice.range(0.3, 1.15);
        let line = [
            [part * 0.3 + dice.bell(0.10), -1.52],
            [part * 0.25 + side * 0.55 * reach, -1.22 + dice.bell(0.06)],
            [side * 0.95 * reach, -0.75 + dice.bell(0.1)],
            [side * 1.02 * reach, -0.20],
        ]
        .map(|p| s.place.deep(p, 0.3));
        let color = if dice.chance(0.45) { ink.light(0.3).at(0.30) } else { ink.times(0.55).at(0.38) };
        let w = s.place.px(dice.range(0.02, 0.05));
        canvas.fill(&Shape::ribbon(&line, &[w * 0.3, w, w * 0.8, w * 0.1]), color, Some(clip));
    }
}

/// Shorn hair: a shade on the skull with soft edges.
fn buzz(canvas: &mut Canvas, s: &Sitter<'_>, head: &Mask) {
    let line = [
        [0.97, 0.05],
        [0.90, -0.34],
        [0.78, -0.72],
        [0.50, -0.92],
        [0.0, -0.98],
        [-0.50, -0.92],
        [-0.78, -0.72],
        [-0.90, -0.34],
        [-0.97, 0.05],
    ];
    let ink = s.person.hair.ink.mix(s.skin(), 0.22);
    for (grow, opacity) in [(0.04, 0.35), (0.0, 0.9)] {
        let mut points: Vec<P> =
            hairlines::CROWN_TIGHT.iter().map(|&p| s.place.deep([p[0] * 0.985, p[1] * 0.965], 0.0)).collect();
        points.extend(line.iter().map(|&p| s.place.deep([p[0], p[1] + grow], on_forehead(p))));
        let shape = Shape::closed(&points);
        canvas.fill(&shape, ink.at(opacity), if grow > 0.0 { Some(head) } else { None });
        if grow <= 0.0 {
            let clip = canvas.mask(&shape);
            let shine = s.place.deep([0.3 * s.light, -1.15], 0.5);
            canvas.soft(shine, [s.place.px(0.6), s.place.px(0.3)], 0.0, ink.light(0.5).at(0.35), Some(&clip));
        }
    }
}
