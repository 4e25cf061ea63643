//! The PCI bus id and memory of a CUDA device, according to CUDA's runtime library.

use std::ffi::{CStr, c_int};

use super::runtime::find;

const SUCCESS: c_int = 0;
/// Longer than any PCI bus id.
const LONGEST: usize = 64;

/// PCI bus id of device `number`, such as `0000:3b:00.0`; `None` if there is no CUDA runtime.
pub fn bus_id(number: usize) -> Option<String> {
    let number = c_int::try_from(number).ok()?;
    let mut text = [0u8; LONGEST];
    // SAFETY: the signature of `cudaError_t cudaDeviceGetPCIBusId(char *, int, int)`, which writes
    // at most `LONGEST` bytes.
    let status = unsafe {
        let ask: extern "C" fn(*mut u8, c_int, c_int) -> c_int = find(c"cudaDeviceGetPCIBusId")?;
        ask(text.as_mut_ptr(), LONGEST as c_int, number)
    };
    let text = CStr::from_bytes_until_nul(&text).ok()?;
    (status == SUCCESS).then(|| text.to_string_lossy().into_owned())
}

/// Total bytes of device `number`, which becomes this thread's current device; `None` if there is
/// no CUDA runtime.
pub fn total_memory(number: usize) -> Option<u64> {
    let number = c_int::try_from(number).ok()?;
    let (mut free, mut total) = (0, 0);
    // SAFETY: the signatures of `cudaError_t cudaSetDevice(int)` and `cudaError_t
    // cudaMemGetInfo(size_t *, size_t *)`; both sizes outlive the call.
    let known = unsafe {
        let select: extern "C" fn(c_int) -> c_int = find(c"cudaSetDevice")?;
        let ask: extern "C" fn(*mut usize, *mut usize) -> c_int = find(c"cudaMemGetInfo")?;
        select(number) == SUCCESS && ask(&raw mut free, &raw mut total) == SUCCESS
    };
    known.then_some(total as u64)
}
