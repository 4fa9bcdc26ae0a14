//! All tests of fer-data, on faces made up by seed; on FER-2013 too where `FER2013_DIR` names it.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod audit;
mod augment;
mod balance;
mod cli;
mod facts;
mod fer2013;
mod ferplus;
mod fixtures;
mod folder;
mod judged;
mod law;
mod real;
mod slow;
mod tidy;
mod validation;
