//! Every kernel against a readable slow twin, against Burn's own operation, and against finite differences.

mod convolution;
mod networks;
mod normalisation;
mod pooling;
mod slow;
mod support;
