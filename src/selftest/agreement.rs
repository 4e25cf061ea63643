//! The same few training steps on every device and in every form: their losses must agree within
//! rounding.

use super::Bench;
use super::process::ProbeProcess;
use super::report::{Agreement, CheckOutcome};
use super::task::{Memory, NetworkName, Numbers, ProbeAnswer, ProbeForm, ProbeTask};
use crate::foundation::device::Device;
use crate::foundation::host::{convolves_in_bf16, cores};

/// The losses that all others are compared with.
#[derive(Debug, Clone)]
pub struct ReferenceLosses {
    small_child: Result<Vec<f64>, String>,
    nascnn15: Result<Vec<f64>, String>,
}

impl ReferenceLosses {
    fn of(&self, network: NetworkName) -> &Result<Vec<f64>, String> {
        match network {
            NetworkName::SmallChild => &self.small_child,
            NetworkName::Nascnn15 => &self.nascnn15,
        }
    }
}

/// The second loss is the first that depends on a gradient; later ones reflect chaos more than
/// rounding (see [`Numbers::tolerance`]).
const STEPS: usize = 2;
const NETWORKS: [NetworkName; 2] = [NetworkName::SmallChild, NetworkName::Nascnn15];

/// Why a form is skipped that [`takes_minutes`].
pub(super) const TAKES_MINUTES: &str = "takes minutes without AVX-512";

/// Few images per step, for slow CPUs.
fn task(form: ProbeForm) -> ProbeTask {
    let batch = match form.network {
        NetworkName::SmallChild => 100,
        NetworkName::Nascnn15 => 2,
    };
    ProbeTask::Losses {
        form,
        batch,
        steps: STEPS,
    }
}

/// The forms tested on a device.
fn forms(device: Device) -> Vec<ProbeForm> {
    let (small, large) = (NetworkName::SmallChild, NetworkName::Nascnn15);
    let form = |network: NetworkName, memory, numbers| ProbeForm {
        network,
        memory,
        numbers,
        threads: network.threads(device),
    };
    match device {
        // What differs from the reference on a CPU: channels last gives bit-identical results for
        // the small child, but two threads divide its sums differently. Only NASCNN15 keeps the
        // size of its images, as convolution by Fourier transform requires.
        Device::Cpu => vec![
            ProbeForm {
                threads: 2,
                ..form(small, Memory::Planes, Numbers::F32)
            },
            form(small, Memory::Planes, Numbers::Bf16),
            form(large, Memory::Spectra, Numbers::F32),
            form(large, Memory::Planes, Numbers::Bf16),
        ],
        Device::Cuda(_) => {
            let all = [Numbers::F32, Numbers::Tf32, Numbers::Bf16];
            all.into_iter()
                .flat_map(|numbers| {
                    NETWORKS.map(|network| form(network, Memory::ChannelsLast, numbers))
                })
                .collect()
        }
    }
}

pub(super) fn check(bench: &mut Bench, device: Device) -> Vec<Agreement> {
    let reference = match bench.reference.take() {
        Some(known) => known,
        None => {
            bench.tell(
                Device::Cpu,
                "losses of both networks in f32, which the others are compared with",
            );
            let forms = NETWORKS.map(|network| {
                let threads = network.threads(Device::Cpu);
                ProbeForm {
                    network,
                    memory: Memory::Planes,
                    numbers: Numbers::F32,
                    threads,
                }
            });
            let mut losses = losses(bench, Device::Cpu, &forms).into_iter();
            let mut next = || {
                losses
                    .next()
                    .unwrap_or_else(|| Err("nothing was trained".to_owned()))
            };
            ReferenceLosses {
                small_child: next(),
                nascnn15: next(),
            }
        }
    };
    let (slow, forms): (Vec<ProbeForm>, Vec<ProbeForm>) = forms(device)
        .into_iter()
        .partition(|form| takes_minutes(form, device, convolves_in_bf16()));
    let found = all_losses(bench, device, forms).into_iter();
    let compared = found.map(|(form, found)| compare(form, found, reference.of(form.network)));
    let all = compared.chain(slow.into_iter().map(skip)).collect();
    bench.reference = Some(reference);
    all
}

