//! `--weights`: a safetensors file, or the best weights of a training.

use std::path::{Path, PathBuf};

use super::OrBadInput;
use crate::runs;
use crate::runs::directory::WEIGHTS;

/// The file that is given, or the directory of the training that is given by its directory or name, also as
/// `RUN:best`.
///
/// # Errors
/// If there is no such file and no such run.
pub fn located(given: &Path) -> anyhow::Result<PathBuf> {
    let text = given.to_str().unwrap_or_default();
    let place = text.strip_suffix(":best").map_or(given, Path::new);
    if given.exists() || place.is_dir() {
        return Ok(if given.exists() { given } else { place }.to_owned());
    }
    if given.extension().is_some_and(|kind| kind == "safetensors") {
        return Err(bad_input!(
            "--weights {}: there is no such file",
            given.display()
        ));
    }
    if text.contains(":child-") {
        return Err(bad_input!(
            "--weights {text}: only the best weights of a training are saved; specify RUN or RUN:best"
        ));
    }
    runs::find(place)
        .map_err(|error| anyhow::anyhow!("--weights: no such file, and {error}"))
        .or_bad_input()
}

/// The file that is given, or that of the training.
///
/// # Errors
/// If there is no such file and no such run, or the run has no weights.
pub fn file(given: &Path) -> anyhow::Result<PathBuf> {
    let place = located(given)?;
    if !place.is_dir() {
        return Ok(place);
    }
    let file = place.join(WEIGHTS);
    match file.is_file() {
        true => Ok(file),
        false => Err(bad_input!(
            "--weights {}: there is no {WEIGHTS}: it is not the run directory of a training (`nas-tui train`), or none of its epochs on whole \
             images has ended",
            place.display()
        )),
    }
}
