//! Energy per child: a thread reads the GPUs' energy while children train on them. The search never
//! waits for it.

mod ledger;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;

pub use ledger::{EnergyLedger, EnergyReading, watt_hours};

use super::{cuda, gpu};
use crate::foundation::device::Device;
use crate::foundation::thread::spawn;

/// Interval between readings of the GPUs in use.
const INTERVAL: Duration = Duration::from_secs(1);

/// Measures the energy that GPUs use for each child. No thread is started before the first child on
/// a GPU, NVML is queried only while children train, and the search never waits for its answers.
#[derive(Debug)]
pub struct EnergyMeter {
    /// Path of the NVML library; `None` for the installed one.
    library: Option<PathBuf>,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    /// Locked only briefly, and never during a call of NVML.
    books: Mutex<Books>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Books {
    /// GPUs are identified by their CUDA numbers.
    ledger: EnergyLedger,
    /// Number of children started so far: each start triggers a reading.
    starts: u64,
    closed: bool,
}

impl EnergyMeter {
    /// Use the installed NVML.
    pub fn start() -> EnergyMeter {
        EnergyMeter {
            library: None,
            shared: None,
        }
    }

    /// Use the NVML library in this file.
    pub fn start_with(library: PathBuf) -> EnergyMeter {
        EnergyMeter {
            library: Some(library),
            shared: None,
        }
    }

    /// Note that a child's training begins on `device` (`cpu` or `cuda:N`). (A pause does not end
    /// it: energy used during the pause counts.)
    pub fn child_started(&mut self, child: u64, device: &str) {
        let Ok(Device::Cuda(gpu)) = device.parse() else {
            return;
        };
        let Ok(gpu) = u32::try_from(gpu) else { return };
        let Some(shared) = self.running() else { return };
        let seconds = shared.seconds();
        let mut books = shared.lock();
        books.ledger.start(child, gpu, seconds);
        books.starts += 1;
        drop(books);
        shared.changed.notify_all();
    }

    /// End a child's training and return its energy in watt-hours; `None` on the CPU and if a part
    /// of it is unknown.
    pub fn child_ended(&mut self, child: u64) -> Option<f64> {
        let shared = self.shared.as_ref()?;
        let seconds = shared.seconds();
        shared.lock().ledger.end(child, seconds)
    }

    /// The state shared with the thread, which is started if necessary; `None` if it cannot be
    /// started or has not found NVML.
    fn running(&mut self) -> Option<&Arc<Shared>> {
        if self.shared.is_none() {
            let shared = Arc::new(Shared {
                origin: Instant::now(),
                books: Mutex::default(),
                changed: Condvar::new(),
            });
            let (library, thread) = (self.library.clone(), Arc::clone(&shared));
            let started = spawn("telemetry-energy", move || thread.measure(library));
            if started.is_err() {
                shared.lock().closed = true;
            }
            self.shared = Some(shared);
        }
        self.shared.as_ref().filter(|shared| !shared.lock().closed)
    }
}

impl Drop for EnergyMeter {
    fn drop(&mut self) {
        // The thread is not joined, because NVML may hang.
        if let Some(shared) = &self.shared {
            shared.lock().closed = true;
            shared.changed.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seconds(&self) -> f64 {
        self.origin.elapsed().as_secs_f64()
    }

    /// The thread: reads the GPUs in use until the meter is dropped.
    fn measure(&self, library: Option<PathBuf>) {
        let nvml = library.map_or_else(gpu::load, |library| gpu::load_from(&library));
        let Ok(nvml) = nvml else {
            *self.lock() = Books {
                closed: true,
                ..Books::default()
            };
            return;
        };
        let gpus = cuda::visible_gpus(&nvml);
        let mut seen = 0;
        while let Some(busy) = self.wait_for_children(&mut seen) {
            for gpu in busy {
                let physical = gpus.get(gpu as usize).copied().flatten();
                if let Some(reading) = physical.and_then(|index| self.read(&nvml, index)) {
                    self.lock().ledger.read(gpu, reading);
                }
            }
            self.pause(seen);
        }
    }

    /// Wait until children train and return their GPUs; `None` at the end.
    fn wait_for_children(&self, seen: &mut u64) -> Option<Vec<u32>> {
        let idle = |books: &mut Books| !books.closed && books.ledger.busy().is_empty();
        let books = self
            .changed
            .wait_while(self.lock(), idle)
            .unwrap_or_else(PoisonError::into_inner);
        *seen = books.starts;
        (!books.closed).then(|| books.ledger.busy())
    }

    /// Wait until the next reading is due, or until another child starts.
    fn pause(&self, seen: u64) {
        let waits = |books: &mut Books| !books.closed && books.starts == seen;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), INTERVAL, waits)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn read(&self, nvml: &Nvml, index: u32) -> Option<EnergyReading> {
        let device = nvml.device_by_index(index).ok()?;
        Some(gpu::energy(&device, self.seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_on_the_cpu_start_no_thread_and_have_no_energy() {
        let mut meter = EnergyMeter::start();
        for device in ["cpu", "cuda:", "mps"] {
            meter.child_started(1, device);
        }
        assert!(meter.shared.is_none());
        assert_eq!(meter.child_ended(1), None);
    }

    #[test]
    fn without_nvml_the_thread_ends_and_no_energy_is_reported() {
        let mut meter = EnergyMeter::start_with("/nowhere/libnvidia-ml.so.1".into());
        meter.child_started(1, "cuda:0");
        let start = Instant::now();
        while meter.running().is_some() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the thread has not ended"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        meter.child_started(2, "cuda:0");
        assert_eq!((meter.child_ended(1), meter.child_ended(2)), (None, None));
    }
}
