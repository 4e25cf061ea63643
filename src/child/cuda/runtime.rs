//! CUDA's runtime library as it came with libtorch: what it says without a device, and its errors
//! in words.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::telemetry::driver::Version;

const SUCCESS: c_int = 0;

/// An error of CUDA's: its number (`cudaError_t`) and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CudaError {
    pub code: i32,
    pub text: String,
}

/// The devices that CUDA can use; none where no CUDA runtime is in this process.
pub fn device_count() -> Option<Result<usize, CudaError>> {
    ask(c"cudaGetDeviceCount").map(|answer| answer.map(|count| usize::try_from(count).unwrap_or(0)))
}

/// Version of the runtime.
pub fn version() -> Option<Version> {
    version_of(ask(c"cudaRuntimeGetVersion")?.ok()?)
}

/// The newest version that the driver runs, 0.0 where its library (libcuda.so.1) is not found.
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
    let function = find(name)?;
    // SAFETY: the functions that this module asks for have this signature since CUDA's first
    // release.
    let function: unsafe extern "C" fn(*mut c_int) -> c_int =
        unsafe { std::mem::transmute(function) };
    let mut answer = 0;
    // SAFETY: `answer` outlives the call.
    match unsafe { function(&raw mut answer) } {
        SUCCESS => Some(Ok(answer)),
        code => Some(Err(CudaError {
            code,
            text: text_of(code),
        })),
    }
}

fn text_of(code: c_int) -> String {
    let Some(function) = find(c"cudaGetErrorString") else {
        return format!("error {code}");
    };
    // SAFETY: the signature of `const char *cudaGetErrorString(cudaError_t)`.
    let function: unsafe extern "C" fn(c_int) -> *const c_char =
        unsafe { std::mem::transmute(function) };
    // SAFETY: it takes any number and returns a text that lives as long as the library, or null.
    let text = unsafe { function(code) };
    if text.is_null() {
        return format!("error {code}");
    }
    // SAFETY: not null, so it is such a text.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A function among all libraries of this process.
pub(super) fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: `name` is a C string.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!function.is_null()).then_some(function)
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
