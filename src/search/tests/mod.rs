//! The search as a whole, over a strategy and an evaluator that are quick and exact.

mod commands;
mod failures;
mod fakes;
mod loop_;
mod resume;
mod steering;
