//! Eyes and brows.
//! In: a [`Sitter`]. Out: sockets, eyes, lids and brows.

use tiny_skia::Mask;

use super::sitter::Sitter;
use crate::{
    brush::{Canvas, Ink, P, Shape},
    person::Muscle,
};

/// One eye's numbers, in head units, before it is mirrored to its side.
struct Eye {
    side: f32,
    centre: P,
    half: f32,
    /// Heights of the upper lid's curve towards the inner and the outer corner.
    upper: [f32; 2],
    lower: f32,
    slant: f32,
}

/// The soft dark of the eye sockets, under everything else of the face.
pub(super) fn sockets(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let x = s.person.eyes.apart;
    let brow = 0.02 * (s.m(Muscle::BrowInner) + s.m(Muscle::BrowOuter));
    for side in [-1.0, 1.0] {
        let shade = s.shadow(0.62);
        let at = s.place.at([side * x, -0.11 - brow]);
        canvas.soft(at, [u(0.42), u(0.27)], side * 0.1, shade.at(0.92), Some(clip));
        let inner = s.place.at([side * 0.17, -0.06]);
        canvas.soft(inner, [u(0.15), u(0.24)], 0.0, shade.at(0.75), Some(clip));
        let under = s.place.at([side * (x - 0.02), 0.15]);
        canvas.soft(under, [u(0.28), u(0.13)], side * 0.12, shade.at(0.48), Some(clip));
    }
}

/// Both eyes.
pub(super) fn eyes(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    for side in [-1.0, 1.0] {
        let eye = measure(s, side);
        ball(canvas, s, &eye);
        lids(canvas, s, &eye, clip);
    }
}

fn measure(s: &Sitter<'_>, side: f32) -> Eye {
    let style = &s.person.eyes;
    let open = s.m(Muscle::EyeOpen);
    let blink = 1.0 - s.m(Muscle::Blink).clamp(0.0, 1.0);
    let height = style.height * style.size * blink;
    let gaze = 0.02 * s.m(Muscle::GazeY).max(0.0);
    let upper = (0.128 * (1.0 + 0.46 * open.clamp(-1.2, 1.2)) - gaze).max(0.018) * height;
    // Lowered inner brows press on the lid's inner half, raised ones lift it: a glare, a plea.
    let lean =
        0.035 * s.m(Muscle::BrowInner).clamp(-1.2, 1.2) - 0.022 * s.m(Muscle::BrowOuter).clamp(-1.2, 1.2);
    let lower =
        (0.085 * (1.0 - 0.62 * s.m(Muscle::LidLower).clamp(0.0, 1.2) + 0.12 * open)).max(0.01) * height;
    let least = 0.01;
    Eye {
        side,
        centre: [style.apart, 0.0],
        half: 0.232 * style.size,
        upper: [(upper + lean * blink).max(least), (upper - lean * blink).max(least)],
        lower,
        slant: style.slant,
    }
}

impl Eye {
    /// A point of the eye: `along` from the inner (-1) to the outer (1) corner, `y` in head units.
    fn at(&self, s: &Sitter<'_>, along: f32, y: f32) -> P {
        let x = self.side * (self.centre[0] + along * self.half);
        s.place.at([x, self.centre[1] + y - self.slant * along])
    }

    /// The upper lid's edge from the inner to the outer corner.
    fn upper_edge(&self, s: &Sitter<'_>) -> [P; 5] {
        let [inner, outer] = self.upper;
        let top = 0.5 * (inner + outer) * 1.02;
        [
            self.at(s, -1.0, 0.018),
            self.at(s, -0.58, -0.80 * inner),
            self.at(s, 0.02, -top),
            self.at(s, 0.60, -0.80 * outer),
            self.at(s, 1.0, -0.005),
        ]
    }

    /// The lower lid's edge from the outer to the inner corner.
    fn lower_edge(&self, s: &Sitter<'_>) -> [P; 3] {
        [
            self.at(s, 0.58, 0.80 * self.lower),
            self.at(s, 0.0, self.lower),
            self.at(s, -0.6, 0.74 * self.lower),
        ]
    }
}

