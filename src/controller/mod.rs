//! The controller: an LSTM policy over the heads of a space, trained by REINFORCE (paper, sections
//! 3.1 and 3.2) or PPO.
//!
//! Everything is computed in double precision on the CPU: the network is so small that this costs
//! nothing, and gradients can be checked tightly. Shapes are fixed by the heads and checked where
//! data comes in, so the panicking forms of tch's operations are used inside.

pub mod adam;
mod anchor;
pub mod evaluation;
pub mod policy;
pub mod ppo;
pub mod reinforce;
mod steps;

pub use adam::Adam;
pub use evaluation::Evaluation;
pub use policy::Policy;
pub use ppo::Ppo;
pub use reinforce::Reinforce;

#[cfg(test)]
mod tests;