/// Whether a form would take minutes on this device: too slow for anyone to train in it there.
fn takes_minutes(form: &ProbeForm, device: Device, convolves_in_bf16: bool) -> bool {
    let is_large = form.network == NetworkName::Nascnn15 && form.numbers == Numbers::Bf16;
    is_large && device == Device::Cpu && !convolves_in_bf16
}

fn skip(form: ProbeForm) -> Agreement {
    Agreement {
        form,
        losses: Vec::new(),
        reference: Vec::new(),
        difference: None,
        tolerance: form.numbers.tolerance(),
        verdict: CheckOutcome::skipped(TAKES_MINUTES),
    }
}

/// The losses of all `forms`: one process for everything computed without TF32, and one for the rest.
fn all_losses(
    bench: &Bench,
    device: Device,
    forms: Vec<ProbeForm>,
) -> Vec<(ProbeForm, Result<Vec<f64>, String>)> {
    let (precise, rough): (Vec<ProbeForm>, Vec<ProbeForm>) = match device {
        Device::Cpu => (forms, Vec::new()),
        Device::Cuda(_) => forms
            .into_iter()
            .partition(|form| form.numbers == Numbers::F32),
    };
    let mut found = Vec::new();
    for forms in [precise, rough]
        .into_iter()
        .filter(|forms| !forms.is_empty())
    {
        let all = [Numbers::F32, Numbers::Tf32, Numbers::Bf16];
        let tried = all
            .into_iter()
            .filter(|numbers| forms.iter().any(|form| form.numbers == *numbers));
        let names: Vec<&str> = tried.map(Numbers::in_words).collect();
        bench.tell(
            device,
            &format!("losses of both networks in {}", names.join(", ")),
        );
        found.extend(forms.iter().copied().zip(losses(bench, device, &forms)));
    }
    found
}

/// The losses of each of `forms`, from one process.
fn losses(bench: &Bench, device: Device, forms: &[ProbeForm]) -> Vec<Result<Vec<f64>, String>> {
    let numbers = forms.first().map_or(Numbers::F32, |form| form.numbers);
    let tasks = forms.iter().copied().map(task).collect();
    let mut probe = match ProbeProcess::start(bench.program, device, cores(), numbers, tasks) {
        Ok(probe) => probe,
        Err(error) => {
            return forms
                .iter()
                .map(|_| Err(format!("no process could be started: {error}")))
                .collect();
        }
    };
    let losses = |answer| match answer {
        ProbeAnswer::Losses(losses) => Ok(losses),
        ProbeAnswer::Failed(reason) => Err(reason),
        other => Err(format!("unexpected answer {other:?}")),
    };
    forms.iter().map(|_| losses(probe.next())).collect()
}

/// Compare the losses of a form with those of the CPU, as far as both go.
fn compare(
    form: ProbeForm,
    found: Result<Vec<f64>, String>,
    reference: &Result<Vec<f64>, String>,
) -> Agreement {
    let tolerance = form.numbers.tolerance();
    let losses = found.as_deref().unwrap_or_default().to_vec();
    let known = reference.as_deref().unwrap_or_default().to_vec();
    let (difference, verdict) = match (&found, reference) {
        (Err(reason), _) => (None, CheckOutcome::failed(reason)),
        (_, Err(reason)) => (
            None,
            CheckOutcome::failed(&format!("there is nothing to compare with: {reason}")),
        ),
        (Ok(losses), Ok(known)) => judge(losses, known, tolerance),
    };
    Agreement {
        form,
        losses,
        reference: known,
        difference,
        tolerance,
        verdict,
    }
}

