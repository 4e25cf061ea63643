//! The input of a layer: the outputs of the layers it reads, concatenated over channels.

use tch::{TchError, Tensor};

use crate::space::Layer;

/// The pixels that a convolution actually reads, and its stride. A 1x1 kernel with a stride and no
/// padding reads only every stride-th pixel, so those are selected first and the stride becomes 1,
/// with the same result.
///
/// This is not for speed: oneDNN's own kernel for this case (libtorch 2.11, channels_last, fewer
/// than 8 input channels) writes past its buffer in the backward pass, which crashes the worker or,
/// worse, corrupts its numbers.
pub(super) fn skip_unread_pixels(
    input: &Tensor,
    layer: &Layer,
) -> Result<(Tensor, [i64; 2]), TchError> {
    let [rows, columns] = layer.stride.map(|size| size as i64);
    if layer.kernel != [1, 1] || layer.padding != [0, 0] || layer.stride == [1, 1] {
        return Ok((input.shallow_clone(), [rows, columns]));
    }
    let read = input
        .f_slice(2, None, None, rows)?
        .f_slice(3, None, None, columns)?;
    Ok((read, [1, 1]))
}

fn read<'outputs>(outputs: &'outputs [Option<Tensor>], inputs: &[usize]) -> Vec<&'outputs Tensor> {
    let output = |&input: &usize| {
        outputs[input]
            .as_ref()
            .expect("an output is kept until its last reader has run")
    };
    inputs.iter().map(output).collect()
}

/// Concatenate outputs over channels; smaller ones are zero-padded, centred (an odd row or column
/// goes below or to the right).
pub(super) fn join(outputs: &[Option<Tensor>], inputs: &[usize]) -> Result<Tensor, TchError> {
    let tensors = read(outputs, inputs);
    if let [only] = tensors[..] {
        return Ok(only.shallow_clone());
    }
    let sizes: Vec<(i64, i64)> = tensors
        .iter()
        .map(|tensor| (tensor.size()[2], tensor.size()[3]))
        .collect();
    let height = sizes.iter().map(|size| size.0).max().unwrap_or(0);
    let width = sizes.iter().map(|size| size.1).max().unwrap_or(0);
    let padded = tensors
        .iter()
        .zip(&sizes)
        .map(|(tensor, &(h, w))| pad(tensor, height - h, width - w));
    Tensor::f_cat(&padded.collect::<Result<Vec<_>, _>>()?, 1)
}

fn pad(tensor: &Tensor, rows: i64, columns: i64) -> Result<Tensor, TchError> {
    if rows == 0 && columns == 0 {
        return Ok(tensor.shallow_clone());
    }
    tensor.f_constant_pad_nd([
        columns / 2,
        columns - columns / 2,
        rows / 2,
        rows - rows / 2,
    ])
}
