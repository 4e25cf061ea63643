//! A child: an [`Architecture`](crate::space::Architecture) as a libtorch module, and its weights
//! as a file.

pub mod cuda;
pub mod device;
mod joining;
mod layout;
pub mod libtorch;
mod mode;
mod network;
mod parameters;
mod plan;
mod spectral;
mod statistics;
pub mod weights;

pub use mode::Mode;
pub use network::Network;
pub use parameters::{KernelPlace, Parameters};
pub use plan::Plan;
