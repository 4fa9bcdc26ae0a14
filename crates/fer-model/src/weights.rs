//! A model's tensors by name.
//! In: a safetensors file's bytes, or tensors. Out: their floats, taken one by one and held against expected shapes.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};

use crate::error::ModelError;

/// Tensors of f32 by name.
#[derive(Clone, Debug, Default)]
pub struct Weights(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl FromIterator<(String, Vec<usize>, Vec<f32>)> for Weights {
    /// Of names, shapes and floats.
    fn from_iter<I: IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>>(tensors: I) -> Self {
        Self(tensors.into_iter().map(|(name, dims, floats)| (name, (dims, floats))).collect())
    }
}

impl Weights {
    /// Of the bytes of a safetensors file, which errors call by `origin`.
    ///
    /// # Errors
    /// [`ModelError::Weights`] when they are none, or hold other numbers than f32.
    pub fn from_safetensors(bytes: &[u8], origin: &str) -> Result<Self, ModelError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| ModelError::Weights {
            origin: origin.to_owned(),
            reason: "not a safetensors file: copy the model folder again".to_owned(),
            source: Some(error.into()),
        })?;
        let tensors = file.iter().map(|(name, tensor)| {
            if tensor.dtype() != Dtype::F32 {
                let reason = format!("{name} is of {:?}, expected F32", tensor.dtype());
                return Err(ModelError::weights(origin, reason));
            }
            let floats = tensor.data().as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value));
            Ok((name.to_owned(), tensor.shape().to_vec(), floats.collect()))
        });
        tensors.collect()
    }

    /// The names of what is there, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Takes one out.
    ///
    /// # Errors
    /// When it is missing or has another shape, in words.
    pub fn take(&mut self, name: &str, expected: &[usize]) -> Result<Vec<f32>, String> {
        match self.0.remove(name) {
            Some((dims, floats)) if dims == expected => Ok(floats),
            Some((dims, _)) => Err(format!("{name} is {dims:?}, expected {expected:?}")),
            None => Err(format!("{name} is missing")),
        }
    }

    /// The first tensor with a value that no training leaves behind, in words.
    ///
    /// A hash proves that the file is the one that was written, not that a run which wrote it was sound.
    #[must_use]
    pub fn first_impossible(&self) -> Option<String> {
        self.0.iter().find_map(|(name, (_, floats))| {
            let is_variance = name.ends_with("running_var");
            let is_impossible = |value: &&f32| !value.is_finite() || (**value < 0.0 && is_variance);
            let value = floats.iter().find(is_impossible)?;
            let expected = if value.is_finite() { "a variance of 0 or more" } else { "finite numbers" };
            Some(format!("{name} holds {value}, expected {expected}"))
        })
    }
}
