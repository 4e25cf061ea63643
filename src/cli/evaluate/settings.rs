//! Interprets the options: the network, the data, and the images that the preparation is fitted to.

use std::path::PathBuf;

use super::super::OrBadInput;
use super::super::arch::RunSettings;
use super::Args;
use crate::config::{Crop, DataConfig, DataSource, Flip, Normalization};
use crate::data;
use crate::space::Architecture;

/// What is evaluated, and on which data.
pub(super) struct EvaluationSettings {
    pub(super) data: DataConfig,
    /// If not specified, the default number of the data set.
    pub(super) validation: Option<usize>,
    pub(super) architecture: Architecture,
}

impl EvaluationSettings {
    pub(super) fn new(
        args: &Args,
        origin: Option<&RunSettings>,
    ) -> anyhow::Result<EvaluationSettings> {
        let own = origin.map(|origin| &origin.config.data);
        let (source, dir) = source(args, own)?;
        // The scale at which a network sees objects belongs to the network, whatever the data.
        // (Nothing is random here, so there is no padding.)
        let crop = match (args.upsample, own.map(|own| own.crop)) {
            (Some(side), _) => Crop::Upsample(side as usize),
            (None, Some(Crop::Upsample(side))) => Crop::Upsample(side),
            (None, None | Some(Crop::None | Crop::Pad(_))) => Crop::None,
        };
        // The training images that the normalisation was fitted to, if the data are the same.
        let own = own.filter(|own| {
            own.source == source
                || (own.source, source) == (DataSource::Cifar10, DataSource::Cifar10_1)
        });
        let size = args.size.or(own.map(|own| own.size));
        let normalization = match own {
            _ if args.whitening => Normalization::Whitening,
            Some(own) => own.normalization,
            None => Normalization::Standard,
        };
        let validation = args.validation.or(own.map(|own| own.validation));
        let limit = own.and_then(|own| own.limit);
        let mut data = DataConfig {
            source,
            dir,
            size: size.unwrap_or([32; 2]),
            validation: validation.unwrap_or(0),
            limit,
            normalization,
            crop,
            flip: Flip::None,
            cutout: 0,
        };
        let (input, classes) = data::shape(&data).or_bad_input()?;
        let architecture = args.arch.resolve(input, classes)?;
        if size.is_none() {
            // A DNA or a built-in network takes images of the size above.
            data.size = [architecture.input[1], architecture.input[2]];
        }
        Ok(EvaluationSettings {
            data,
            validation,
            architecture,
        })
    }
}

/// The data set and its folder.
fn source(args: &Args, own: Option<&DataConfig>) -> anyhow::Result<(DataSource, Option<PathBuf>)> {
    let (source, dir) = match (&args.data, own) {
        (Some(spec), _) => data::parse_spec(spec).or_bad_input()?,
        (None, Some(own)) => (own.source, own.dir.clone()),
        (None, None) => (DataSource::FashionMnistMini, None),
    };
    if args.against.is_some() && source != DataSource::Cifar10_1 {
        return Err(bad_input!(
            "--against can only be used with --data cifar10.1, not {}",
            source.name()
        ));
    }
    Ok((source, dir))
}

/// CIFAR-10 as given by `--against`, with the other settings of `config`.
pub(super) fn cifar10_config(args: &Args, config: &DataConfig) -> anyhow::Result<DataConfig> {
    let spec = args.against.as_deref().unwrap_or("cifar10");
    match data::parse_spec(spec).or_bad_input()? {
        (source @ DataSource::Cifar10, dir) => Ok(DataConfig {
            source,
            dir,
            ..config.clone()
        }),
        _ => Err(bad_input!(
            "--against {spec}: cifar10.1 can only be compared with cifar10[:DIR]"
        )),
    }
}

/// The data whose training images the preparation is fitted to: for CIFAR-10.1 those of CIFAR-10.
pub(super) fn training_config(args: &Args, config: &DataConfig) -> anyhow::Result<DataConfig> {
    match config.source {
        DataSource::Cifar10_1 => cifar10_config(args, config),
        _ => Ok(config.clone()),
    }
}
