//! A child: an [`Architecture`](crate::space::Architecture) as a libtorch module, and its weights
//! as a file.

pub mod cuda;
pub mod device;
mod joining;
mod layout;
pub mod libtorch;
mod network;
mod parameters;
mod plan;
mod spectral;
mod statistics;
pub mod weights;

pub use network::{Mode, Network};
pub use parameters::Parameters;
pub use plan::Plan;
