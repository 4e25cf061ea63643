//! The search as a whole, over a strategy and an evaluator that are quick and exact.

mod bandit;
mod calculator;
mod commands;
mod exclusion;
mod failures;
mod fakes;
mod loop_;
mod reference;
mod refusals;
mod resume;
mod steering;
