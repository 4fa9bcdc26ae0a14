//! The mouth: lips, teeth, tongue and the shade around them.
//! In: a [`Sitter`]. Out: the mouth in its place.

use tiny_skia::Mask;

use super::sitter::Sitter;
use crate::{
    brush::{Canvas, Ink, P, Shape},
    person::Muscle,
};

/// Height of the resting mouth's line, head units.
const REST_Y: f32 = 0.86;

/// Half the mouth's width, head units.
pub(super) fn half_width(s: &Sitter<'_>) -> f32 {
    let smile = s.m(Muscle::Corner).clamp(-1.0, 1.1);
    let stretch = s.m(Muscle::Stretch).clamp(-1.0, 1.2);
    s.person.mouth.width * (1.0 + 0.30 * stretch + 0.10 * smile.max(0.0) - 0.05 * (-smile).max(0.0))
}

/// Height of the mouth's corners, head units.
pub(super) fn corner_y(s: &Sitter<'_>) -> f32 {
    let round = (-s.m(Muscle::Stretch)).clamp(0.0, 1.0);
    REST_Y - 0.150 * s.m(Muscle::Corner) + gap(s) * (0.22 + 0.26 * round) + 0.02 * s.m(Muscle::Pout).max(0.0)
}

/// Height of the upper lip's upper edge in the middle, head units.
pub(super) fn upper_edge(s: &Sitter<'_>) -> f32 {
    let lines = measure(s);
    lines.upper - lines.thick_upper
}

/// How far the lips are apart in the middle, head units.
fn gap(s: &Sitter<'_>) -> f32 {
    0.33 * s.m(Muscle::Jaw).max(0.0) + 0.19 * s.m(Muscle::Part).max(0.0)
}

/// The lines of a mouth, head units; the upper ones per side for a sneer.
struct Lines {
    half: f32,
    corner: f32,
    upper: f32,
    lower: f32,
    /// How far towards the corners the curves stay flat: 0.45 pointed to 1 round.
    fullness: f32,
    thick_upper: f32,
    thick_lower: f32,
    /// Lift of the upper lip at the sneering side, and which side that is.
    sneer: [f32; 2],
    gap: f32,
}

fn measure(s: &Sitter<'_>) -> Lines {
    let full = s.person.mouth.full;
    let press = s.m(Muscle::Press).clamp(0.0, 1.0);
    let smile = s.m(Muscle::Corner).clamp(0.0, 1.1);
    let frown = (-s.m(Muscle::Corner)).clamp(0.0, 1.1);
    let pout = s.m(Muscle::Pout).clamp(0.0, 1.0);
    let snarl = s.m(Muscle::UpperLip).clamp(0.0, 1.2);
    let stretch = s.m(Muscle::Stretch).clamp(-1.0, 1.2);
    let gap = gap(s);
    let upper = REST_Y + 0.045 * smile
        - 0.035 * frown
        - 0.075 * snarl
        - 0.045 * pout
        - 0.06 * s.m(Muscle::Part).max(0.0)
        - 0.02 * s.m(Muscle::Jaw).max(0.0);
    let bared = s.m(Muscle::TeethLower).clamp(0.0, 1.0);
    Lines {
        half: half_width(s),
        corner: corner_y(s),
        upper,
        lower: upper + gap.max(0.004),
        fullness: (0.55 + 0.35 * (-stretch).max(0.0) + 0.22 * bared + 0.12 * smile + 0.5 * gap).min(0.98),
        thick_upper: 0.078 * full * (1.0 - 0.66 * press) * (1.0 - 0.22 * smile) * (1.0 - 0.2 * snarl),
        thick_lower: 0.112 * full * (1.0 - 0.60 * press) * (1.0 - 0.12 * smile + 0.12 * pout),
        sneer: [0.085 * s.m(Muscle::Sneer).clamp(0.0, 1.0), s.person.mouth.side],
        gap,
    }
}

impl Lines {
    /// A point on a curve between the corners whose middle is at `middle`; `t` runs from -1 to 1.
    fn curve(&self, middle: f32, t: f32) -> P {
        // A cubic with control points at `fullness` of the half width, high enough to pass the middle.
        let k = (middle - 0.25 * self.corner) / 0.75;
        let v = 0.5 * (t + 1.0);
        let (a, b, c, d) =
            ((1.0 - v).powi(3), 3.0 * v * (1.0 - v).powi(2), 3.0 * v * v * (1.0 - v), v.powi(3));
        let x = self.half * (-a - self.fullness * b + self.fullness * c + d);
        [x, (a + d) * self.corner + (b + c) * k]
    }

