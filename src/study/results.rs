//! The results of studies of a run, from their folders in the run directory.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::rank::Ranking;
use super::reliability::Findings;
use super::verify::Verification;
use crate::foundation::input;

/// Every result in a run directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Results of `verify`, by folder.
    pub verifications: Vec<Verification>,
    /// Results of `reliability`, by folder.
    pub reliabilities: Vec<Findings>,
    /// Result of `rank`, for the children that were trained to completion.
    pub ranking: Option<Ranking>,
    /// Files that cannot be read, with the reason.
    pub unreadable: Vec<String>,
}

impl Results {
    /// The results in the run directory `run`.
    pub fn of(run: &Path) -> Results {
        let mut results = Results::default();
        for folder in folders(&run.join("verify")) {
            let found = results.read(&folder.join("result.json"));
            results.verifications.extend(found);
        }
        for folder in folders(&run.join("reliability")) {
            let found = results.read(&folder.join("result.json"));
            results.reliabilities.extend(found);
        }
        results.ranking = results.read(&run.join("rank").join("result.json"));
        results
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Results::default()
    }

    fn read<R: DeserializeOwned>(&mut self, path: &Path) -> Option<R> {
        // An unfinished study has no result.
        let text = input::text(path, input::TEXT).ok()?;
        serde_json::from_str(&text)
            .inspect_err(|error| {
                self.unreadable.push(format!("{}: {error}", path.display()));
            })
            .ok()
    }
}

/// Folders in `path`, sorted by name.
fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let mut folders: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::reliability::NetworkTrainings;

    #[test]
    fn results_are_found_in_the_run_directory_and_a_damaged_one_is_named() {
        let run = tempfile::tempdir().unwrap();
        assert!(Results::of(run.path()).is_empty());
        let rewards = vec![0.5, 0.6];
        let name = "child 1".to_owned();
        let network = NetworkTrainings {
            name,
            depth: Some(3),
            rewards,
        };
        let findings = Findings::of(Some("run".to_owned()), vec![network], 0);
        for (folder, text) in [
            (
                "reliability/8-networks",
                serde_json::to_string(&findings).unwrap(),
            ),
            ("verify/episode-3-depth-6", "{".to_owned()),
        ] {
            let folder = run.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("result.json"), text).unwrap();
        }
        let results = Results::of(run.path());
        assert_eq!(results.reliabilities, [findings]);
        assert_eq!(results.unreadable.len(), 1);
        assert!(results.unreadable[0].contains("episode-3-depth-6"));
    }
}
