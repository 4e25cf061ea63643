//! Neural Architecture Search with reinforcement learning, run and watched in a terminal.
//!
//! ```text
//! config -> space -> controller -> child -> evaluate(worker: data, train) -> reward -> controller
//!                                \-> event -> journal -> state -> tui | headless | report
//! ```

pub mod cli;
pub mod config;
pub mod evaluate;
pub mod event;
pub mod link;
pub mod reward;
pub mod space;
pub mod state;
pub mod telemetry;
pub mod tui;
