//! Stored measurements: one file for all of a user's devices, replaced as a whole.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Throughput;
use crate::foundation::durable::{in_file, write_atomically};

/// Version of the file's format. Other versions are not read.
const VERSION: u32 = 1;

/// The file `throughput.json`.
#[derive(Debug, Clone)]
pub struct Cache {
    path: PathBuf,
}

/// The conditions for which a measurement is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheKey {
    pub model: String,
    pub libtorch: String,
    /// CUDA version that libtorch was built for.
    pub cuda: Option<String>,
    pub cores: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct CacheFile {
    version: u32,
    devices: Vec<Throughput>,
}

impl Cache {
    /// The cache in the file `path`, which need not exist.
    pub fn at(path: PathBuf) -> Cache {
        Cache { path }
    }

    /// The measurement for `key`, if there is one.
    ///
    /// # Errors
    /// If a file exists that cannot be read or was not written by this program; the message names
    /// it.
    pub fn find(&self, key: &CacheKey) -> io::Result<Option<Throughput>> {
        Ok(self.read()?.into_iter().find(|kept| kept.is_for(key)))
    }

    /// Save `throughput` in place of an earlier measurement of the same device. A damaged file is
    /// replaced.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn keep(&self, throughput: &Throughput) -> io::Result<()> {
        let key = throughput.key();
        let mut devices = self.read().unwrap_or_default();
        devices.retain(|kept| !kept.is_for(&key));
        devices.push(throughput.clone());
        let text = serde_json::to_string_pretty(&CacheFile {
            version: VERSION,
            devices,
        })
        .map_err(io::Error::from)?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| in_file(folder, "cannot create", error))?;
        }
        write_atomically(&self.path, (text + "\n").as_bytes())
    }

    fn read(&self) -> io::Result<Vec<Throughput>> {
        let text =
            match crate::foundation::input::text(&self.path, crate::foundation::input::SETTINGS) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(in_file(&self.path, "cannot read", error)),
            };
        parse(&text).map_err(|problem| self.damaged(&problem))
    }

    fn damaged(&self, problem: &str) -> io::Error {
        in_file(
            &self.path,
            "cannot use",
            io::Error::new(io::ErrorKind::InvalidData, problem),
        )
    }
}

fn parse(text: &str) -> Result<Vec<Throughput>, String> {
    let file: CacheFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if file.version != VERSION {
        return Err(format!(
            "version {} is not the one of this program, {VERSION}",
            file.version
        ));
    }
    let sane = |throughput: &Throughput| {
        let rate = |rate: &super::Rate| {
            rate.workers > 0 && rate.children_per_hour.is_finite() && rate.children_per_hour > 0.0
        };
        !throughput.rates.is_empty() && throughput.rates.iter().all(rate)
    };
    match file.devices.iter().find(|throughput| !sane(throughput)) {
        Some(throughput) => Err(format!("the figures of {} make no sense", throughput.model)),
        None => Ok(file.devices),
    }
}

impl Throughput {
    /// The conditions for which the measurement is valid.
    pub fn key(&self) -> CacheKey {
        CacheKey {
            model: self.model.clone(),
            libtorch: self.libtorch.clone(),
            cuda: self.cuda.clone(),
            cores: self.cores,
        }
    }

    fn is_for(&self, key: &CacheKey) -> bool {
        self.key() == *key
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::throughput;
    use super::*;

    fn cache(folder: &std::path::Path) -> Cache {
        Cache::at(folder.join("nas-tui/throughput.json"))
    }

    #[test]
    fn a_measurement_is_found_only_for_the_same_device_libtorch_and_machine() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let (first, second) = (
            throughput("H100", &[(1, 10.0), (2, 19.5)]),
            throughput("A100", &[(1, 7.25)]),
        );
        assert_eq!(cache.find(&first.key()).unwrap(), None);
        cache.keep(&first).unwrap();
        cache.keep(&second).unwrap();
        assert_eq!(cache.find(&first.key()).unwrap(), Some(first.clone()));
        assert_eq!(cache.find(&second.key()).unwrap(), Some(second));
        for other in [
            CacheKey {
                libtorch: "2.12.0".to_owned(),
                ..first.key()
            },
            CacheKey {
                cuda: Some("12.8".to_owned()),
                ..first.key()
            },
            CacheKey {
                cuda: None,
                ..first.key()
            },
            CacheKey {
                cores: 2,
                ..first.key()
            },
            throughput("T4", &[]).key(),
        ] {
            assert_eq!(cache.find(&other).unwrap(), None);
        }
    }

    #[test]
    fn a_new_measurement_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.keep(&throughput("H100", &[(1, 10.0)])).unwrap();
        let newer = throughput("H100", &[(1, 12.0), (2, 20.0)]);
        cache.keep(&newer).unwrap();
        assert_eq!(cache.find(&newer.key()).unwrap(), Some(newer));
        assert_eq!(cache.read().unwrap().len(), 1);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it_and_the_next_measurement_replaces_it() {
        let good = r#"{"version": 1, "devices": []}"#;
        let endless = r#"{"version": 1, "devices": [{"model": "x", "libtorch": "2", "cores": 1,
            "measured": "2026-01-01T00:00:00Z", "rates": []}]}"#;
        for text in ["", "{", "[]", &good.replace('1', "2"), endless] {
            let folder = tempfile::tempdir().unwrap();
            let cache = cache(folder.path());
            std::fs::create_dir(folder.path().join("nas-tui")).unwrap();
            std::fs::write(&cache.path, text).unwrap();
            let new = throughput("H100", &[(1, 10.0)]);
            let error = cache.find(&new.key()).unwrap_err().to_string();
            assert!(error.contains("throughput.json"), "{error}");
            cache.keep(&new).unwrap();
            assert_eq!(cache.find(&new.key()).unwrap(), Some(new));
        }
    }
}
