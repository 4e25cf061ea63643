//! The controller: an LSTM policy over the heads of a space, trained by REINFORCE (paper, sections
//! 3.1 and 3.2) or PPO.
//!
//! Everything is computed in plain Rust, in double precision: the matrices are so small that a call
//! into libtorch takes longer than the arithmetic in it. Values and derivatives are compared with
//! PyTorch's (`tests/gradients.rs`), in which the same parameters have the same names.

mod adam;
mod anchor;
pub mod evaluation;
mod linear;
mod lstm;
mod parameters;
pub mod policy;
pub mod ppo;
pub mod reinforce;

pub use evaluation::Evaluation;
pub use policy::Policy;
pub use ppo::Ppo;
pub use reinforce::Reinforce;

#[cfg(test)]
mod tests;
