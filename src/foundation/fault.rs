//! Interprets libtorch's error messages: shortens them for people and tells whether memory, the
//! device or neither was at fault.
//!
//! libtorch raises the same kind of error for everything, so its text is all there is to go by.

use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// What a libtorch error means for the code that receives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There was not enough memory; the same may succeed with less.
    Memory,
    /// The device failed, or this process may not use it. After an illegal access, a failed launch
    /// or an uncorrectable memory error every later CUDA call of the process fails too: only a new
    /// process can continue.
    Device,
    /// Anything else: it would fail in the same way anywhere.
    Other,
}

/// What libtorch and the libraries below it say when memory runs out, in lower case.
const MEMORY: [&str; 11] = [
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "cudaerrormemoryallocation",
    "cuda_error_out_of_memory",
    // CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED, CUFFT_ALLOC_FAILED,
    // CUSOLVER_STATUS_ALLOC_FAILED, and the two CUDNN_STATUS_INTERNAL_ERROR_..._ALLOCATION_FAILED.
    "alloc_failed",
    "allocation_failed",
    // cuDNN found no algorithm whose workspace could be allocated.
    "unable to find an engine to execute this computation",
    "unable to find a valid cudnn algorithm",
];

/// What they say when the device has failed.
const DEVICE: [&str; 20] = [
    "cuda error",
    "cuda driver error",
    "cudnn error",
    "cufft error",
    "cusolver error",
    "nccl error",
    "cublas_status_",
    "cudnn_status_",
    "cufft_",
    "cusolver_status_",
    "cuda_error_",
    "device-side assert",
    "uncorrectable",
    "unspecified launch failure",
    "illegal memory access",
    "illegal instruction was encountered",
    "misaligned address",
    "found no nvidia driver",
    "no cuda gpus are available",
    "cuda unknown error",
];

impl Fault {
    /// The fault that `text`, a libtorch error, describes.
    pub fn of(text: &str) -> Fault {
        let text = text.to_lowercase();
        let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
        if says(&MEMORY) {
            Fault::Memory
        } else if says(&DEVICE) {
            Fault::Device
        } else {
            Fault::Other
        }
    }
}

/// `text` without the stack trace, in libtorch's own format or in Rust's debug format, and without
/// hints for debugging.
pub fn without_stack(text: &str) -> &str {
    let starts = [
        "frame #",
        "Exception raised from",
        "C++ CapturedTraceback",
        "CUDA kernel errors might be asynchronously",
    ];
    let line_breaks = ["\n", "\\n"];
    let marks = starts
        .iter()
        .flat_map(|start| line_breaks.map(|line_break| format!("{line_break}{start}")));
    let end = marks
        .chain([" (function ".to_owned()])
        .filter_map(|mark| text.find(&mark))
        .min();
    &text[..end.unwrap_or(text.len())]
}

/// [`without_stack`] on one line.
pub fn in_words(text: &str) -> String {
    let lines = without_stack(text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let words = lines.collect::<Vec<_>>().join(" ");
    // The prefixes that TchError and panics of tch add.
    let starts = [
        "Internal torch error: ",
        "called `Result::unwrap()` on an `Err` value: Torch(\"",
    ];
    starts
        .iter()
        .find_map(|start| words.strip_prefix(start))
        .map(str::to_owned)
        .unwrap_or(words)
}

/// Run `work`, which calls libtorch. A panic caused by lack of memory or by the device is returned
/// as an error with the panic's text.
///
/// tch 0.24 returns errors, except from operations that take a number: the number's destructor
/// finds the error before the operation's caller does, and panics.
///
/// # Errors
/// The text of a panic caused by lack of memory or by the device. Other panics continue.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    thread_local!(static CATCHING: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // Whoever receives the error reports it, so the panic hook stays silent.
            if !CATCHING.get() || Fault::of(&text_of(panic.payload())) == Fault::Other {
                usual(panic);
            }
        }));
    });
    let before = CATCHING.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    done.or_else(|cause| match text_of(&*cause) {
        text if Fault::of(&text) == Fault::Other => panic::resume_unwind(cause),
        text => Err(text),
    })
}

/// The message of `error` and of everything that caused it.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// The message of a panic's payload.
pub fn text_of(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
    text.map_or_else(
        || "panic without a message".to_owned(),
        |text| without_stack(&text).to_owned(),
    )
}

