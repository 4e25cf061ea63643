//! Running statistics of batch norm, all of them in one tensor per network.

use tch::{Device, Kind, TchError, Tensor};

/// Running statistics of one batch norm, one value per stored channel.
#[derive(Debug)]
pub(super) struct Statistics {
    pub(super) mean: Tensor,
    pub(super) variance: Tensor,
    /// Number of real channels; the rest are padding.
    pub(super) filters: i64,
}

/// Each layer's statistics start at a multiple of this many values, aligned like separate tensors.
const ALIGNMENT: i64 = 64;

impl Statistics {
    /// The statistics of every layer, given its number of filters and of stored channels, as views
    /// of one tensor `[2, T]` (means, variances), so that one copy can save them all.
    pub(super) fn of_layers(
        widths: &[[i64; 2]],
        options: (Kind, Device),
    ) -> Result<(Tensor, Vec<Statistics>), TchError> {
        let aligned = |stored: i64| (stored + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        let total = widths
            .iter()
            .map(|&[_, stored]| aligned(stored))
            .sum::<i64>();
        let all = Tensor::f_stack(
            &[
                Tensor::f_zeros([total], options)?,
                Tensor::f_ones([total], options)?,
            ],
            0,
        )?;
        let (means, variances) = (all.f_select(0, 0)?, all.f_select(0, 1)?);
        let mut start = 0;
        let layer = |&[filters, stored]: &[i64; 2]| {
            let (mean, variance) = (
                means.f_narrow(0, start, stored)?,
                variances.f_narrow(0, start, stored)?,
            );
            start += aligned(stored);
            Ok(Statistics {
                mean,
                variance,
                filters,
            })
        };
        let layers = widths
            .iter()
            .map(layer)
            .collect::<Result<Vec<_>, TchError>>()?;
        Ok((all, layers))
    }
}
