//! Pictures between the `image` crate and OpenCV.
//! In: either's. Out: the other's; borrowed where possible.

use image::RgbImage;
use opencv::boxed_ref::BoxedRef;
use opencv::core::{Mat, MatTraitConst, Vec3b};
use opencv::imgproc;

/// The picture's own bytes as a matrix of three channels, RGB.
pub(super) fn borrow(picture: &RgbImage) -> opencv::Result<BoxedRef<'_, Mat>> {
    Mat::new_rows_cols_with_bytes::<Vec3b>(picture.height() as i32, picture.width() as i32, picture.as_raw())
}

/// A matrix as OpenCV's cameras and videos give it, as a picture.
pub(super) fn to_rgb(mat: &Mat) -> opencv::Result<RgbImage> {
    let (width, height) = (mat.cols() as u32, mat.rows() as u32);
    let code = match mat.channels() {
        1 => imgproc::COLOR_GRAY2RGB,
        4 => imgproc::COLOR_BGRA2RGB,
        _ => imgproc::COLOR_BGR2RGB,
    };
    let mut picture = RgbImage::new(width, height);
    let mut target = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(height as i32, width as i32, &mut picture)?;
    imgproc::cvt_color_def(mat, &mut target, code)?;
    drop(target);
    Ok(picture)
}

/// A picture as OpenCV's window wants it.
pub(super) fn to_bgr(picture: &RgbImage) -> opencv::Result<Mat> {
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(&borrow(picture)?, &mut bgr, imgproc::COLOR_RGB2BGR)?;
    Ok(bgr)
}
