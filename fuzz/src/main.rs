//! libFuzzer's program: feeds the target named by `FUZZ_TARGET`. `make fuzz` runs them all.

#![no_main]

mod targets;

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = targets::ALL.iter().find(|(known, _)| *known == name);
    target
        .unwrap_or_else(|| panic!("FUZZ_TARGET={name}: there is no such target"))
        .1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
