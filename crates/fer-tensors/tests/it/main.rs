//! Every kernel against a readable slow twin, against Burn's own operation, and against finite differences.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod convolution;
mod depthwise;
mod networks;
mod non_finite;
mod normalisation;
mod pooling;
mod refusals;
mod slow;
mod support;
