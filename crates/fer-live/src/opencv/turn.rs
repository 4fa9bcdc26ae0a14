//! Pictures turned about their centre, and rectangles found in them turned back.
//! In: a grey matrix and an angle. Out: a matrix of the same size; a rectangle in the one before.

use opencv::core::{BORDER_REPLICATE, Mat, MatTraitConst, Point2f, Rect, Scalar};
use opencv::imgproc;

/// The matrix turned about its centre, by degrees clockwise, edges continued.
pub(super) fn turned(gray: &Mat, clockwise: f64) -> opencv::Result<Mat> {
    if clockwise == 0.0 {
        return Ok(gray.clone());
    }
    let center = Point2f::new(gray.cols() as f32 / 2.0, gray.rows() as f32 / 2.0);
    // OpenCV's angles are counter-clockwise.
    let turn = imgproc::get_rotation_matrix_2d(center, -clockwise, 1.0)?;
    let mut out = Mat::default();
    let (size, edge) = (gray.size()?, BORDER_REPLICATE);
    imgproc::warp_affine(gray, &mut out, &turn, size, imgproc::INTER_LINEAR, edge, Scalar::default())?;
    Ok(out)
}

/// Where a rectangle of the matrix made upright lies in the matrix as it was, its centre turned `clockwise`.
pub(super) fn turn_back(rect: Rect, gray: &Mat, clockwise: f64) -> Rect {
    let (sin, cos) = clockwise.to_radians().sin_cos();
    let (cx, cy) = (f64::from(gray.cols()) / 2.0, f64::from(gray.rows()) / 2.0);
    let right = f64::from(rect.x) + f64::from(rect.width) / 2.0 - cx;
    let down = f64::from(rect.y) + f64::from(rect.height) / 2.0 - cy;
    let (x, y) = (cx + cos * right - sin * down, cy + sin * right + cos * down);
    let corner = |center: f64, side: i32| (center - f64::from(side) / 2.0).round() as i32;
    Rect::new(corner(x, rect.width), corner(y, rect.height), rect.width, rect.height)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, MatTrait, MatTraitConstManual};

    use super::*;

    #[test]
    fn a_place_found_in_a_turned_picture_is_turned_back_to_where_it_was() {
        let mut gray =
            Mat::new_rows_cols_with_default(60, 80, CV_8UC1, Scalar::all(0.0)).expect("a matrix fits");
        for (row, column) in [(19, 29), (19, 30), (20, 29), (20, 30)] {
            *gray.at_2d_mut::<u8>(row, column).expect("inside") = 255;
        }
        for clockwise in [-20.0, 0.0, 20.0, 45.0] {
            let upright = turned(&gray, -clockwise).expect("OpenCV turns");
            let pixels = upright.data_bytes().expect("one channel, one piece");
            let (brightest, _) = pixels.iter().enumerate().max_by_key(|&(_, v)| *v).expect("not empty");
            let (x, y) = ((brightest % 80) as i32, (brightest / 80) as i32);
            let place = turn_back(Rect::new(x - 5, y - 5, 10, 10), &gray, clockwise);
            let off = (place.x + 5 - 30).abs().max((place.y + 5 - 20).abs());
            assert!(off <= 1, "turned by {clockwise}: {place:?}");
        }
    }
}