/// Whether a printed line belongs to the stack trace that libtorch prints with an error, which
/// tells a reader nothing.
pub fn is_of_a_stack(line: &str) -> bool {
    let line = line.trim_start();
    ["frame #", "Exception raised from ", "C++ CapturedTraceback"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// The part of `text` from the sentence that reports the lack of memory, without the location in
/// libtorch's code.
pub fn memory_sentence(text: &str) -> String {
    let text = in_words(text);
    let lower = text.to_lowercase();
    let place = MEMORY
        .iter()
        .filter_map(|sign| lower.find(sign))
        .min()
        .unwrap_or(0);
    // Lower-casing keeps the length of ASCII text, such as libtorch's.
    let before = text.get(..place).unwrap_or_default();
    let start = before.rfind(['.', ']', ')']).map_or(0, |end| end + 1);
    text[start..].trim().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of libtorch 2.11 and the libraries below it.
    const SHORT_OF_MEMORY: [&str; 14] = [
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB of which 1.20 GiB is free.",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
        "CUDA driver error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "cuFFT error: CUFFT_ALLOC_FAILED",
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
        "GET was unable to find an engine to execute this computation",
        "FIND was unable to find an engine to execute this computation after trying 5 plans.",
        "Unable to find a valid cuDNN algorithm to run convolution",
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 6553600000 \
         bytes. Error code 12 (Cannot allocate memory)",
        "std::bad_alloc",
        "cudaErrorMemoryAllocation: out of memory",
    ];

    const OF_THE_DEVICE: [&str; 16] = [
        "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported at some other API \
         call, so the stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\n",
        "CUDA error: unspecified launch failure",
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: device-side assert triggered",
        "CUDA error: misaligned address",
        "CUDA error: the launch timed out and was terminated",
        "CUDA error: all CUDA-capable devices are busy or unavailable",
        "CUDA error: invalid device ordinal",
        "CUDA driver error: unknown error",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa, opb, m, n, k)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER",
        "cuFFT error: CUFFT_EXEC_FAILED",
        "NCCL error in: ProcessGroupNCCL.cpp:1, unhandled cuda error",
        "Found no NVIDIA driver on your system.",
    ];

    const OF_NEITHER: [&str; 4] = [
        "The size of tensor a (8) must match the size of tensor b (9) at non-singleton dimension 1",
        "Given groups=1, weight of size [8, 4, 3, 3], expected input[1, 3, 8, 8] to have 4 channels, but got 3 channels instead",
        "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
        "could not create a primitive descriptor for the convolution forward propagation primitive",
    ];

    #[test]
    fn messages_of_libtorch_tell_memory_from_a_lost_device_from_the_rest() {
        SHORT_OF_MEMORY
            .iter()
            .for_each(|text| assert_eq!(Fault::of(text), Fault::Memory, "{text}"));
        OF_THE_DEVICE
            .iter()
            .for_each(|text| assert_eq!(Fault::of(text), Fault::Device, "{text}"));
        OF_NEITHER
            .iter()
            .for_each(|text| assert_eq!(Fault::of(text), Fault::Other, "{text}"));
    }

    const WITH_STACK: &str = "Internal torch error: [enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate \
        memory: you tried to allocate 40 bytes. Error code 12 (Cannot allocate memory)\nException raised from \
        malloc at alloc_cpu.cpp:124 (most recent call first):\nframe #0: c10::Error::Error(std::string) + 0x9f \
        (0x7f1 in libc10.so)\nframe #1: <unknown function>\n";

    #[test]
    fn the_stack_trace_and_hints_for_developers_are_left_out() {
        let words = in_words(WITH_STACK);
        assert!(
            words.starts_with("[enforce fail") && words.ends_with("(Cannot allocate memory)"),
            "{words}"
        );
        assert_eq!(
            in_words(OF_THE_DEVICE[0]),
            "CUDA error: an illegal memory access was encountered"
        );
        let panic = format!("called `Result::unwrap()` on an `Err` value: Torch({WITH_STACK:?})");
        assert!(
            without_stack(&panic).ends_with("(Cannot allocate memory)"),
            "{panic}"
        );
        let printed = WITH_STACK
            .lines()
            .filter(|line| !is_of_a_stack(line))
            .count();
        assert_eq!((printed, is_of_a_stack("  frame #12: x")), (1, true));
    }

    #[test]
    fn a_panic_for_lack_of_memory_is_an_error_and_any_other_stays_a_panic() {
        assert_eq!(caught(|| 3), Ok(3));
        let text =
            caught(|| panic!("CUDA out of memory. Tried to allocate 2 GiB.\nframe #0: c10::Error"))
                .unwrap_err();
        assert!(
            text.starts_with("CUDA out of memory") && !text.contains("frame"),
            "{text}"
        );
        let other = panic::catch_unwind(|| caught(|| panic!("index out of bounds"))).unwrap_err();
        assert_eq!(text_of(&*other), "index out of bounds");
    }

    #[test]
    fn only_the_sentence_about_memory_is_kept_of_a_memory_error() {
        let told = memory_sentence(WITH_STACK);
        assert_eq!(
            told,
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 40 bytes. Error code 12 (Cannot allocate memory)"
        );
        assert!(
            memory_sentence(SHORT_OF_MEMORY[0])
                .starts_with("CUDA out of memory. Tried to allocate 2.00 GiB")
        );
    }
}
