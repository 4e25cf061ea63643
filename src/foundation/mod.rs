//! Helpers that every room uses: complete-or-absent files, seeds, human-readable numbers, the
//! machine and its devices. Nothing here knows about runs.

pub mod axis;
pub mod build_info;
pub mod device;
pub mod durable;
pub mod fault;
pub mod hash;
pub mod host;
pub mod input;
pub mod messages;
pub mod near;
pub mod numbers;
pub mod sealed;
pub mod seeds;
pub mod spawning;
pub mod text;
pub mod thread;
