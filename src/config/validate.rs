//! Validates raw settings: each rule is one function whose error names the key, the value and the
//! range.

mod slurm;
mod space;
mod strategies;
mod train;

use std::borrow::Cow;
use std::path::PathBuf;

use super::raw::{
    Count, RawChild, RawConfig, RawConstraints, RawCrop, RawData, RawEarlyStopping, RawReward,
    RawScreen, RawSearch, RawWorkers,
};
use super::{
    ChildConfig, Config, ConstraintsConfig, Crop, DataConfig, DataSource, EarlyStoppingConfig,
    MacsPenalty, Reuse, RewardConfig, ScreenConfig, SearchConfig, WorkersConfig,
};

use crate::foundation::numbers;

pub use self::space::{LARGEST_SETTING, check_choices};

/// A value that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value}: {rule}")]
pub struct Violation {
    /// Dotted key, for example `child.epochs`.
    pub key: Cow<'static, str>,
    /// The other key of a rule about two keys.
    pub related: Option<&'static str>,
    /// The value as a user would write it.
    pub value: String,
    /// What the value must be.
    pub rule: String,
}

impl Violation {
    /// A broken rule about one key.
    pub fn new(
        key: impl Into<Cow<'static, str>>,
        value: impl ToString,
        rule: impl Into<String>,
    ) -> Violation {
        let value = match value.to_string() {
            nothing if nothing.is_empty() => "\"\"".to_owned(),
            value => numbers::short(&value),
        };
        Violation {
            key: key.into(),
            related: None,
            value,
            rule: rule.into(),
        }
    }
}

type Checked<T> = Result<T, Violation>;

fn violation<T>(key: &'static str, value: impl ToString, rule: impl Into<String>) -> Checked<T> {
    Err(Violation::new(key, value, rule))
}

/// Marks a rule about two keys: the message gives the place of whichever the user set.
fn together_with<T>(related: &'static str, checked: Checked<T>) -> Checked<T> {
    checked.map_err(|violation| Violation {
        related: Some(related),
        ..violation
    })
}

/// Check every rule.
pub fn validate(raw: &RawConfig) -> Checked<Config> {
    let config = Config {
        preset: raw.preset.clone(),
        data: data(&raw.data)?,
        search: search(&raw.search)?,
        controller: strategies::controller(&raw.controller)?,
        evolution: strategies::evolution(&raw.evolution)?,
        ppo: strategies::ppo(&raw.ppo)?,
        predictor: strategies::predictor(&raw.predictor)?,
        space: together_with("space.layer", space::space(&raw.space))?,
        constraints: constraints(&raw.constraints)?,
        child: child(&raw.child)?,
        early_stopping: early_stopping(&raw.early_stopping)?,
        reward: reward(&raw.reward)?,
        workers: workers(&raw.workers)?,
        slurm: slurm::slurm(&raw.slurm)?,
        train: train::train(&raw.train, &raw.recipes)?,
        screen: screen(&raw.screen)?,
        raw: raw.clone(),
    };
    together_with("child.epochs", last_epochs_fit(&config))?;
    together_with("search.episodes", depth_fits(&config.search))?;
    together_with("search.table", stopping_fits(&config))?;
    together_with("search.table", reuse_fits(&config))?;
    strategies::others_exist(&config)?;
    slurm::cluster_fits(&config)?;
    Ok(config)
}

fn whole(key: &'static str, value: i64, least: i64, most: i64) -> Checked<usize> {
    if value < least || value > most {
        return violation(
            key,
            value,
            format!("must be a whole number from {least} to {most}"),
        );
    }
    Ok(value as usize)
}

fn positive(key: &'static str, value: f64, most: f64) -> Checked<f64> {
    if !value.is_finite() || value <= 0.0 || value > most {
        return violation(
            key,
            value,
            format!("must be greater than 0 and at most {most}"),
        );
    }
    Ok(value)
}

fn between(key: &'static str, value: f64, least: f64, below: f64) -> Checked<f64> {
    if !value.is_finite() || value < least || value >= below {
        return violation(
            key,
            value,
            format!("must be at least {least} and below {below}"),
        );
    }
    Ok(value)
}

