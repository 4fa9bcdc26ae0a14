//! Which device computes: the choice, made once at start-up and said aloud.
//! In: `auto`, `cpu`, `gpu` or `wgpu`. Out: where it is, in words. Devices are opened in fer-net.

use std::{fmt, str::FromStr};

use crate::error::ModelError;

/// What the user asked for with `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU when there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU, by fer's own kernels.
    Cpu,
    /// A real GPU through wgpu; an error when there is none.
    Gpu,
    /// Any wgpu adapter, software renderers such as lavapipe included: for tests.
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            "wgpu" => Ok(Self::Wgpu),
            _ => Err(format!("expected auto, cpu, gpu or wgpu, found {word:?}")),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Wgpu => "wgpu",
        })
    }
}

/// Where a network computes, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name, for logs: `CPU, 2 threads`.
    pub description: String,
    /// Why it was chosen, as a sentence without a full stop.
    pub reason: String,
}

/// Why a build without the GPU finds none.
pub const WITHOUT_GPU: &str = "this build leaves the GPU out: --features gpu compiles it in";

/// The place of a choice in a build that knows the CPU alone.
///
/// # Errors
/// [`ModelError::Device`] when a GPU was asked for.
pub fn cpu_alone(choice: DeviceChoice) -> Result<Place, ModelError> {
    let reason = match choice {
        DeviceChoice::Cpu => "asked for".to_owned(),
        DeviceChoice::Auto => format!("no GPU: {WITHOUT_GPU}"),
        DeviceChoice::Gpu | DeviceChoice::Wgpu => {
            return Err(ModelError::Device { wanted: choice.to_string(), reason: WITHOUT_GPU.to_owned() });
        }
    };
    Ok(Place { description: format!("CPU, {} threads", fer_kernels::threads()), reason })
}
