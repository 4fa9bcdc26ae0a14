//! An ONNX file of one input size → one of any size.
//! In: the file's bytes. Out: the same, its input's height and width named instead of numbered.
//!
//! YuNet's file says 640×640 though its layers take any multiple of 32; OpenCV overrides the size, rten holds a
//! network to what its file says. A number and a name can be written in as many bytes, so nothing moves.
//! Field numbers are those of onnx.proto3: `ModelProto.graph` 7, `GraphProto.input` 11, `ValueInfoProto.type` 2,
//! `TypeProto.tensor_type` 1, `Tensor.shape` 2, `TensorShapeProto.dim` 1, `Dimension.dim_value` 1, `dim_param` 2.

use super::fields::{Field, fields};

/// From the file to its inputs' shapes.
const SHAPE: [u32; 5] = [7, 11, 2, 1, 2];

/// Frees height and width of a network with one input of four dimensions.
///
/// # Errors
/// What was expected and found, when the bytes are no ONNX file or its input is another one.
pub(super) fn free_size(onnx: &mut [u8]) -> Result<(), String> {
    let mut messages: Vec<_> = std::iter::once(0..onnx.len()).collect();
    for wanted in SHAPE {
        let mut inner = Vec::new();
        for message in messages {
            inner.extend(fields(onnx, message)?.into_iter().filter(|field| field.number == wanted));
        }
        messages = inner.into_iter().map(|field| field.content).collect();
    }
    let [shape] = messages.as_slice() else {
        return Err(format!("expected a network with one input, found {} shapes of inputs", messages.len()));
    };
    let dims: Vec<Field> =
        fields(onnx, shape.clone())?.into_iter().filter(|field| field.number == 1).collect();
    let [_, _, height, width] = dims.as_slice() else {
        return Err(format!("expected an input of 4 dimensions, found {}", dims.len()));
    };
    for (dim, name) in [(height, b'h'), (width, b'w')] {
        rename(&mut onnx[dim.content.clone()], name);
    }
    Ok(())
}

/// Writes a name over the number of a dimension; one that is a name already stays.
fn rename(dim: &mut [u8], name: u8) {
    const NUMBER: u8 = 1 << 3;
    const NAME: u8 = (2 << 3) | 2;
    if let [NUMBER, value @ ..] = dim
        && !value.is_empty()
        && value.len() < 12
    {
        value.fill(name);
        value[0] = (value.len() - 1) as u8;
        dim[0] = NAME;
    }
}
