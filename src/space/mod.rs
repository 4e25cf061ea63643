//! The search space: what a controller may decide, which choices can be built, and what a network costs.

pub mod architecture;
pub mod decision;
mod decode;
pub mod dna;
mod feasibility;

pub use architecture::{Architecture, ArchitectureError, Layer};
pub use decision::{Decision, DecisionKind, NextDecision, Prefix, Space, SpaceError};
pub use dna::Dna;
