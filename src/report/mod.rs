//! What a run amounts to, from its events alone. No libtorch here.

pub mod figures;
pub mod headless;
pub mod page;