/// Names of keys and actions are checked by the screen, which knows them.
fn screen(raw: &RawScreen) -> Checked<ScreenConfig> {
    if !raw.refresh_rate.is_finite() || !(0.1..=30.0).contains(&raw.refresh_rate) {
        return violation(
            "screen.refresh_rate",
            raw.refresh_rate,
            "must be from 0.1 to 30 frames per second",
        );
    }
    let repeated = |place: &usize| raw.columns[..*place].contains(&raw.columns[*place]);
    if let Some(place) = (0..raw.columns.len()).find(repeated) {
        let name = raw.columns[place].name();
        return violation("screen.columns", name, "comes twice");
    }
    let RawScreen {
        layout,
        theme,
        colours,
        characters,
        refresh_rate,
        alerts,
        mouse,
        title,
        columns,
        keys,
    } = raw.clone();
    Ok(ScreenConfig {
        layout,
        theme,
        colours,
        characters,
        refresh_rate,
        alerts,
        mouse,
        title,
        columns,
        keys,
    })
}

fn data(raw: &RawData) -> Checked<DataConfig> {
    let (source, dir) = together_with("data.source", source(raw))?;
    let limit = raw
        .limit
        .map(|limit| whole("data.limit", limit, 1, 100_000_000))
        .transpose()?;
    Ok(DataConfig {
        source,
        dir,
        size: [
            whole("data.size", raw.size[0], 4, 1_024)?,
            whole("data.size", raw.size[1], 4, 1_024)?,
        ],
        validation: whole("data.validation", raw.validation, 1, 10_000_000)?,
        limit,
        normalization: raw.normalization,
        crop: together_with("data.crop", crop(raw))?,
        flip: raw.flip,
        cutout: whole("data.cutout_pixels", raw.cutout_pixels, 0, 2_048)?,
    })
}

/// `data.source` may include its folder, like SPEC on the command line.
fn source(raw: &RawData) -> Checked<(DataSource, Option<PathBuf>)> {
    let (name, folder) = match raw.source.split_once(':') {
        Some((name, folder)) => (name, Some(PathBuf::from(folder))),
        None => (raw.source.as_str(), None),
    };
    let Some(source) = DataSource::from_name(name) else {
        return violation(
            "data.source",
            &raw.source,
            format!("must be one of {}", DataSource::NAMES.join(", ")),
        );
    };
    if folder.is_some() && raw.dir.is_some() {
        return violation(
            "data.dir",
            raw.dir.clone().unwrap_or_default().display(),
            "is given twice: data.source also names a folder",
        );
    }
    let dir = folder.or_else(|| raw.dir.clone());
    match (source, &dir) {
        (DataSource::Folder, None) => violation(
            "data.dir",
            "nothing",
            "must name the folder that contains train/CLASS/*.png (or .jpg, .webp, .bmp)",
        ),
        (DataSource::Cifar10_1, _) => {
            let rule = format!(
                "must be one of {}: cifar10.1 is only a test set, for `nas-tui evaluate`",
                DataSource::NAMES.join(", ")
            );
            violation("data.source", &raw.source, rule)
        }
        (DataSource::FashionMnistMini, Some(dir)) => violation(
            "data.dir",
            dir.display(),
            "must be left out: fashion-mnist-mini is embedded in the program",
        ),
        _ => Ok((source, dir)),
    }
}

fn crop(raw: &RawData) -> Checked<Crop> {
    match raw.crop {
        RawCrop::None => Ok(Crop::None),
        RawCrop::Pad => whole("data.crop_pixels", raw.crop_pixels, 1, 256).map(Crop::Pad),
        RawCrop::Upsample => {
            whole("data.crop_pixels", raw.crop_pixels, 4, 2_048).map(Crop::Upsample)
        }
    }
}

fn search(raw: &RawSearch) -> Checked<SearchConfig> {
    Ok(SearchConfig {
        strategy: strategies::strategy(raw)?,
        episodes: whole("search.episodes", raw.episodes, 1, 1_000_000)?,
        children_per_episode: whole(
            "search.children_per_episode",
            raw.children_per_episode,
            1,
            10_000,
        )?,
        controls_per_episode: whole("search.controls", raw.controls, 0, 1_000)?,
        reuse: raw.reuse,
        reuse_limit: whole("search.reuse_limit", raw.reuse_limit, 2, 1_000)?,
        updates: raw.updates,
        seed: whole("search.seed", raw.seed, 0, i64::MAX)? as u64,
        initial_depth: whole("search.initial_depth", raw.initial_depth, 1, MOST_LAYERS)?,
        depth_step: whole("search.depth_step", raw.depth_step, 0, MOST_LAYERS)?,
        depth_every: whole("search.depth_every", raw.depth_every, 1, 100_000_000)?,
        reference: raw.reference.clone(),
        table: raw.table.clone(),
    })
}

/// Deeper children are refused: such a number is a typing mistake.
pub const MOST_LAYERS: i64 = 200;

