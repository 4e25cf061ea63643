//! Which libtorch this process runs on.

use std::path::{Path, PathBuf};

/// Folder of the loaded libraries; where it cannot be told, that of the build.
pub fn folder() -> PathBuf {
    loaded_from().unwrap_or_else(|| PathBuf::from(env!("NAS_TUI_LIBTORCH")))
}

/// Version of the loaded libtorch; `None` if its folder has no headers.
pub fn version() -> Option<String> {
    version_in(&folder())
}

/// Folder of the libtorch that this process has mapped: LD_LIBRARY_PATH may name another than the
/// build did.
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

/// Version from the header that belongs to the library in `folder` (`.../lib`).
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