    /// The upper lip's lower edge, raised by a sneer.
    fn upper_inner(&self, t: f32) -> P {
        let mut p = self.curve(self.upper, t);
        let side = (t * self.sneer[1] - 0.45) / 0.5;
        p[1] -= self.sneer[0] * (-side * side).exp();
        p
    }

    /// The lower lip's upper edge; on a closed mouth it follows the upper lip.
    fn lower_inner(&self, t: f32) -> P {
        let p = self.curve(self.lower, t);
        let upper = self.upper_inner(t);
        let closed = (1.0 - self.gap / 0.05).clamp(0.0, 1.0);
        [p[0], (p[1] + (upper[1] - p[1]) * closed).max(upper[1])]
    }

    /// The upper lip's upper edge with its bow.
    fn upper_outer(&self, t: f32) -> P {
        let p = self.upper_inner(t);
        let bow = (1.0 - t * t).powf(0.8)
            * (1.0 + 0.22 * (-((t.abs() - 0.26) / 0.16).powi(2)).exp() - 0.14 * (-(t / 0.12).powi(2)).exp());
        [p[0] * (1.0 + 0.03 * t.abs()), p[1] - self.thick_upper * bow]
    }

    /// The lower lip's lower edge.
    fn lower_outer(&self, t: f32) -> P {
        let p = self.lower_inner(t);
        [p[0] * 1.01, p[1] + self.thick_lower * (1.0 - t * t).powf(0.62)]
    }
}

/// Points along a line of the mouth, from the left corner to the right one.
fn along(line: impl Fn(f32) -> P) -> Vec<P> {
    const N: i32 = 12;
    (-N..=N).map(|i| line((i as f32 / N as f32 * std::f32::consts::FRAC_PI_2).sin())).collect()
}

/// The region between two lines of the mouth.
fn between(s: &Sitter<'_>, top: impl Fn(f32) -> P, bottom: impl Fn(f32) -> P) -> Shape {
    let mut points = along(top);
    points.extend(along(bottom).into_iter().rev());
    Shape::polygon(&points.into_iter().map(|p| s.place.lifted(p, 0.03)).collect::<Vec<_>>())
}

/// The mouth.
pub(super) fn mouth(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask) {
    let lines = measure(s);
    around(canvas, s, &lines, clip);
    let lip = s.person.mouth.ink;
    canvas.fill(
        &between(s, |t| lines.upper_outer(t), |t| lines.upper_inner(t)),
        lip.times(0.84).at(0.95),
        Some(clip),
    );
    let lower = between(s, |t| lines.lower_inner(t), |t| lines.lower_outer(t));
    canvas.fill(&lower, lip.light(0.06).at(0.95), Some(clip));
    let shine = [0.08 * s.light, lines.lower + 0.42 * lines.thick_lower];
    let inside = canvas.mask(&lower);
    let spot = [s.place.px(0.17), s.place.px(0.5 * lines.thick_lower)];
    canvas.soft(s.place.lifted(shine, 0.04), spot, 0.0, lip.light(0.8).at(0.45), Some(&inside));
    if lines.gap > 0.012 || lines.sneer[0] > 0.02 {
        inner(canvas, s, &lines);
    }
    seam(canvas, s, &lines, clip);
}

/// Teeth and tongue in the dark of an open mouth.
fn inner(canvas: &mut Canvas, s: &Sitter<'_>, lines: &Lines) {
    let opening = between(s, |t| lines.upper_inner(t), |t| lines.lower_inner(t));
    canvas.fill(&opening, Ink::hex(0x722D31).at(1.0), None);
    let clip = canvas.mask(&opening);
    let u = |length: f32| s.place.px(length);
    if lines.gap > 0.2 {
        let tongue = s.place.at([0.0, lines.lower + 0.03]);
        let size = [u(0.75 * lines.half), u(0.62 * lines.gap)];
        canvas.soft(tongue, [size[0] * 1.2, size[1] * 1.1], 0.0, Ink::hex(0xC4555A).at(1.0), Some(&clip));
    }
    let ivory = Ink::hex(0xF7F1E6).times(0.85 - 0.012 * s.person.skin.tone as f32);
    let (upper, lower) = (s.m(Muscle::TeethUpper).clamp(0.0, 1.0), s.m(Muscle::TeethLower).clamp(0.0, 1.0));
    let clenched = lines.gap < 0.26 && upper > 0.3 && lower > 0.3;
    if upper > 0.02 {
        let long = if clenched { 0.5 * lines.gap } else { (0.125 * upper).min(0.78 * lines.gap) };
        row(canvas, s, &clip, |t| lines.upper_inner(t), long, ivory);
    }
    if lower > 0.02 {
        let long = if clenched { -0.48 * lines.gap } else { -(0.085 * lower).min(0.4 * lines.gap) };
        row(canvas, s, &clip, |t| lines.lower_inner(t), long, ivory.times(0.93));
    }
    let shade = s.place.at([0.0, lines.upper - 0.005]);
    canvas.soft(shade, [u(1.1 * lines.half), u(0.05)], 0.0, Ink::hex(0x2A0E10).at(0.5), Some(&clip));
    for side in [-1.0, 1.0] {
        let corner = s.place.at([side * lines.half, lines.corner]);
        canvas.soft(corner, [u(0.11), u(0.12)], 0.0, Ink::hex(0x2A0E10).at(0.75), Some(&clip));
    }
}

