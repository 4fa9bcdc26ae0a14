//! A network that learns nothing any more: folded on the CPU, as it is on other devices.
//! In: a trained [`Net`]. Out: its logits; a [`Predictor`].

use burn::module::Module;
use burn::store::ModuleSnapshot;
use burn::tensor::{Device, Tensor, TensorData};
use fer_data::face::{PIXELS, SIDE};
use fer_model::{FoldedNet, ModelCard, Network, Predictor, Weights, predict};

use crate::net::Net;

/// A network for reading alone.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // A program has a handful of networks; boxes would save nothing.
pub enum Frozen {
    /// By fer's own kernels: on the CPU.
    Folded(FoldedNet),
    /// By Burn: on other devices.
    Unfolded(Net),
}

impl Frozen {
    /// Of a network on any device.
    #[must_use]
    pub fn new(net: &Net) -> Self {
        let device = net.device();
        let (inner, is_autodiff) = (device.clone().inner(), device.is_autodiff());
        if inner == Device::flex() {
            return Self::Folded(fold(net));
        }
        Self::Unfolded(if is_autodiff { net.valid() } else { net.clone() })
    }

    /// Logits of normalised faces, `[N, 1, 48, 48]` to `[N, n_labels]`, without gradient.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Unfolded(net) => net.forward(images),
            Self::Folded(net) => {
                let (n, device) = (images.dims()[0], images.device());
                let logits = net.logits(floats(images));
                let n_labels = logits.len() / n.max(1);
                Tensor::from_data(TensorData::new(logits, [n, n_labels]), &device)
            }
        }
    }
}

impl Network for Frozen {
    fn logits(&self, faces: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Folded(net) => net.logits(faces),
            Self::Unfolded(net) => {
                let n = faces.len() / PIXELS;
                let images = TensorData::new(faces, [n, 1, SIDE, SIDE]);
                floats(net.forward(Tensor::<4>::from_data(images, &net.device())))
            }
        }
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().expect("the data were just converted to f32")
}

/// The network in inference form, with its running statistics.
#[must_use]
pub fn fold(net: &Net) -> FoldedNet {
    let net = if net.device().is_autodiff() { net.valid() } else { net.clone() };
    let tensors = net.collect(None, None, true).into_iter().map(|tensor| {
        let (name, dims) = (tensor.name.clone(), tensor.shape.to_vec());
        let bytes = tensor.into_bytes().expect("a network's own tensor can be read");
        let floats = bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        (name, dims, floats)
    });
    let folded = FoldedNet::new(&net.plan(), net.n_labels(), tensors.collect::<Weights>());
    folded.expect("a network has the tensors of its own plan")
}

/// A predictor of a network, described by `card`, where the network is.
#[must_use]
pub fn predictor(net: &Net, card: ModelCard) -> Predictor {
    Predictor::new(Frozen::new(net), card)
}

/// The network that gives a reading's logits itself, for runtimes that know nothing of heads: its labels are
/// [`ModelCard::labels`].
#[must_use]
pub fn reading_net(net: &Net, card: &ModelCard) -> Net {
    if card.heads.is_empty() && card.verifier.is_none() {
        return net.clone();
    }
    let (columns, offsets) = predict::reading_of(card);
    net.with_joined_head(&columns, &offsets)
}
