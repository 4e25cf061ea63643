//! The rules of the strategies' settings.

use super::{Checked, between, positive, together_with, violation, whole};
use crate::config::raw::{RawController, RawEvolution, RawPpo, RawPredictor, RawSearch};
use crate::config::{
    BaselineKind, Config, ControllerConfig, EvolutionConfig, PpoConfig, PredictorConfig,
    StrategyFacts,
};

/// The strategy that is asked for.
pub fn strategy(raw: &RawSearch) -> Checked<&'static StrategyFacts> {
    if let Some(strategy) = StrategyFacts::named(&raw.strategy) {
        return Ok(strategy);
    }
    let names: Vec<&str> = StrategyFacts::all().iter().map(|one| one.name).collect();
    let rule = format!("must be one of {}", names.join(", "));
    violation("search.strategy", &raw.strategy, rule)
}

/// A child that is alone in its episode cannot be compared with others.
pub fn others_exist(config: &Config) -> Checked<()> {
    if config.search.strategy.has_policy
        && config.controller.baseline == BaselineKind::LeaveOneOut
        && config.search.children_per_episode < 2
    {
        let rule = "must be \"moving_average\" if search.children_per_episode is 1";
        return together_with(
            "search.children_per_episode",
            violation("controller.baseline", "leave_one_out", rule),
        );
    }
    Ok(())
}

pub fn controller(raw: &RawController) -> Checked<ControllerConfig> {
    Ok(ControllerConfig {
        hidden_size: whole("controller.hidden_size", raw.hidden_size, 1, 4_096)?,
        layers: whole("controller.layers", raw.layers, 1, 16)?,
        init_range: positive("controller.init_range", raw.init_range, 10.0)?,
        learning_rate: positive("controller.learning_rate", raw.learning_rate, 10.0)?,
        entropy: between("controller.entropy", raw.entropy, 0.0, 100.0)?,
        baseline: raw.baseline,
        baseline_decay: between("controller.baseline_decay", raw.baseline_decay, 0.0, 1.0)?,
        gradient_clip: positive("controller.gradient_clip", raw.gradient_clip, 1e6)?,
    })
}

/// Largest population: a larger number is a typing mistake.
const MOST_MEMBERS: i64 = 1_000_000;

pub fn evolution(raw: &RawEvolution) -> Checked<EvolutionConfig> {
    let population = whole("evolution.population", raw.population, 1, MOST_MEMBERS)?;
    let sample = whole("evolution.sample", raw.sample, 1, MOST_MEMBERS)?;
    if sample > population {
        let rule = format!("must be at most evolution.population ({population})");
        return together_with(
            "evolution.population",
            violation("evolution.sample", sample, rule),
        );
    }
    Ok(EvolutionConfig { population, sample })
}

pub fn ppo(raw: &RawPpo) -> Checked<PpoConfig> {
    Ok(PpoConfig {
        epochs: whole("ppo.epochs", raw.epochs, 1, 1_000)?,
        clip: positive("ppo.clip", raw.clip, 1.0)?,
    })
}

pub fn predictor(raw: &RawPredictor) -> Checked<PredictorConfig> {
    Ok(PredictorConfig {
        initial: whole("predictor.initial", raw.initial, 2, 1_000_000)?,
        networks: whole("predictor.networks", raw.networks, 2, 100)?,
        candidates: whole("predictor.candidates", raw.candidates, 1, 100_000)?,
    })
}
