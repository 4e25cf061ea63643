//! Which GPU a device of CUDA's is, and how much memory it has, as CUDA's runtime library says.

use std::ffi::{CStr, c_char, c_int};

use super::runtime::find;

const SUCCESS: c_int = 0;
/// Longer than any place on a PCI bus.
const LONGEST: usize = 64;

/// Place of device `number` on the PCI bus, such as `0000:3b:00.0`; none where there is no CUDA
/// runtime.
pub fn bus_id(number: usize) -> Option<String> {
    let function = find(c"cudaDeviceGetPCIBusId")?;
    // SAFETY: the signature of `cudaError_t cudaDeviceGetPCIBusId(char *, int, int)`.
    let function: unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int =
        unsafe { std::mem::transmute(function) };
    let mut text = [0 as c_char; LONGEST];
    // SAFETY: it writes at most `LONGEST` bytes, the last one 0.
    let status = unsafe {
        function(
            text.as_mut_ptr(),
            LONGEST as c_int,
            c_int::try_from(number).ok()?,
        )
    };
    // SAFETY: on success the text ends with 0 within the array.
    (status == SUCCESS).then(|| {
        unsafe { CStr::from_ptr(text.as_ptr()) }
            .to_string_lossy()
            .into_owned()
    })
}

/// Bytes of device `number`, which becomes this thread's current one; none where there is no CUDA
/// runtime.
pub fn total_memory(number: usize) -> Option<u64> {
    let (select, ask) = (find(c"cudaSetDevice")?, find(c"cudaMemGetInfo")?);
    // SAFETY: the signatures of `cudaError_t cudaSetDevice(int)` and `cudaError_t
    // cudaMemGetInfo(size_t *, size_t *)`.
    let select: unsafe extern "C" fn(c_int) -> c_int = unsafe { std::mem::transmute(select) };
    let ask: unsafe extern "C" fn(*mut usize, *mut usize) -> c_int =
        unsafe { std::mem::transmute(ask) };
    let (mut free, mut total) = (0, 0);
    let number = c_int::try_from(number).ok()?;
    // SAFETY: both numbers outlive the call.
    let known =
        unsafe { select(number) == SUCCESS && ask(&raw mut free, &raw mut total) == SUCCESS };
    known.then_some(total as u64)
}
