//! YuNet's file, which fer does not bring along.
//! In: nothing. Out: what it is called, where it is to be had, and how to know it.

/// The published file's name.
pub const FILE: &str = "face_detection_yunet_2023mar.onnx";

/// Where it is to be had.
pub const WHERE: &str = "https://github.com/opencv/opencv_zoo, models/face_detection_yunet (Git LFS: the page's download \
                         button gives it, a plain clone a pointer of three lines)";

/// Bytes of the published file.
pub const BYTES: usize = 232_589;

/// The SHA-256 of the published file, hexadecimal.
pub const SHA256: &str = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4";

/// More than this is no YuNet and is not read further: about eighteen times the published file.
pub const MOST_BYTES: usize = 4 << 20;
