//! The CUDA runtime library that comes with libtorch: queries that need no device, and its errors
//! in words.

use std::ffi::{CStr, c_char, c_int};

use libloading::os::unix::Library;

use crate::telemetry::driver::Version;

const SUCCESS: c_int = 0;

/// A CUDA error: its number (`cudaError_t`) and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CudaError {
    pub(super) code: i32,
    pub(super) text: String,
}

/// The number of devices that CUDA can use; `None` if this process has no CUDA runtime.
pub fn device_count() -> Option<Result<usize, CudaError>> {
    ask(c"cudaGetDeviceCount").map(|answer| answer.map(|count| usize::try_from(count).unwrap_or(0)))
}

/// Version of the runtime.
pub fn version() -> Option<Version> {
    version_of(ask(c"cudaRuntimeGetVersion")?.ok()?)
}

/// The newest version that the driver supports; 0.0 if its library (libcuda.so.1) is not found.
pub fn driver_version() -> Option<Version> {
    version_of(ask(c"cudaDriverGetVersion")?.ok()?)
}

/// 13000 is 13.0, 12080 is 12.8.
fn version_of(number: c_int) -> Option<Version> {
    let number = u32::try_from(number).ok()?;
    Some(Version(number / 1_000, number % 1_000 / 10))
}

/// Call `cudaError_t name(int *answer)`.
fn ask(name: &CStr) -> Option<Result<c_int, CudaError>> {
    let mut answer = 0;
    // SAFETY: the functions that this module looks up have had this signature since CUDA's first
    // release; `answer` outlives the call.
    let code = unsafe {
        let function: extern "C" fn(*mut c_int) -> c_int = find(name)?;
        function(&raw mut answer)
    };
    match code {
        SUCCESS => Some(Ok(answer)),
        code => Some(Err(CudaError {
            code,
            text: text_of(code),
        })),
    }
}

fn text_of(code: c_int) -> String {
    // SAFETY: the signature of `const char *cudaGetErrorString(cudaError_t)`, which accepts any
    // number and returns null or a text that lives as long as the library.
    let text = unsafe {
        find(c"cudaGetErrorString")
            .map(|function: extern "C" fn(c_int) -> *const c_char| function(code))
            .filter(|text| !text.is_null())
            .map(|text| CStr::from_ptr(text).to_string_lossy().into_owned())
    };
    text.unwrap_or_else(|| format!("error {code}"))
}

/// Find a function in the libraries of this process.
///
/// # Safety
/// `Function` must be a pointer to a function with the signature of the function called `name`.
pub(super) unsafe fn find<Function: Copy>(name: &CStr) -> Option<Function> {
    // SAFETY: guaranteed by the caller. libtorch's libraries are never closed, so the pointer stays
    // valid.
    unsafe { Library::this().get(name.to_bytes_with_nul()) }
        .ok()
        .map(|function| *function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_cudas_numbers() {
        assert_eq!(version_of(13_000), Some(Version(13, 0)));
        assert_eq!(version_of(12_080), Some(Version(12, 8)));
        assert_eq!(version_of(0), Some(Version(0, 0)));
    }
}
