//! Whether the stages of a recipe fit the images and the network, found out before anything is
//! written.

use crate::config::{Crop, DataConfig, Normalization, Stage, TrainConfig};
use crate::space::{Architecture, ArchitectureError};

/// Why a network cannot be trained in the stages of its recipe. The message names the recipe, the
/// stage, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Images have one side per stage.
    #[error(
        "recipes.{recipe}.stages: the images are {height}x{width} pixels, but only square images can be trained on in stages: set data.size \
         to a square, or choose a recipe without stages"
    )]
    NotSquare {
        /// The recipe's name.
        recipe: String,
        /// Height of the images in pixels.
        height: usize,
        /// Width of the images in pixels.
        width: usize,
    },
    /// The network is for whole images, so the last stage must be too.
    #[error(
        "recipes.{recipe}.stages: the last stage has images of {last}x{last} pixels, but the data's are {size}x{size}: the last stage must \
         have their size"
    )]
    LastSize {
        /// The recipe's name.
        recipe: String,
        /// Size of the last stage in pixels.
        last: usize,
        /// Size of the images in pixels.
        size: usize,
    },
    /// A setting of the data that has no meaning for images of several sizes.
    #[error("recipes.{recipe}.stages: {setting}; choose {instead}, or a recipe without stages")]
    Data {
        /// The recipe's name.
        recipe: String,
        /// The setting and what it does, in words.
        setting: &'static str,
        /// What can be set instead.
        instead: &'static str,
    },
    /// The network cannot be built on images of this size.
    #[error(
        "recipes.{recipe}.stages: stage {number} ({size}x{size} pixels): {cause}. Give this stage larger images, or leave it out"
    )]
    Unbuildable {
        /// The recipe's name.
        recipe: String,
        /// Number of the stage, from 1.
        number: usize,
        /// Size of its images in pixels.
        size: usize,
        /// Which layer, and why.
        cause: ArchitectureError,
    },
}

/// Check that `architecture` can be trained in the recipe's stages on images prepared as in `data`.
///
/// # Errors
/// [`StageError`]
pub fn check(
    config: &TrainConfig,
    data: &DataConfig,
    architecture: &Architecture,
) -> Result<(), StageError> {
    let recipe = || config.recipe_name.clone();
    let stages = &config.recipe.stages;
    let Some(&Stage { size: last, .. }) = stages.last() else {
        return Ok(());
    };
    let [_, height, width] = architecture.input;
    if height != width {
        return Err(StageError::NotSquare {
            recipe: recipe(),
            height,
            width,
        });
    }
    if last != height {
        return Err(StageError::LastSize {
            recipe: recipe(),
            last,
            size: height,
        });
    }
    check_data(data, recipe)?;
    (1..).zip(stages).try_for_each(|(number, stage)| {
        let check = architecture.for_size(stage.size).check();
        check.map_err(|cause| StageError::Unbuildable {
            recipe: recipe(),
            number,
            size: stage.size,
            cause,
        })
    })
}

fn check_data(data: &DataConfig, recipe: impl Fn() -> String) -> Result<(), StageError> {
    let refused = |setting, instead| {
        Err(StageError::Data {
            recipe: recipe(),
            setting,
            instead,
        })
    };
    if data.normalization == Normalization::Whitening {
        return refused(
            "data.normalization = whitening is fitted to images of one size",
            "data.normalization = standard",
        );
    }
    if matches!(data.crop, Crop::Upsample(_)) {
        return refused(
            "data.crop = upsample enlarges the images, but stages pad and crop them by their own crop_pixels",
            "data.crop = pad or none",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::space::Layer;

    fn message(sizes: &[usize], set: &[&str], input: [usize; 3], kernel: usize) -> String {
        let stage = |size: &usize| format!("{{ epochs = 1, size = {size}, crop_pixels = 1 }}");
        let stages: Vec<String> = sizes.iter().map(stage).collect();
        let stages = format!("recipes.mine.stages=[{}]", stages.join(", "));
        let set = ["train.recipe=mine", &stages]
            .into_iter()
            .chain(set.iter().copied());
        let set = set.map(str::to_owned).collect();
        let config = resolve(&Options {
            set,
            ..Options::default()
        })
        .unwrap();
        let layer = |kernel: usize, inputs| Layer {
            kind: Default::default(),
            kernel: [kernel; 2],
            filters: 8,
            stride: [2, 2],
            padding: [0, 0],
            inputs,
        };
        let architecture = Architecture {
            name: "two".to_owned(),
            input,
            classes: 10,
            layers: vec![layer(3, vec![0]), layer(kernel, vec![1])],
            output: vec![2],
        };
        let checked = check(&config.train, &config.data, &architecture);
        checked.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn the_last_stage_must_have_the_datas_own_size() {
        assert_eq!(message(&[16, 32], &[], [3, 32, 32], 3), "");
        let refused = message(&[16, 24], &[], [3, 32, 32], 3);
        assert!(
            refused.contains("24x24") && refused.contains("32x32"),
            "{refused}"
        );
        let refused = message(&[16, 32], &[], [3, 24, 32], 3);
        assert!(refused.contains("24x32 pixels"), "{refused}");
    }

    #[test]
    fn a_size_that_the_network_cannot_be_built_on_is_refused_with_stage_layer_and_remedy() {
        let refused = message(&[8, 32], &[], [3, 32, 32], 5);
        assert!(
            refused.contains("recipes.mine.stages: stage 1 (8x8 pixels): layer 2 cannot be built")
                && refused.ends_with("Give this stage larger images, or leave it out"),
            "{refused}"
        );
    }

    #[test]
    fn settings_of_the_data_without_a_meaning_for_several_sizes_are_refused() {
        let refused = message(&[32], &["data.normalization=whitening"], [3, 32, 32], 3);
        assert!(
            refused.contains("data.normalization = standard"),
            "{refused}"
        );
        let upsample = ["data.crop=upsample", "data.crop_pixels=40"];
        let refused = message(&[32], &upsample, [3, 32, 32], 3);
        assert!(refused.contains("data.crop = pad or none"), "{refused}");
    }
}
