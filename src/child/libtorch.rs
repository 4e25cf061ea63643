//! The libtorch that this process uses.

use std::path::{Path, PathBuf};

/// Folder of the loaded libraries, or of those used for the build if that is unknown.
pub fn folder() -> PathBuf {
    loaded_from().unwrap_or_else(|| PathBuf::from(env!("NAS_TUI_LIBTORCH")))
}

/// Version of the loaded libtorch; `None` if its folder has no headers.
pub fn version() -> Option<String> {
    version_in(&folder())
}

/// [`version`], or a text if it is unknown.
pub fn version_in_words() -> String {
    version().unwrap_or_else(|| "of unknown version".to_owned())
}

/// Folder of the libtorch that is mapped into this process: LD_LIBRARY_PATH may name a different
/// one than the build used.
fn loaded_from() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps
        .lines()
        .find_map(|line| {
            line.split_once('/')
                .filter(|(_, path)| path.contains("libtorch_cpu.so"))
        })?
        .1;
    Some(Path::new("/").join(path).parent()?.to_owned())
}

/// Version according to the header that belongs to the library in `folder` (`.../lib`).
fn version_in(folder: &Path) -> Option<String> {
    let root = folder.parent()?;
    let headers = [
        "include/torch/headeronly/version.h",
        "include/torch/csrc/api/include/torch/version.h",
    ];
    let number = |text: &str, name: &str| -> Option<u32> {
        text.lines().find_map(|line| {
            line.strip_prefix(&format!("#define TORCH_VERSION_{name} "))?
                .trim()
                .parse()
                .ok()
        })
    };
    headers.iter().find_map(|header| {
        let text = std::fs::read_to_string(root.join(header)).ok()?;
        Some(format!(
            "{}.{}.{}",
            number(&text, "MAJOR")?,
            number(&text, "MINOR")?,
            number(&text, "PATCH")?
        ))
    })
}
