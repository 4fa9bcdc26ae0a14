//! Where a head stands in the picture and how it is held.
//! In: points on the face, in head units. Out: points in pixels.

use crate::brush::P;

/// How a head is held, in radians; all zero looks straight ahead. Natural up to about 0.35 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Leaning to a shoulder: positive is clockwise in the picture.
    pub tilt: f32,
    /// Looking to a side: positive is to the right of the picture.
    pub turn: f32,
    /// Looking up or down: positive is down.
    pub nod: f32,
}

/// Maps head units to pixels.
///
/// The head's unit is half its width at the cheekbones. Its origin lies between the eyes; the chin is
/// at about `[0, 1.35]`, the crown at `[0, -1.4]`. Points lie on an ellipsoid, so that features move
/// against the outline when the head turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    /// Where the origin of an upright head lies, in pixels.
    pub(crate) origin: P,
    /// Pixels per head unit.
    pub(crate) unit: f32,
    /// How the head is held.
    pub(crate) pose: Pose,
}

/// Where the head pivots when it tilts: the top of the neck.
const PIVOT: P = [0.0, 1.15];

impl Placement {
    /// A point on the face.
    pub(crate) fn at(&self, p: P) -> P {
        self.deep(p, surface(p))
    }

    /// A point on the face's surface plus a lift towards the viewer.
    pub(crate) fn lifted(&self, p: P, lift: f32) -> P {
        self.deep(p, surface(p) + lift)
    }

    /// A point at a depth of its own: 0 is the plane of the ears, 0.9 the tip of the face.
    pub(crate) fn deep(&self, p: P, depth: f32) -> P {
        let Pose { tilt, turn, nod } = self.pose;
        let (x, z) = (p[0] * turn.cos() + depth * turn.sin(), depth * turn.cos() - p[0] * turn.sin());
        // The nod turns about the middle of the head, which lies 0.15 below the eyes.
        let y = 0.15 + (p[1] - 0.15) * nod.cos() + z * nod.sin();
        let (x, y) = (x - PIVOT[0], y - PIVOT[1]);
        let (sin, cos) = tilt.sin_cos();
        self.still([PIVOT[0] + x * cos - y * sin, PIVOT[1] + x * sin + y * cos])
    }

    /// A point that does not move with the head (shoulders, background).
    pub(crate) fn still(&self, p: P) -> P {
        [self.origin[0] + p[0] * self.unit, self.origin[1] + p[1] * self.unit]
    }

    /// A length in pixels.
    pub(crate) fn px(&self, length: f32) -> f32 {
        length * self.unit
    }
}

/// Depth of the face at a point: an ellipsoid as wide as the head and a little longer.
fn surface(p: P) -> f32 {
    let [x, y] = [p[0] / 1.12, (p[1] - 0.05) / 1.75];
    0.85 * (1.0 - x * x - y * y).max(0.0).sqrt()
}

/// Depth of a hairline point: on the skin over the forehead, less beside the cheeks.
pub(crate) fn on_forehead(p: P) -> f32 {
    let x = p[0] / 1.12;
    let y = (p[1] - 0.05) / 1.75;
    0.85 * (1.0 - x * x - y * y).max(0.0).sqrt() * if p[1] > 0.0 { 0.3 } else { 1.0 }
}
