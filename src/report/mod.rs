//! Reports on a run, from its events alone. Needs no libtorch.

pub mod figures;
pub mod headless;
pub mod page;
