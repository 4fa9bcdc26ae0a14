//! Readable twins of quick code: plain formulas in f64.

use fer_data::{Face, augment::Warp, face::SIDE};

/// The face seen through a map: every pixel asks where it came from, and mixes four neighbours.
pub(crate) fn resample(face: &Face, map: &Warp) -> Face {
    let centre = (SIDE as f64 - 1.0) / 2.0;
    let last = SIDE as f64 - 1.0;
    let grey = |x: f64, y: f64| f64::from(face.pixels()[y as usize * SIDE + x as usize]);
    let mut resampled = Face::blank(0);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let new = [column as f64 - centre, row as f64 - centre];
            let old = [0, 1].map(|i| {
                let [a, b] = map.matrix[i].map(f64::from);
                (a * new[0] + b * new[1] + f64::from(map.offset[i]) + centre).clamp(0.0, last)
            });
            let (x, y) = (old[0].floor(), old[1].floor());
            let (right, below) = (old[0] - x, old[1] - y);
            let (x1, y1) = ((x + 1.0).min(last), (y + 1.0).min(last));
            let upper = grey(x, y) * (1.0 - right) + grey(x1, y) * right;
            let lower = grey(x, y1) * (1.0 - right) + grey(x1, y1) * right;
            let mixed = upper * (1.0 - below) + lower * below;
            resampled.pixels_mut()[row * SIDE + column] = mixed.round() as u8;
        }
    }
    resampled
}
