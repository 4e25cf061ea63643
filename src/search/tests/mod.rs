//! The search as a whole, with a fast and exact strategy and evaluator.

mod bandit;
mod calculator;
mod commands;
mod controls;
mod exclusion;
mod failures;
mod fakes;
mod loop_;
mod reference;
mod refusals;
mod resume;
mod steering;
mod table;
