//! libtorch's CUDA support: loaded by the processes that train, with a diagnosis if it sees no
//! device.
//!
//! Nothing that we link needs libtorch's CUDA libraries, so the linker leaves them out and the
//! program starts without them: loading them would slow down commands that train nothing
//! (docs/PERFORMANCE.md). libtorch looks for its CUDA part once, at the first call that needs it,
//! and does without CUDA from then on if it is missing. Therefore every such call goes through this
//! module, which loads the libraries first.

mod diagnosis;
mod identity;
mod runtime;

use std::path::Path;
use std::sync::OnceLock;

use libloading::os::unix;

pub use diagnosis::{Diagnosis, Facts};
pub use identity::{bus_id, total_memory};

use super::libtorch;
use crate::telemetry::driver;

/// The part of libtorch that contains its CUDA code and depends on CUDA's libraries.
const LIBRARY: &str = "libtorch_cuda.so";
/// The variable that determines the order of CUDA's devices.
const ORDER: &str = "CUDA_DEVICE_ORDER";

/// Whether libtorch's CUDA code is loaded in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Library {
    /// This libtorch was built for the CPU only.
    NotBuilt,
    /// It is loaded, together with the CUDA libraries it needs.
    Loaded,
    /// It could not be loaded, for the dynamic linker's reason.
    Failed(String),
}

/// Number devices in the order of the PCI bus, as NVML does, unless the user wants another order.
///
/// This must be the first thing the program does.
pub fn count_by_bus() {
    if std::env::var_os(ORDER).is_none() {
        // SAFETY: nothing else accesses the environment: the program calls this before it starts a
        // thread or uses any library.
        unsafe { std::env::set_var(ORDER, "PCI_BUS_ID") };
    }
}

/// Load libtorch's CUDA code, once per process.
pub fn library() -> &'static Library {
    static LOADED: OnceLock<Library> = OnceLock::new();
    LOADED.get_or_init(|| load(&libtorch::folder()))
}

fn load(folder: &Path) -> Library {
    let path = folder.join(LIBRARY);
    if !path.exists() {
        return Library::NotBuilt;
    }
    // SAFETY: loading it runs libtorch's registration of its own operators, which is designed for
    // this: in Python, too, it happens after startup.
    match unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | unix::RTLD_GLOBAL) } {
        Ok(library) => {
            // Never closed, so that no pointer into it can dangle.
            std::mem::forget(library);
            Library::Loaded
        }
        Err(error) => Library::Failed(error.to_string()),
    }
}

/// The number of CUDA devices that libtorch can use in this process: `cuda:0` and up.
pub fn devices() -> usize {
    // libtorch makes the same query and prints a warning to standard error if it fails. We report
    // the error ourselves.
    if *library() == Library::Loaded && matches!(runtime::device_count(), Some(Err(_))) {
        return 0;
    }
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

/// Whether libtorch can use cuDNN.
pub fn has_cudnn() -> bool {
    devices() > 0 && tch::Cuda::cudnn_is_available()
}

/// The CUDA version that libtorch was built for.
pub fn version() -> Option<driver::Version> {
    // A build for the CPU also comes with a CUDA runtime.
    (*library() == Library::Loaded)
        .then(runtime::version)
        .flatten()
}

/// Why libtorch sees no device although the machine has an NVIDIA GPU. Queries the driver, which
/// can take seconds.
pub fn diagnose() -> Option<Diagnosis> {
    match driver::ask() {
        Ok((driver, _)) => diagnosis::diagnose(&Facts::of_this_process(driver)),
        Err(_) => None,
    }
}

/// What prevents this process from computing on `cuda:N`, which libtorch sees. Queries the driver,
/// which can take seconds.
pub fn concern(number: usize) -> Option<Diagnosis> {
    let (driver, _) = driver::ask().ok()?;
    diagnosis::concern(&driver, version(), number)
}

/// `reason`, an error of device `number`, with what the driver knows about it if that may be its
/// cause: CUDA reports the same error for a device in use by others and for one that no one may
/// use.
pub fn explained(number: usize, reason: &str) -> String {
    const REFUSALS: [&str; 4] = [
        "busy or unavailable",
        "no kernel image",
        "not permitted",
        "prohibited",
    ];
    let is_refusal = REFUSALS.iter().any(|words| reason.contains(words));
    match concern(number).filter(|_| is_refusal) {
        Some(concern) => format!("{reason} ({concern})"),
        None => reason.to_owned(),
    }
}

impl Facts {
    /// What this process knows, combined with what the driver reported.
    pub fn of_this_process(driver: driver::Driver) -> Facts {
        let library = library().clone();
        Facts {
            devices: devices(),
            error: runtime::device_count().and_then(Result::err),
            built_for: version(),
            has_driver_library: runtime::driver_version()
                .is_none_or(|version| version != driver::Version(0, 0)),
            visible_devices: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
            library,
            driver,
        }
    }

    /// Why libtorch sees no device although the machine has an NVIDIA GPU.
    pub fn diagnose(&self) -> Option<Diagnosis> {
        diagnosis::diagnose(self)
    }

    /// What prevents processes from computing on a device that libtorch sees: the first such
    /// concern.
    pub fn concern(&self) -> Option<Diagnosis> {
        (0..self.devices)
            .find_map(|number| diagnosis::concern(&self.driver, self.built_for, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libtorch_without_the_library_is_built_for_the_cpu() {
        assert_eq!(load(Path::new("/nowhere")), Library::NotBuilt);
    }

    /// Every file below `folder` except those of this module.
    fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let others = entries.filter(|path| !path.ends_with("child/cuda"));
        others
            .flat_map(|path| {
                if path.is_dir() {
                    sources(&path)
                } else {
                    vec![path]
                }
            })
            .collect()
    }

    #[test]
    fn no_other_module_asks_libtorch_for_devices() {
        let questions = [
            "Cuda::device_count(",
            "Cuda::is_available(",
            "Cuda::cudnn_is_available(",
            "cuda_if_available(",
            "has_cuda(",
        ];
        let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert!(files.len() > 200, "{}", files.len());
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let found: Vec<&str> = questions
                .into_iter()
                .filter(|question| text.contains(question))
                .collect();
            assert!(
                found.is_empty(),
                "{}: {found:?}: ask child::cuda, which loads CUDA's libraries first",
                file.display()
            );
        }
    }

    #[test]
    fn a_library_that_cannot_be_loaded_is_reported_with_the_linkers_reason() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LIBRARY), "not a library").unwrap();
        let Library::Failed(reason) = load(folder.path()) else {
            panic!("it was loaded")
        };
        assert!(
            reason.contains(LIBRARY) && reason.contains("invalid ELF header")
                || reason.contains("too short"),
            "{reason}"
        );
    }
}