/// The white, iris and pupil, inside the lids.
fn ball(canvas: &mut Canvas, s: &Sitter<'_>, eye: &Eye) {
    let points = [eye.upper_edge(s).as_slice(), &eye.lower_edge(s)].concat();
    let opening = Shape::closed(&points);
    let white = Ink::hex(0xF4EFEA).mix(s.skin(), 0.40).times(0.70 - 0.012 * s.person.skin.tone as f32);
    canvas.fill(&opening, white.at(1.0), None);
    let clip = canvas.mask(&opening);
    let u = |length: f32| s.place.px(length);
    let size = s.person.eyes.size;
    let gaze = [s.m(Muscle::GazeX) * 0.09, s.m(Muscle::GazeY) * 0.05];
    let turn = 0.05 * s.place.pose.turn;
    let at = s.place.at([eye.side * eye.centre[0] + gaze[0] + turn, eye.centre[1] - 0.018 + gaze[1]]);
    let iris = s.person.eyes.iris.times(0.72);
    let radius = u(0.143 * size);
    canvas.fill(&Shape::circles(&[(at, radius)]), iris.times(0.55).at(1.0), Some(&clip));
    canvas.fill(&Shape::circles(&[(at, radius * 0.86)]), iris.at(1.0), Some(&clip));
    let low = [at[0], at[1] + radius * 0.4];
    canvas.soft(low, [radius * 0.8, radius * 0.6], 0.0, iris.light(0.5).at(0.5), Some(&clip));
    canvas.fill(&Shape::circles(&[(at, radius * 0.46)]), Ink::hex(0x120C0A).at(1.0), Some(&clip));
    let shade = eye.at(s, 0.0, -eye.upper[0].max(eye.upper[1]));
    canvas.soft(shade, [u(0.30), u(0.085)], 0.0, Ink::hex(0x2A1A18).at(0.6), Some(&clip));
    let glint = [at[0] + 0.36 * radius * s.light.signum(), at[1] - 0.36 * radius];
    canvas.fill(&Shape::circles(&[(glint, radius * 0.22)]), Ink::hex(0xFFFFFF).at(0.92), Some(&clip));
}

/// Lashes, the fold above and the line below the eye.
fn lids(canvas: &mut Canvas, s: &Sitter<'_>, eye: &Eye, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let lashes = s.person.eyes.lashes;
    let dark = Ink::hex(0x1C1210).mix(s.shadow(1.0), 0.15);
    let edge = eye.upper_edge(s);
    let thick = 0.026 + 0.022 * lashes;
    let widths = [0.010, 0.8 * thick, thick, thick, 0.5 * thick].map(u);
    canvas.fill(&Shape::ribbon(&edge, &widths), dark.at(0.95), Some(clip));
    if lashes > 0.3 {
        let top = 0.5 * (eye.upper[0] + eye.upper[1]);
        let flick = [
            eye.at(s, 0.72, -0.5 * eye.upper[1]),
            eye.at(s, 1.04, -0.02),
            eye.at(s, 1.20, -0.05 - 0.25 * top),
        ];
        canvas.fill(&Shape::ribbon(&flick, &[u(0.03), u(0.026), u(0.004)]), dark.at(0.9), Some(clip));
    }
    let [c, b, a] = eye.lower_edge(s);
    let lower = [eye.at(s, -0.95, 0.02), a, b, c, eye.at(s, 0.98, 0.0)];
    let line = [0.006, 0.012, 0.014, 0.016, 0.008].map(u);
    canvas.fill(&Shape::ribbon(&lower, &line), s.shadow(0.95).at(0.6), Some(clip));
    fold(canvas, s, eye, clip);
}

/// The fold of the upper lid, and the bag and crow's feet of a squint.
fn fold(canvas: &mut Canvas, s: &Sitter<'_>, eye: &Eye, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let [inner, outer] = eye.upper.map(|h| h + 0.055 - 0.012 * s.m(Muscle::EyeOpen));
    let crease = [
        eye.at(s, -0.82, -0.62 * inner),
        eye.at(s, -0.35, -inner),
        eye.at(s, 0.35, -outer),
        eye.at(s, 1.02, -0.5 * outer),
    ];
    canvas.fill(
        &Shape::ribbon(&crease, &[0.006, 0.018, 0.020, 0.006].map(u)),
        s.shadow(0.85).at(0.55),
        Some(clip),
    );
    let squint = s.m(Muscle::LidLower).clamp(0.0, 1.0);
    if squint > 0.05 {
        let y = eye.lower + 0.055;
        let bag = [eye.at(s, -0.7, 0.6 * y), eye.at(s, 0.0, y + 0.015), eye.at(s, 0.8, 0.75 * y)];
        canvas.fill(
            &Shape::ribbon(&bag, &[0.004, 0.022, 0.006].map(u)),
            s.shadow(0.8).at(0.5 * squint),
            Some(clip),
        );
    }
    let smile = s.m(Muscle::Cheek).clamp(0.0, 1.0) * s.m(Muscle::Corner).clamp(0.0, 1.0);
    if smile > 0.05 {
        for (dy, end) in [(-0.05, -0.11), (0.02, 0.02), (0.08, 0.13)] {
            let line = [eye.at(s, 1.25, dy), eye.at(s, 1.6, end)];
            canvas.fill(
                &Shape::ribbon(&line, &[u(0.014), u(0.004)]),
                s.shadow(0.8).at(0.5 * smile),
                Some(clip),
            );
        }
    }
}

