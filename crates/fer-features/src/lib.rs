//! Nothing but its `Cargo.toml`: the features that all builds of fer share.
//! In: nothing. Out: one compilation of Burn for programs, tests, benchmarks and the wheel.
