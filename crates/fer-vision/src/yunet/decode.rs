//! What YuNet's network says → faces.
//! In: its outputs a stride. Out: [`YuNetFace`]s in the searched picture's pixels, surest first.
//!
//! As OpenCV's `FaceDetectorYN` (`modules/objdetect/src/face_detect.cpp`, 4.8 and later) decodes them.

use crate::detect::{FaceBox, Landmarks};

/// Of boxes that overlap by more than this (intersection over union), the surest stays.
const MOST_OVERLAP: f64 = 0.3;

/// So many candidates at most are compared with each other.
const MOST_CANDIDATES: usize = 5_000;

/// A face as YuNet finds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YuNetFace {
    /// From hairline to chin; its score is YuNet's, `0..=1`.
    pub face_box: FaceBox,
    /// Eyes, nose and mouth.
    pub landmarks: Landmarks,
}

/// The outputs at one stride, a value or group of values a cell, row after row.
pub(super) struct Cells {
    /// Pixels from one cell to the next.
    pub(super) stride: usize,
    /// Cells a row.
    pub(super) columns: usize,
    /// `[n_cells]`: whether it is a face rather than another thing.
    pub(super) cls: Vec<f32>,
    /// `[n_cells]`: whether it is a thing at all.
    pub(super) obj: Vec<f32>,
    /// `[n_cells, 4]`: centre in cells from the cell's corner, logarithms of width and height in cells.
    pub(super) bbox: Vec<f32>,
    /// `[n_cells, 10]`: five points, in cells from the cell's corner.
    pub(super) kps: Vec<f32>,
}

/// The faces of at least this score, each once.
pub(super) fn decode(all: &[Cells], threshold: f32) -> Vec<YuNetFace> {
    let mut candidates: Vec<YuNetFace> = all.iter().flat_map(|cells| candidates(cells, threshold)).collect();
    // Stable, so that equals keep the order of strides, rows and columns.
    candidates.sort_by(|a, b| b.face_box.score.total_cmp(&a.face_box.score));
    candidates.truncate(MOST_CANDIDATES);
    let mut kept: Vec<YuNetFace> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|face| overlap(&face.face_box, &candidate.face_box) <= MOST_OVERLAP) {
            kept.push(candidate);
        }
    }
    kept
}

fn candidates(cells: &Cells, threshold: f32) -> impl Iterator<Item = YuNetFace> + '_ {
    let scores = cells.cls.iter().zip(&cells.obj);
    let parts = cells.bbox.as_chunks::<4>().0.iter().zip(cells.kps.as_chunks::<10>().0);
    scores.zip(parts).enumerate().filter_map(move |(idx, ((&cls, &obj), (bbox, kps)))| {
        let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
        if score.is_nan() || score < threshold {
            return None;
        }
        let stride = cells.stride as f32;
        let (column, row) = ((idx % cells.columns) as f32, (idx / cells.columns) as f32);
        let (width, height) = (bbox[2].exp() * stride, bbox[3].exp() * stride);
        let (x, y) = ((column + bbox[0]) * stride - width / 2.0, (row + bbox[1]) * stride - height / 2.0);
        let point = |idx: usize| ((kps[2 * idx] + column) * stride, (kps[2 * idx + 1] + row) * stride);
        let is_sound = [x, y, width, height].into_iter().chain(kps.iter().copied()).all(f32::is_finite);
        (is_sound && width > 0.0 && height > 0.0).then(|| YuNetFace {
            face_box: FaceBox { x, y, width, height, score },
            landmarks: Landmarks {
                right_eye: point(0),
                left_eye: point(1),
                nose: point(2),
                right_mouth: point(3),
                left_mouth: point(4),
            },
        })
    })
}