fn judge(losses: &[f64], known: &[f64], tolerance: f64) -> (Option<f64>, CheckOutcome) {
    if losses.len().min(known.len()) < STEPS {
        return (None, CheckOutcome::failed("too few steps were taken"));
    }
    let off =
        |(loss, known): (&f64, &f64)| (loss - known).abs() / known.abs().max(f64::MIN_POSITIVE);
    // Keep a loss that is NaN: `f64::max` would drop it.
    let worse = |worst: f64, off: f64| {
        if worst.is_nan() || off <= worst {
            worst
        } else {
            off
        }
    };
    let worst = losses.iter().zip(known).map(off).fold(0.0, worse);
    if worst <= tolerance {
        return (Some(worst), CheckOutcome::Passed);
    }
    let finite = Some(worst).filter(|worst| worst.is_finite());
    (
        finite,
        CheckOutcome::failed(&format!(
            "losses differ by {worst:.1e}, but rounding explains only {tolerance:.0e}"
        )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(losses: &[f64], known: &[f64], numbers: Numbers) -> (Option<f64>, bool) {
        let form = ProbeForm {
            network: NetworkName::SmallChild,
            memory: Memory::Planes,
            numbers,
            threads: 1,
        };
        let found = compare(form, Ok(losses.to_vec()), &Ok(known.to_vec()));
        (found.difference, found.verdict == CheckOutcome::Passed)
    }

    #[test]
    fn the_effect_of_another_number_of_threads_is_ten_times_below_the_limit() {
        // Measured: the small child with 1, 2 and 3 threads.
        let by_threads = [
            [2.343651, 2.297456],
            [2.343651, 2.297443],
            [2.343651, 2.297480],
        ];
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let (difference, passed) = verdict(&by_threads[one], &by_threads[other], Numbers::F32);
            assert!(passed && 10.0 * difference.unwrap() < Numbers::F32.tolerance());
        }
    }

    #[test]
    fn only_a_large_network_in_bf16_on_a_cpu_without_kernels_for_it_is_skipped() {
        let slow = |device, has_kernels| -> Vec<ProbeForm> {
            let forms = forms(device).into_iter();
            forms
                .filter(|form| takes_minutes(form, device, has_kernels))
                .collect()
        };
        let [skipped] = slow(Device::Cpu, false)[..] else {
            panic!("not one form")
        };
        assert_eq!(skipped.network, NetworkName::Nascnn15);
        assert_eq!(skipped.numbers, Numbers::Bf16);
        assert!(slow(Device::Cpu, true).is_empty());
        assert!(slow(Device::Cuda(0), false).is_empty());
    }

    #[test]
    fn rounding_is_tolerated_and_only_the_common_steps_are_compared() {
        let (difference, passed) = verdict(&[2.0, 1.0001, 9.0], &[2.0, 1.0], Numbers::F32);
        assert!(passed && (difference.unwrap() - 1e-4).abs() < 1e-9);
    }

    #[test]
    fn the_losses_of_another_seed_are_refused_in_every_precision() {
        for numbers in [Numbers::F32, Numbers::Tf32, Numbers::Bf16] {
            assert!(!verdict(&[2.0, 1.98], &[2.02, 1.99], numbers).1);
        }
    }

    #[test]
    fn nan_missing_or_too_few_losses_are_a_failure() {
        assert_eq!(
            verdict(&[2.0, f64::NAN, 1.0], &[2.0, 1.0, 1.0], Numbers::Bf16),
            (None, false)
        );
        assert_eq!(verdict(&[2.0], &[2.0, 1.0], Numbers::Bf16), (None, false));
        let form = ProbeForm {
            network: NetworkName::SmallChild,
            memory: Memory::Planes,
            numbers: Numbers::F32,
            threads: 1,
        };
        let died = compare(form, Err("it died".to_owned()), &Ok(vec![1.0, 1.0]));
        assert_eq!(died.verdict, CheckOutcome::failed("it died"));
    }
}
