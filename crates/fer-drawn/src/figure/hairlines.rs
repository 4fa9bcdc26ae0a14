//! Where hair begins and ends over the skull.
//! In: a [`HairStyle`]. Out: points in head units, for a parting on the right of the picture.

use crate::{brush::P, person::HairStyle};

/// The outer edge from the left temple to the right one, and the hairline back again, of a style
/// that is one smooth cap; `None` for the others.
pub(super) fn edges(style: HairStyle) -> Option<(&'static [P], &'static [P])> {
    match style {
        HairStyle::SideParted => Some((&CROWN_SHORT, &PARTED)),
        HairStyle::Quiff => Some((&CROWN_QUIFF, &SWEPT_UP)),
        HairStyle::Bob => Some((&CROWN_BOB, &FRINGE)),
        HairStyle::Long => Some((&CROWN_LONG, &CURTAINS)),
        HairStyle::Bun => Some((&CROWN_TIGHT, &DRAWN_BACK)),
        HairStyle::Bald | HairStyle::Buzz | HairStyle::Curly | HairStyle::Afro | HairStyle::Scarf => None,
    }
}

const CROWN_SHORT: [P; 9] = [
    [-1.00, 0.10],
    [-1.06, -0.35],
    [-1.02, -0.90],
    [-0.70, -1.38],
    [0.0, -1.58],
    [0.70, -1.40],
    [1.02, -0.92],
    [1.06, -0.35],
    [1.00, 0.10],
];
const CROWN_QUIFF: [P; 9] = [
    [-0.99, 0.12],
    [-1.02, -0.35],
    [-0.98, -0.88],
    [-0.78, -1.36],
    [-0.20, -1.68],
    [0.46, -1.72],
    [0.98, -1.22],
    [1.03, -0.40],
    [0.99, 0.12],
];
const CROWN_BOB: [P; 9] = [
    [-1.22, 0.80],
    [-1.22, 0.0],
    [-1.14, -0.75],
    [-0.74, -1.36],
    [0.0, -1.58],
    [0.74, -1.36],
    [1.14, -0.75],
    [1.22, 0.0],
    [1.22, 0.80],
];
const CROWN_LONG: [P; 9] = [
    [-1.22, 1.10],
    [-1.18, 0.1],
    [-1.10, -0.75],
    [-0.72, -1.36],
    [0.0, -1.56],
    [0.72, -1.36],
    [1.10, -0.75],
    [1.18, 0.1],
    [1.22, 1.10],
];
/// Hair that lies close.
pub(super) const CROWN_TIGHT: [P; 9] = [
    [-1.00, 0.05],
    [-1.03, -0.40],
    [-0.96, -0.92],
    [-0.62, -1.34],
    [0.0, -1.50],
    [0.62, -1.34],
    [0.96, -0.92],
    [1.03, -0.40],
    [1.00, 0.05],
];

const PARTED: [P; 10] = [
    [0.97, 0.12],
    [0.90, -0.30],
    [0.80, -0.66],
    [0.62, -0.84],
    [0.30, -0.80],
    [-0.25, -0.76],
    [-0.62, -0.82],
    [-0.84, -0.60],
    [-0.90, -0.28],
    [-0.97, 0.12],
];
const SWEPT_UP: [P; 10] = [
    [0.97, 0.15],
    [0.90, -0.28],
    [0.80, -0.62],
    [0.66, -0.86],
    [0.34, -0.96],
    [-0.10, -0.98],
    [-0.50, -0.92],
    [-0.78, -0.68],
    [-0.90, -0.28],
    [-0.97, 0.15],
];
const FRINGE: [P; 11] = [
    [1.06, 0.75],
    [0.96, 0.30],
    [0.92, -0.20],
    [0.84, -0.56],
    [0.50, -0.65],
    [0.10, -0.67],
    [-0.40, -0.65],
    [-0.84, -0.56],
    [-0.92, -0.20],
    [-0.96, 0.30],
    [-1.06, 0.75],
];
const CURTAINS: [P; 11] = [
    [1.06, 1.0],
    [0.97, 0.35],
    [0.90, -0.20],
    [0.76, -0.62],
    [0.34, -0.98],
    [0.20, -1.12],
    [-0.05, -0.98],
    [-0.66, -0.66],
    [-0.88, -0.22],
    [-0.97, 0.35],
    [-1.06, 1.0],
];
const DRAWN_BACK: [P; 9] = [
    [0.98, 0.05],
    [0.91, -0.34],
    [0.76, -0.74],
    [0.44, -0.96],
    [0.0, -1.02],
    [-0.44, -0.96],
    [-0.76, -0.74],
    [-0.91, -0.34],
    [-0.98, 0.05],
];