fn depth_fits(search: &SearchConfig) -> Checked<()> {
    let deepest = search.depth(search.children());
    if deepest > MOST_LAYERS as usize {
        return violation(
            "search.depth_step",
            search.depth_step,
            format!("makes the last child {deepest} layers deep; at most {MOST_LAYERS}"),
        );
    }
    Ok(())
}

fn child(raw: &RawChild) -> Checked<ChildConfig> {
    let momentum = between("child.momentum", raw.momentum, 0.0, 1.0)?;
    if raw.nesterov && momentum == 0.0 {
        return together_with(
            "child.momentum",
            violation("child.nesterov", true, "needs child.momentum above 0"),
        );
    }
    Ok(ChildConfig {
        epochs: whole("child.epochs", raw.epochs, 1, 100_000)?,
        batch_size: whole("child.batch_size", raw.batch_size, 2, 1_000_000)?,
        learning_rate: positive("child.learning_rate", raw.learning_rate, 100.0)?,
        momentum,
        nesterov: raw.nesterov,
        weight_decay: between("child.weight_decay", raw.weight_decay, 0.0, 10.0)?,
        schedule: raw.schedule,
    })
}

/// A row of a table has one accuracy: there is no training to stop.
fn stopping_fits(config: &Config) -> Checked<()> {
    if config.search.table.is_some() && config.early_stopping.below > 0.0 {
        return violation(
            "early_stopping.below",
            config.early_stopping.below,
            "must be 0 where children are looked up in a table (search.table)",
        );
    }
    Ok(())
}

/// A row of a table has one accuracy: another look-up finds the same, and the mean is the first.
fn reuse_fits(config: &Config) -> Checked<()> {
    if config.search.table.is_some() && config.search.reuse == Reuse::Mean {
        return violation(
            "search.reuse",
            "mean",
            "must be first or never where children are looked up in a table (search.table), which finds the same accuracy again",
        );
    }
    Ok(())
}

fn early_stopping(raw: &RawEarlyStopping) -> Checked<EarlyStoppingConfig> {
    Ok(EarlyStoppingConfig {
        below: between("early_stopping.below", raw.below, 0.0, 1.0)?,
        after: between("early_stopping.after", raw.after, 0.0, 1.0)?,
    })
}

fn reward(raw: &RawReward) -> Checked<RewardConfig> {
    Ok(RewardConfig {
        last_epochs: whole("reward.last_epochs", raw.last_epochs, 1, 100_000)?,
        power: positive("reward.power", raw.power, 100.0)?,
        penalty: penalty(raw)?,
    })
}

fn penalty(raw: &RawReward) -> Checked<Option<MacsPenalty>> {
    let exponent = raw.macs_exponent;
    if !exponent.is_finite() || !(-10.0..=0.0).contains(&exponent) {
        return violation("reward.macs_exponent", exponent, "must be from -10 to 0");
    }
    let target = limit("reward.target_macs", raw.target_macs)?;
    Ok(target.map(|target| MacsPenalty { target, exponent }))
}

fn constraints(raw: &RawConstraints) -> Checked<ConstraintsConfig> {
    Ok(ConstraintsConfig {
        max_params: limit("constraints.max_params", raw.max_params)?,
        max_macs: limit("constraints.max_macs", raw.max_macs)?,
        max_memory: limit("constraints.max_memory", raw.max_memory)?,
    })
}

/// A positive number, if given.
fn limit(key: &'static str, value: Option<i64>) -> Checked<Option<u64>> {
    match value {
        Some(value) if value < 1 => violation(key, value, "must be a whole number from 1"),
        value => Ok(value.map(|value| value as u64)),
    }
}

/// A window longer than the training would silently mean "all epochs".
fn last_epochs_fit(config: &Config) -> Checked<()> {
    if config.reward.last_epochs > config.child.epochs {
        return violation(
            "reward.last_epochs",
            config.reward.last_epochs,
            format!(
                "must be at most child.epochs ({0}); with --set reward.last_epochs={0} it is",
                config.child.epochs
            ),
        );
    }
    Ok(())
}

fn workers(raw: &RawWorkers) -> Checked<WorkersConfig> {
    let number = |key, count| match count {
        Count::Auto => Ok(None),
        Count::Number(number) => whole(key, number, 1, 1_024).map(Some),
    };
    Ok(WorkersConfig {
        evaluator: raw.evaluator,
        count: number("workers.count", raw.count)?,
        threads: number("workers.threads", raw.threads)?,
        device: raw.device,
    })
}
