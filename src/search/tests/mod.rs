//! The search as a whole, with a fast and exact strategy and evaluator.

mod asynchronous;
mod bandit;
mod batches;
mod calculator;
mod commands;
mod controls;
mod early_stopping;
mod exclusion;
mod failures;
mod fakes;
mod loop_;
mod notes;
mod reference;
mod refusals;
mod repeats;
mod resume;
mod steering;
mod table;
mod unequal;
mod without_success;
