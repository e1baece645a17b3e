//! All fuzz targets in one program, so that it is linked once. `FUZZ_TARGET` names the one to run.

#![no_main]

mod shared;
mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let mut targets = targets::ALL.iter();
    let found = targets.find(|(known, _)| *known == name);
    found.expect("a known target").1
});

fuzz_target!(|data: &[u8]| TARGET(data));
