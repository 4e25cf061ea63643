//! Neural Architecture Search with reinforcement learning, run and watched in a terminal.
//!
//! ```text
//! config -> space -> controller -> child -> evaluate(worker: data, train) -> reward -> controller
//!                                \-> event -> journal -> state -> tui | headless | report
//! ```

pub mod analysis;
#[cfg(feature = "torch")]
pub mod child;
pub mod classification;
pub mod cli;
pub mod config;
pub mod controller;
pub mod data;
pub mod evaluate;
pub mod event;
pub mod export;
pub mod foundation;
pub mod journal;
pub mod link;
pub mod report;
pub mod reward;
pub mod runs;
pub mod search;
#[cfg(feature = "torch")]
pub mod selftest;
pub mod session;
pub mod space;
pub mod state;
pub mod strategy;
pub mod study;
pub mod telemetry;
#[cfg(feature = "torch")]
pub mod train;
#[cfg(feature = "torch")]
pub mod training;
pub mod tui;
