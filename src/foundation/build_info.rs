//! The version and commit of this program, as far as they were known when it was built.

/// `0.1.0+8576195` with the commit it was built from (followed by `.modified` if its sources had
/// changed since); the bare version if it was not built in its git repository.
pub const VERSION: &str = match option_env!("NAS_TUI_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};
