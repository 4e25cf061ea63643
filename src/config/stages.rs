//! Progressive resizing: a training in stages, each on images of one size, from small to whole.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::Recipe;

/// Some epochs of a training on images of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Number of passes over the training images.
    pub epochs: usize,
    /// Height and width that the images are resized to, in pixels.
    pub size: usize,
    /// Training images are padded by this many pixels on each side before they are cropped at random;
    /// 0: not cropped. Takes the place of `data.crop`.
    pub crop_pixels: usize,
    /// Side in pixels of the square that is cut out of each training image; 0: none. Takes the place of
    /// `data.cutout_pixels`.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub cutout_pixels: usize,
}

/// A stage and its place in the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageSpan {
    /// The stage.
    pub stage: Stage,
    /// Its number, from 1.
    pub number: usize,
    /// Number of its first epoch, from 1.
    pub first: usize,
    /// Number of its last epoch.
    pub last: usize,
}

impl Recipe {
    /// The stages in order with their epochs; none if all epochs are on whole images.
    pub fn stage_spans(&self) -> impl Iterator<Item = StageSpan> {
        (1..).zip(&self.stages).scan(0, |done, (number, &stage)| {
            let first = *done + 1;
            *done += stage.epochs;
            Some(StageSpan {
                stage,
                number,
                first,
                last: *done,
            })
        })
    }

    /// The stage of an epoch (from 1), the last one for numbers beyond it; `None` without stages.
    pub fn stage_at(&self, epoch: usize) -> Option<StageSpan> {
        self.stage_spans()
            .find(|span| epoch <= span.last)
            .or_else(|| self.stage_spans().last())
    }

    /// Number of the first epoch on whole images, from 1.
    pub fn first_whole_epoch(&self) -> usize {
        self.stage_spans().last().map_or(1, |span| span.first)
    }
}

/// Before the settings `from` are merged into `into`: where they set a recipe's stages without its
/// epochs, the stages take the place of the epochs set so far.
pub(super) fn replace_epochs(into: &mut Table, from: &Table) {
    let recipes = (recipes(into), from.get("recipes").and_then(Value::as_table));
    let (Some(into), Some(from)) = recipes else {
        return;
    };
    for (name, recipe) in from {
        let sets = |key| recipe.get(key).is_some();
        if sets("stages")
            && !sets("epochs")
            && let Some(Value::Table(recipe)) = into.get_mut(name)
        {
            recipe.remove("epochs");
        }
    }
}

/// The epochs of recipes with stages that do not set them: the sum of the stages'.
pub(super) fn add_up_epochs(settings: &mut Table) {
    let Some(recipes) = recipes(settings) else {
        return;
    };
    for (_, recipe) in recipes.iter_mut() {
        let Value::Table(recipe) = recipe else {
            continue;
        };
        let epochs = |stage: &Value| stage.get("epochs")?.as_integer();
        let of_stages = recipe
            .get("stages")
            .and_then(Value::as_array)
            .and_then(|stages| stages.iter().map(epochs).sum::<Option<i64>>());
        if let Some(sum) = of_stages {
            recipe.entry("epochs").or_insert(Value::Integer(sum));
        }
    }
}

fn recipes(settings: &mut Table) -> Option<&mut Table> {
    settings.get_mut("recipes").and_then(Value::as_table_mut)
}
