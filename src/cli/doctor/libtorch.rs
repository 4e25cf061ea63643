//! libtorch: the loaded version, its folder, and the devices it can use.

#[cfg(not(feature = "torch"))]
use super::CheckResult;
#[cfg(not(feature = "torch"))]
use super::CheckStatus;
#[cfg(not(feature = "torch"))]
use crate::telemetry::driver::Driver;

/// A program built without libtorch cannot train.
#[cfg(not(feature = "torch"))]
pub(super) fn findings(_driver: Option<&Driver>) -> Vec<CheckResult> {
    let text = "this program was built without libtorch (as a viewer): it can inspect and replay, not search or train";
    let remedy = "build it with the default features: `make build`, or `cargo build --release` with LIBTORCH set";
    vec![CheckResult::with(
        "libtorch",
        CheckStatus::Failure,
        text,
        remedy,
        serde_json::json!({ "feature": false }),
    )]
}

#[cfg(feature = "torch")]
pub(super) use with_torch::findings;

#[cfg(feature = "torch")]
mod with_torch {
    use serde_json::json;

    use crate::child::{cuda, libtorch};
    use crate::cli::doctor::{CheckResult, CheckStatus};
    use crate::telemetry::driver::Driver;

    pub fn findings(driver: Option<&Driver>) -> Vec<CheckResult> {
        // libtorch looks for its CUDA part only at its first use.
        cuda::library();
        vec![library(), cuda(driver)]
    }

    fn library() -> CheckResult {
        let folder = libtorch::folder();
        let version = libtorch::version();
        let shown = libtorch::version_in_words();
        let details = json!({ "version": version, "folder": folder, "mkl": tch::utils::has_mkl(), "threads": tch::get_num_threads() });
        match works() {
            Ok(()) => CheckResult::ok(
                "libtorch",
                format!("{shown}, {}, device cpu works", folder.display()),
                details,
            ),
            Err(error) => CheckResult::with(
                "libtorch",
                CheckStatus::Failure,
                format!("{shown} in {} cannot compute: {error}", folder.display()),
                "install libtorch 2.11.0 again: remove the folder and run `make build`, or set LIBTORCH to another copy",
                details,
            ),
        }
    }

    /// Compute a product whose value is known.
    fn works() -> Result<(), String> {
        let ones = tch::Tensor::f_ones([2, 2], (tch::Kind::Float, tch::Device::Cpu))
            .map_err(|error| error.to_string())?;
        let product = ones
            .f_mm(&ones)
            .and_then(|product| product.f_double_value(&[1, 1]))
            .map_err(|error| error.to_string())?;
        if product == 2.0 {
            Ok(())
        } else {
            Err(format!("1·1 + 1·1 gave {product}"))
        }
    }

    /// In JSON, `available` means that libtorch is built for CUDA and its libraries are loaded.
    fn cuda(driver: Option<&Driver>) -> CheckResult {
        let count = cuda::devices();
        let details = json!({
            "available": *cuda::library() == cuda::Library::Loaded, "devices": count, "cudnn": cuda::has_cudnn(),
            "built_for": cuda::version().map(|version| version.to_string()),
            "driver_runs": driver.and_then(|driver| driver.cuda).map(|version| version.to_string()),
            "device_order": std::env::var("CUDA_DEVICE_ORDER").ok(),
        });
        let facts = driver.map(|driver| cuda::Facts::of_this_process(driver.clone()));
        if count > 0 {
            let devices: Vec<String> = (0..count).map(|index| format!("cuda:{index}")).collect();
            let versions = cuda::version().map_or(String::new(), |version| {
                format!(" (libtorch for CUDA {version})")
            });
            let text = devices.join(", ") + &versions;
            return match facts.and_then(|facts| facts.concern()) {
                Some(found) => CheckResult::with(
                    "cuda",
                    CheckStatus::Warning,
                    format!("{text}; {}", found.reason),
                    found.remedy,
                    details,
                ),
                None => CheckResult::ok("cuda", text, details),
            };
        }
        match facts.and_then(|facts| facts.diagnose()) {
            Some(found) => CheckResult::with(
                "cuda",
                CheckStatus::Warning,
                found.reason,
                found.remedy,
                details,
            ),
            None => CheckResult::with(
                "cuda",
                CheckStatus::Note,
                "none: children train on the CPU",
                "nothing to do without an NVIDIA GPU",
                details,
            ),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_loaded_libtorch_is_the_version_we_build_for() {
            assert!(works().is_ok());
            assert_eq!(libtorch::version().as_deref(), Some("2.11.0"));
        }
    }
}
