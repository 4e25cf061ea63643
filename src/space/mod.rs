//! The search space: what a controller may decide, which options can be built, and what a network
//! costs.

pub mod architecture;
pub mod builtin;
pub mod cost;
pub mod decision;
pub mod decode;
pub mod design;
pub mod distance;
pub mod dna;
pub mod family;
mod feasibility;
pub mod file;
mod kind;
pub mod lanes;
pub mod load;
pub mod nasbench201;
pub mod weights;

pub use architecture::{Architecture, ArchitectureError, Layer};
pub use cost::{Cost, LayerCost, training_memory};
pub use decision::{Decision, NextDecision, Prefix, Space, SpaceError};
pub use decode::{Convolutions, describe};
pub use design::Design;
pub use dna::{Dna, Genes};
pub use file::{read_architecture, read_architectures, write_architecture};
pub use kind::DecisionKind;
pub use load::resolve_architecture;
