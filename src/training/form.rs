//! The form in which a network is trained: memory order, precision, and the number of images at a
//! time.

use tch::Device;

use crate::child::Plan;
use crate::config::{ChannelsLast, Precision, TrainConfig};
use crate::data::Layout;
use crate::foundation::numbers;
use crate::space::{Architecture, ArchitectureError};
use crate::train::memory;

/// How a network is computed.
#[derive(Debug)]
pub struct NumericForm {
    pub(super) plan: Plan,
    pub(super) precision: Precision,
}

impl NumericForm {
    /// Memory order and precision depend only on the settings, the network, the device and the
    /// machine's size, because a resumed training must round as before.
    pub fn choose(
        architecture: &Architecture,
        config: &TrainConfig,
        device: Device,
    ) -> Result<NumericForm, ArchitectureError> {
        let batch = config.recipe.batch_size;
        let precision = match config.precision {
            Precision::Auto if device.is_cuda() => Precision::Bf16,
            Precision::Auto => Precision::Float32,
            chosen => chosen,
        };
        let plan = match (config.channels_last, precision) {
            (ChannelsLast::On, _) => Plan::plain(architecture, Layout::ChannelsLast),
            (ChannelsLast::Off, _) => Plan::plain(architecture, Layout::Contiguous),
            (ChannelsLast::Auto, Precision::Bf16) => Plan::direct(architecture, device)?,
            (ChannelsLast::Auto, _) => {
                Plan::fastest_within(architecture, device, batch, fair_share())?
            }
        };
        Ok(NumericForm { plan, precision })
    }
}

fn fair_share() -> u64 {
    memory::fair_share(tch::get_num_threads().max(1) as u64)
}

/// How many images at a time fit in the memory that is available, and the reason if they are fewer
/// than a batch: the batch, halved until its estimated memory is at most `available` bytes.
pub fn fitting(
    architecture: &Architecture,
    plan: &Plan,
    batch: usize,
    available: Option<u64>,
) -> Result<(usize, Option<String>), ArchitectureError> {
    let available = available.unwrap_or(u64::MAX);
    let needed = |images| plan.training_memory(architecture, images);
    let mut micro = batch;
    while micro > 1 && needed(micro)? > available {
        micro = micro.div_ceil(2);
    }
    if micro == batch {
        return Ok((batch, None));
    }
    let (all, there) = (numbers::bytes(needed(batch)?), numbers::bytes(available));
    let reason =
        format!("a batch of {batch} needs about {all} of memory, but only {there} are available");
    Ok((micro, Some(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decode;
    use crate::space::resolve_architecture;

    #[test]
    fn a_batch_is_halved_until_it_fits_in_what_is_available() {
        let network = resolve_architecture("nascnn15", Decode::Literal, [3, 16, 16], 10).unwrap();
        let plan = Plan::direct(&network, Device::Cpu).unwrap();
        let needed = |images| plan.training_memory(&network, images).unwrap();
        let fits = |available| fitting(&network, &plan, 128, available).unwrap();
        assert_eq!(fits(Some(needed(128))), (128, None));
        assert_eq!(fits(None), (128, None), "then only trying tells");
        let (images, reason) = fits(Some(needed(128) - 1));
        assert_eq!(images, 64);
        assert!(reason.unwrap().starts_with("a batch of 128 needs about "));
        assert_eq!(fits(Some(needed(20))).0, 16);
        assert_eq!(fits(Some(0)).0, 1);
    }
}