/// Intersection over union of two boxes in whole pixels, cut off as OpenCV cuts them.
fn overlap(a: &FaceBox, b: &FaceBox) -> f64 {
    let edges = |face: &FaceBox| {
        let [x, y, width, height] = [face.x, face.y, face.width, face.height].map(|v| f64::from(v).trunc());
        (x, y, x + width, y + height)
    };
    let (a, b) = (edges(a), edges(b));
    let area =
        |(left, top, right, bottom): (f64, f64, f64, f64)| (right - left).max(0.0) * (bottom - top).max(0.0);
    let shared = area((a.0.max(b.0), a.1.max(b.1), a.2.min(b.2), a.3.min(b.3)));
    let all = area(a) + area(b) - shared;
    // Two boxes without a pixel are the same to OpenCV.
    if all > 0.0 { shared / all } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of `rows` × `columns` without a face.
    fn blank(stride: usize, rows: usize, columns: usize) -> Cells {
        let n = rows * columns;
        Cells {
            stride,
            columns,
            cls: vec![0.0; n],
            obj: vec![1.0; n],
            bbox: vec![0.0; 4 * n],
            kps: vec![0.0; 10 * n],
        }
    }

    fn put(cells: &mut Cells, idx: usize, score: f32, bbox: [f32; 4]) {
        cells.cls[idx] = score;
        cells.bbox[4 * idx..4 * idx + 4].copy_from_slice(&bbox);
    }

    #[test]
    fn a_cell_says_where_its_box_and_points_are_in_cells() {
        let mut cells = blank(16, 4, 5);
        // Row 2, column 3; half a cell to the right, a quarter down; twice and four times a cell.
        put(&mut cells, 13, 0.81, [0.5, 0.25, 2.0_f32.ln(), 4.0_f32.ln()]);
        cells.kps[130..140].copy_from_slice(&[-0.5, -0.25, 1.5, -0.25, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]);
        let faces = decode(&[blank(8, 8, 10), cells], 0.8);
        assert_eq!(faces.len(), 1);
        let FaceBox { x, y, width, height, score } = faces[0].face_box;
        for (found, expected) in
            [(x, 56.0 - 16.0), (y, 36.0 - 32.0), (width, 32.0), (height, 64.0), (score, 0.9)]
        {
            assert!((found - expected).abs() < 1e-4, "{:?}", faces[0]);
        }
        let expected = Landmarks {
            right_eye: (40.0, 28.0),
            left_eye: (72.0, 28.0),
            nose: (56.0, 40.0),
            right_mouth: (48.0, 48.0),
            left_mouth: (64.0, 48.0),
        };
        assert_eq!(faces[0].landmarks, expected);
    }

    #[test]
    fn scores_are_means_of_two_kinds_cut_to_their_range_and_held_to_the_threshold() {
        let mut cells = blank(8, 1, 4);
        for (idx, (cls, obj)) in
            [(1.5, 0.64), (0.9, -1.0), (0.9, 0.7), (f32::NAN, 1.0)].into_iter().enumerate()
        {
            cells.cls[idx] = cls;
            cells.obj[idx] = obj;
        }
        let faces = decode(&[cells], 0.795);
        assert_eq!(faces.len(), 1, "{faces:?}");
        assert!((faces[0].face_box.score - 0.8).abs() < 1e-6);
    }

    #[test]
    fn of_boxes_that_overlap_the_surest_stays_whatever_its_stride() {
        let (mut fine, mut coarse) = (blank(8, 4, 8), blank(16, 2, 4));
        let side = |cells: f32| cells.ln();
        put(&mut fine, 0, 0.7, [2.0, 2.0, side(4.0), side(4.0)]); // 0..32
        put(&mut coarse, 0, 0.9, [1.0, 1.0, side(2.0), side(2.0)]); // the same
        put(&mut fine, 1, 0.8, [4.0, 2.0, side(4.0), side(4.0)]); // 24..56: 8 of 56 columns are shared
        let scores: Vec<f32> = decode(&[fine, coarse], 0.5)
            .iter()
            .map(|face| face.face_box.score * face.face_box.score)
            .collect();
        assert_eq!(scores.len(), 2);
        assert!((scores[0] - 0.9).abs() < 1e-6 && (scores[1] - 0.8).abs() < 1e-6, "{scores:?}");
    }

    #[test]
    fn a_box_without_end_is_none() {
        let mut cells = blank(8, 1, 2);
        put(&mut cells, 0, 1.0, [0.0, 0.0, 1_000.0, 0.0]);
        put(&mut cells, 1, 1.0, [f32::NAN, 0.0, 0.0, 0.0]);
        assert_eq!(decode(&[cells], 0.5), []);
    }
}