/// A row of teeth that hangs (or, with a negative length, stands) on a lip's edge.
fn row(canvas: &mut Canvas, s: &Sitter<'_>, clip: &Mask, edge: impl Fn(f32) -> P, long: f32, ink: Ink) {
    let end = |t: f32| {
        let p = edge(t);
        [p[0], p[1] + long * (1.0 - 0.35 * t * t)]
    };
    canvas.fill(&between(s, &edge, end), ink.at(1.0), Some(clip));
    for i in -3..=3 {
        let t = i as f32 * 0.25;
        let gap = [edge(t), end(t)].map(|p| s.place.lifted(p, 0.03));
        canvas.line(&Shape::open(&gap), s.place.px(0.008), Ink::hex(0x8A6E62).at(0.35), Some(clip));
    }
}

/// The dark line between closed lips, and the corners' accents.
fn seam(canvas: &mut Canvas, s: &Sitter<'_>, lines: &Lines, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let dark = s.person.mouth.ink.shade(0.85).mix(Ink::hex(0x3A1512), 0.5);
    let line: Vec<P> = along(|t| lines.upper_inner(t)).into_iter().map(|p| s.place.lifted(p, 0.03)).collect();
    let n = line.len() as f32 - 1.0;
    let thick = u(0.026);
    let widths: Vec<f32> = (0..line.len())
        .map(|i| {
            let t = 2.0 * i as f32 / n - 1.0;
            thick * (0.55 + 0.45 * (1.0 - t * t))
        })
        .collect();
    canvas.fill(&Shape::ribbon(&line, &widths), dark.at(0.9), Some(clip));
    for side in [-1.0, 1.0] {
        let smile = s.m(Muscle::Corner).clamp(-1.0, 1.0);
        let tick = [
            [lines.half - 0.03, lines.corner],
            [lines.half + 0.02, lines.corner - 0.012 * smile],
            [lines.half + 0.045, lines.corner - 0.045 * smile],
        ]
        .map(|p| s.place.at([side * p[0], p[1]]));
        canvas.fill(&Shape::ribbon(&tick, &[0.022, 0.024, 0.006].map(u)), dark.at(0.7), Some(clip));
    }
}

/// The shade under the lower lip, the groove above the upper one, and a chin pushed up.
fn around(canvas: &mut Canvas, s: &Sitter<'_>, lines: &Lines, clip: &Mask) {
    let u = |length: f32| s.place.px(length);
    let below = lines.lower + lines.thick_lower + 0.045;
    canvas.soft(
        s.place.at([0.0, below]),
        [u(0.85 * lines.half), u(0.085)],
        0.0,
        s.shadow(0.6).at(0.5),
        Some(clip),
    );
    let groove = s.place.at([0.0, lines.upper - lines.thick_upper - 0.07]);
    canvas.soft(groove, [u(0.045), u(0.085)], 0.0, s.shadow(0.45).at(0.35), Some(clip));
    let pout = s.m(Muscle::Pout).clamp(0.0, 1.0);
    if pout > 0.05 {
        let bow = [[-0.17, below + 0.10], [0.0, below + 0.035], [0.17, below + 0.10]].map(|p| s.place.at(p));
        canvas.fill(
            &Shape::ribbon(&bow, &[0.006, 0.030, 0.006].map(u)),
            s.shadow(0.75).at(0.5 * pout),
            Some(clip),
        );
    }
    let frown = (-s.m(Muscle::Corner)).clamp(0.0, 1.0);
    if frown > 0.05 {
        for side in [-1.0, 1.0] {
            let line = [
                [lines.half + 0.02, lines.corner + 0.03],
                [lines.half + 0.055, lines.corner + 0.07],
                [lines.half + 0.05, lines.corner + 0.125],
            ]
            .map(|p| s.place.at([side * p[0], p[1]]));
            canvas.fill(
                &Shape::ribbon(&line, &[0.008, 0.024, 0.006].map(u)),
                s.shadow(0.75).at(0.55 * frown),
                Some(clip),
            );
        }
    }
}
