//! Pixels and time → readings.
//! In: frames with time stamps. Out: faces with boxes, tracks and smoothed probabilities.
