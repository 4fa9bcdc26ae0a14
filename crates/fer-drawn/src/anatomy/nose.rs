//! The nose, and the folds from it to the mouth.
//! In: a [`Sitter`]. Out: the nose's light, shade and nostrils.

use tiny_skia::Mask;

use super::{mouth, sitter::Sitter};
use crate::{
    brush::{Canvas, Ink, Shape},
    person::Muscle,
};

/// The nose.
pub(super) fn nose(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let style = &s.person.nose;
    let wrinkle = s.m(Muscle::NoseWrinkle).clamp(0.0, 1.2);
    let base = 0.52 * style.length - 0.055 * wrinkle;
    let half = 0.165 * style.width * (1.0 + 0.16 * wrinkle + 0.06 * s.m(Muscle::Cheek).max(0.0));
    let at = |x: f32, y: f32, lift: f32| s.place.lifted([x, y], lift);
    // The side away from the light is shaded from the brow to the wing.
    let away = -s.light.signum();
    let side = [
        at(away * 0.10, -0.20, 0.0),
        at(away * 0.085, 0.10, 0.05),
        at(away * 0.15, base - 0.10, 0.05),
        at(away * half, base, 0.0),
    ];
    canvas.fill(&Shape::ribbon(&side, &[0.02, 0.07, 0.10, 0.05].map(u)), s.shadow(0.5).at(0.32), Some(clip));
    let lit = s.skin().light(0.6);
    let dark = s.skin().luma() < 0.45;
    let glow = if dark { 0.6 } else { 0.76 };
    canvas.soft(at(-away * 0.01, 0.10, 0.1), [u(0.095), u(0.46)], 0.0, lit.at(glow), Some(clip));
    let tip = at(-away * 0.02, base - 0.085, 0.16);
    canvas.soft(
        [tip[0], tip[1] + u(0.07)],
        [u(1.45 * half), u(0.17)],
        0.0,
        s.shadow(0.5).at(0.42),
        Some(clip),
    );
    let ball = u(0.10 + 0.03 * style.bulb);
    canvas.soft(tip, [ball, ball * 0.85], 0.0, lit.at(glow + 0.1), Some(clip));
    for side in [-1.0, 1.0] {
        wing(canvas, s, side, half, base, clip);
    }
    canvas.soft(at(0.0, base + 0.11, 0.0), [u(0.24), u(0.11)], 0.0, s.shadow(0.55).at(0.45), Some(clip));
    bunny_lines(canvas, s, wrinkle, clip);
    folds(canvas, s, half, base, clip);
}

/// One wing of the nose with its nostril.
fn wing(canvas: &mut Canvas, s: &Sitter<'_>, side: f32, half: f32, base: f32, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let at = |x: f32, y: f32, lift: f32| s.place.lifted([side * x, y], lift);
    let dark = s.shadow(0.95);
    let curve = [
        at(half * 0.82, base - 0.12, 0.04),
        at(half * 1.06, base - 0.05, 0.02),
        at(half * 0.98, base + 0.025, 0.02),
        at(half * 0.70, base + 0.03, 0.05),
    ];
    canvas.fill(&Shape::ribbon(&curve, &[0.004, 0.022, 0.024, 0.008].map(u)), dark.at(0.7), Some(clip));
    let nostril = [
        at(half * 0.78, base + 0.012, 0.06),
        at(half * 0.48, base - 0.005, 0.10),
        at(half * 0.24, base + 0.030, 0.10),
    ];
    canvas.fill(
        &Shape::ribbon(&nostril, &[0.012, 0.040, 0.014].map(u)),
        Ink::hex(0x2A120E).mix(dark, 0.35).at(0.85),
        Some(clip),
    );
    let under = [at(half * 0.3, base + 0.035, 0.1), at(0.0, base + 0.055, 0.12)];
    canvas.fill(&Shape::ribbon(&under, &[0.010, 0.016].map(u)), dark.at(0.45), Some(clip));
}

/// The short creases over a wrinkled nose.
fn bunny_lines(canvas: &mut Canvas, s: &Sitter<'_>, wrinkle: f32, clip: &Mask) {
    if wrinkle < 0.08 {
        return;
    }
    let u = |length: f32| s.place.px(length);
    let dark = s.shadow(0.85).at(0.62 * wrinkle.min(1.0));
    for side in [-1.0, 1.0] {
        for (y, x) in [(-0.02, 0.17), (0.07, 0.19), (0.16, 0.19)] {
            let line = [[0.05, y + 0.03], [0.12, y], [x, y - 0.05]]
                .map(|p| s.place.lifted([side * p[0], p[1]], 0.04));
            canvas.fill(&Shape::ribbon(&line, &[0.004, 0.020, 0.006].map(u)), dark, Some(clip));
        }
        let across = [[-0.08, -0.10], [0.0, -0.085], [0.08, -0.10]].map(|p| s.place.lifted(p, 0.05));
        canvas.fill(&Shape::ribbon(&across, &[0.004, 0.016, 0.004].map(u)), dark, Some(clip));
    }
}

/// The folds from the wings of the nose past the mouth's corners.
fn folds(canvas: &mut Canvas, s: &Sitter<'_>, half: f32, base: f32, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let smile = s.m(Muscle::Corner).clamp(0.0, 1.0);
    let snarl = (0.8 * s.m(Muscle::UpperLip) + 0.3 * s.m(Muscle::NoseWrinkle)).clamp(0.0, 1.0);
    let stretch = s.m(Muscle::Stretch).clamp(0.0, 1.0);
    let age = 0.12 + 0.2 * s.person.shape.rugged;
    let depth = (age + 0.5 * smile + 0.75 * snarl + 0.2 * stretch).min(1.0);
    let w = mouth::half_width(s);
    let corner = mouth::corner_y(s);
    for side in [-1.0, 1.0] {
        let top = [half * 1.12, base - 0.06 - 0.03 * snarl];
        let middle =
            [0.5 * (half * 1.12 + w) + 0.10 + 0.05 * smile + 0.05 * snarl, 0.5 * (base + corner) - 0.01];
        let end = [w + 0.07 + 0.05 * smile, corner + 0.03 + 0.05 * snarl - 0.04 * smile];
        let fold = [top, middle, end].map(|p| s.place.at([side * p[0], p[1]]));
        canvas.fill(
            &Shape::ribbon(&fold, &[0.012, 0.034, 0.006].map(u)),
            s.shadow(0.75).at(0.62 * depth),
            Some(clip),
        );
        let beside = [middle[0] - 0.05, middle[1] + 0.04];
        canvas.soft(
            s.place.at([side * beside[0], beside[1]]),
            [u(0.14), u(0.26)],
            side * -0.5,
            s.shadow(0.5).at(0.26 * depth),
            Some(clip),
        );
    }
}