/// Both brows, with the lines between them and on the forehead.
pub(super) fn brows(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    lines(canvas, s, clip);
    for side in [-1.0, 1.0] {
        brow(canvas, s, side, clip);
    }
}

fn brow(canvas: &mut Canvas, s: &Sitter<'_>, side: f32, clip: &Mask) {
    let style = &s.person.brows;
    let u = |length: f32| s.place.px(length);
    // Fully raised brows would leave the forehead of a low hairline.
    let raise = |m: f32| if m > 0.0 { 0.80 * m } else { m };
    let (inner, outer) = (raise(s.m(Muscle::BrowInner)), raise(s.m(Muscle::BrowOuter)));
    let pinch = s.m(Muscle::BrowPinch).max(0.0);
    let y = -0.335 - style.height;
    let middle = if inner < 0.0 { 0.75 * inner + 0.5 * outer } else { 0.45 * inner + 0.5 * outer };
    let points = [
        [0.185 - 0.055 * pinch, y + 0.02 - 0.165 * inner + 0.03 * pinch],
        [0.30 - 0.03 * pinch, y - 0.4 * style.arch - 0.115 * inner - 0.03 * outer],
        [0.50, y - style.arch - 0.13 * middle],
        [0.64, y - 0.6 * style.arch - 0.035 * inner - 0.115 * outer],
        [0.745, y + 0.075 - 0.125 * outer],
    ];
    let at = points.map(|p| s.place.at([side * p[0], p[1]]));
    let w = style.width;
    let widths = [0.62 * w, w, 0.92 * w, 0.58 * w, 0.16 * w].map(u);
    let shade = at.map(|p| [p[0], p[1] + u(0.03)]);
    canvas.fill(&Shape::ribbon(&shade, &widths.map(|w| w * 1.15)), s.shadow(0.8).at(0.22), Some(clip));
    canvas.fill(&Shape::ribbon(&at, &widths), style.ink.at(0.93), Some(clip));
}

/// Frown lines between the brows and creases on the forehead.
fn lines(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let dark = s.shadow(0.85);
    let frown =
        s.m(Muscle::BrowPinch).clamp(0.0, 1.0) * (0.55 - 0.45 * s.m(Muscle::BrowInner)).clamp(0.0, 1.0);
    if frown > 0.03 {
        for side in [-1.0, 1.0] {
            let line =
                [[0.055, -0.44], [0.075, -0.33], [0.05, -0.22]].map(|p| s.place.at([side * p[0], p[1]]));
            canvas.fill(
                &Shape::ribbon(&line, &[0.006, 0.026, 0.008].map(u)),
                dark.at(0.75 * frown),
                Some(clip),
            );
        }
        canvas.soft(s.place.at([0.0, -0.3]), [u(0.2), u(0.18)], 0.0, dark.at(0.4 * frown), Some(clip));
    }
    let inner = s.m(Muscle::BrowInner).clamp(0.0, 1.0);
    let outer = s.m(Muscle::BrowOuter).clamp(0.0, 1.0);
    if inner > 0.05 {
        let reach = 0.22 + 0.32 * outer;
        for (row, y) in [-0.68, -0.80].into_iter().enumerate() {
            let bow = 0.03 - 0.06 * outer;
            let reach = reach - 0.06 * row as f32;
            let line = [[-reach, y - bow], [0.0, y], [reach, y - bow]]
                .map(|p| s.place.at([p[0], p[1] + 2.0 * bow * outer]));
            canvas.fill(
                &Shape::ribbon(&line, &[0.004, 0.018, 0.004].map(u)),
                dark.at(0.42 * inner),
                Some(clip),
            );
        }
    }
}
