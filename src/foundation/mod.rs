//! What every room stands on: files that are whole or not there, seeds, numbers as people read
//! them, the machine and its devices. Nothing here knows of runs.

pub mod axis;
pub mod build_info;
pub mod device;
pub mod durable;
pub mod fault;
pub mod hash;
pub mod host;
pub mod numbers;
pub mod sealed;
pub mod seeds;
