//! What a result is worth, answered by dedicated trainings: children are trained as in a search,
//! recorded in a separate folder, carried out to completion and resumable.

mod carry_out;
pub mod children;
pub mod error;
mod failures;
pub mod rank;
pub mod reliability;
pub mod replication;
pub mod results;
pub mod seeds;
pub mod series;
pub mod trials;
pub mod verify;

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::foundation::durable::in_file;
use crate::foundation::input;

pub use carry_out::{News, carry_out};
pub use error::StudyError;
pub use trials::{Trial, Trials, TrialsPlan};

/// The contents of a study's file; `None` if it does not exist. `version_of` tells the version of
/// its format, which must be `version`.
fn read_versioned<T: DeserializeOwned>(
    path: &Path,
    version: u32,
    version_of: impl Fn(&T) -> u32,
) -> Result<Option<T>, StudyError> {
    let damaged = |problem: String| StudyError::Damaged {
        path: path.to_owned(),
        problem,
    };
    let text = match input::text(path, input::TEXT) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(in_file(path, "cannot read", error).into()),
    };
    let contents = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    match version_of(&contents) {
        found if found == version => Ok(Some(contents)),
        found => Err(damaged(format!(
            "it has version {found}, this program reads version {version}"
        ))),
    }
}
