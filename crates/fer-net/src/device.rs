//! Which device computes: the choice, made once at start-up and said aloud.
//! In: `auto`, `cpu`, `gpu` or `wgpu`. Out: a Burn device, its name and why it was chosen.
//! The only file that opens devices.

use burn::tensor::Device;
use fer_model::{DeviceChoice, ModelError, device::Place};

/// The device that was chosen.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The Burn device, without autodiff.
    pub device: Device,
    /// Its name and backend, `CPU (Flex, 2 threads)`, and why it was chosen.
    pub place: Place,
}

/// Opens the device of a choice.
///
/// # Errors
/// [`ModelError::Device`] when a GPU was asked for and there is none, with the adapters seen.
pub fn choose(choice: DeviceChoice) -> Result<Chosen, ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok(cpu("asked for")),
        DeviceChoice::Auto => Ok(gpu::find().unwrap_or_else(|seen| cpu(&format!("no GPU: {seen}")))),
        DeviceChoice::Gpu => gpu::find().map_err(|seen| ModelError::Device {
            wanted: choice.to_string(),
            reason: format!("no GPU: {seen}; try --device cpu, or install the GPU's Vulkan driver"),
        }),
        DeviceChoice::Wgpu => gpu::any().map_err(|seen| ModelError::Device {
            wanted: choice.to_string(),
            reason: format!("{seen}; Mesa's software renderer comes with Debian's mesa-vulkan-drivers"),
        }),
    }
}

/// `n` devices of the chosen one's kind, itself the first: handles of the one CPU, or so many GPUs.
///
/// # Errors
/// [`ModelError::Device`] when there are fewer GPUs of that kind, with the adapters seen.
pub fn several(chosen: &Chosen, n: usize) -> Result<Vec<Device>, ModelError> {
    if n == 1 || chosen.device == Device::flex() {
        return Ok(vec![chosen.device.clone(); n]);
    }
    gpu::several(&chosen.device, n).map_err(|seen| ModelError::Device {
        wanted: DeviceChoice::Gpu.to_string(),
        reason: format!(
            "{n} devices like {} were asked for, {seen}; set execution.n_devices to what is there",
            chosen.place.description
        ),
    })
}

fn cpu(reason: &str) -> Chosen {
    let description = format!("CPU (Flex, {} threads)", fer_kernels::threads());
    Chosen { device: Device::flex(), place: Place { description, reason: reason.to_owned() } }
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::tensor::{Device, DeviceKind, DeviceType};

    use super::{Chosen, Place};

    /// The first real GPU, or what was seen instead.
    pub(super) fn find() -> Result<Chosen, String> {
        group(1, |_| true).map(|mut devices| chosen(devices.remove(0), "a GPU is there"))
    }

    /// The first `n` GPUs of the kind of `first`, or what was seen instead.
    pub(super) fn several(first: &Device, n: usize) -> Result<Vec<Device>, String> {
        group(n, |device| device == first)
    }

    /// The first `n` GPUs of the best kind that has so many and whose first one will do.
    fn group(n: usize, will_do: impl Fn(&Device) -> bool) -> Result<Vec<Device>, String> {
        let kinds = [DeviceKind::DiscreteGpu, DeviceKind::IntegratedGpu, DeviceKind::VirtualGpu];
        let adapters = adapters();
        let found = kinds
            .map(|kind| (0..n).map(|idx| Device::wgpu(kind(idx))).collect::<Vec<_>>())
            .into_iter()
            .find(|devices| will_do(&devices[0]) && devices.iter().all(|device| adapters.contains(device)));
        found.ok_or_else(|| match adapters.iter().map(name).collect::<Vec<_>>().join(", ") {
            names if names.is_empty() => "wgpu saw no adapter".to_owned(),
            names => format!("wgpu saw only {names}"),
        })
    }

    /// The best adapter of any kind.
    pub(super) fn any() -> Result<Chosen, String> {
        find().or_else(|_| {
            let first = adapters().into_iter().next();
            first.map(|device| chosen(device, "asked for")).ok_or_else(|| "wgpu saw no adapter".to_owned())
        })
    }

    fn adapters() -> Vec<Device> {
        Device::enumerate(DeviceType::Wgpu).into_vec()
    }

    fn name(device: &Device) -> String {
        device.identity().map_or_else(|| format!("{device:?}"), |identity| identity.name)
    }

    fn chosen(device: Device, reason: &str) -> Chosen {
        let description = format!("{} (wgpu)", name(&device));
        Chosen { device, place: Place { description, reason: reason.to_owned() } }
    }
}

#[cfg(not(feature = "gpu"))]
mod gpu {
    use burn::tensor::Device;

    use fer_model::device::WITHOUT_GPU;

    use super::Chosen;

    pub(super) fn find() -> Result<Chosen, String> {
        Err(WITHOUT_GPU.to_owned())
    }

    pub(super) fn any() -> Result<Chosen, String> {
        Err(WITHOUT_GPU.to_owned())
    }

    pub(super) fn several(_first: &Device, _n: usize) -> Result<Vec<Device>, String> {
        Err(WITHOUT_GPU.to_owned())
    }
}
