//! Inference: a convolution with its batch norm folded in, residual and ReLU fused.
//! In: a trained convolution and the running statistics of its batch norm. Out: feature maps, no gradient.

use burn::Tensor;
use burn::backend::Flex;

use crate::FeatureMap;
use crate::ops::conv::{ConvShape, Epilogue, FoldedWeight};
use crate::tensors::feature_map::{check_channels, has_kernels};
use crate::tensors::flex;

/// A convolution for inference: batch norm folded into weight and bias once, at load.
///
/// `w' = w · γ / √(σ² + ε)` and `b' = β − μ · γ / √(σ² + ε)`, per output channel.
#[derive(Clone)]
pub struct FoldedConv {
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
    /// Weight and bias as our kernels read them; absent where they do not compute.
    packed: Option<(FoldedWeight, Vec<f32>)>,
}

impl std::fmt::Debug for FoldedConv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [outputs, inputs, kernel, _] = self.weight.dims();
        write!(f, "FoldedConv({inputs} → {outputs}, {kernel}×{kernel}, stride {})", self.stride)
    }
}

impl FoldedConv {
    /// Folds a batch norm into the bias-free convolution before it.
    ///
    /// `weight` is `[O, I, k, k]`; `gamma`, `beta` and the running `mean` and `variance` are `[O]`.
    ///
    /// # Panics
    ///
    /// Panics when one of the four does not have `O` values, the stride is 0, or an axis of the weight is empty.
    #[allow(clippy::too_many_arguments)] // The four vectors of a batch norm are one thing.
    pub fn fold(
        weight: Tensor<4>,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        mean: Tensor<1>,
        variance: Tensor<1>,
        epsilon: f64,
        stride: usize,
        padding: usize,
    ) -> Self {
        let n_outputs = weight.dims()[0];
        for (what, values) in [
            ("folded convolution, gamma", &gamma),
            ("folded convolution, beta", &beta),
            ("folded convolution, mean", &mean),
            ("folded convolution, variance", &variance),
        ] {
            check_channels(what, values, n_outputs);
        }
        let scale = gamma / (variance + epsilon).sqrt();
        let bias = beta - mean * scale.clone();
        Self::new(weight * scale.reshape([n_outputs, 1, 1, 1]), bias, stride, padding)
    }

    /// A convolution with `weight` `[O, I, k, k]` and `bias` `[O]`; the weights are packed for the kernels here, once.
    ///
    /// # Panics
    ///
    /// Panics when the bias does not have `O` values, the stride is 0, or an axis of the weight is empty.
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, stride: usize, padding: usize) -> Self {
        check_channels("folded convolution, bias", &bias, weight.dims()[0]);
        assert!(stride > 0, "folded convolution: stride 0, expected at least 1");
        let packed = (has_kernels(&weight) && stride <= 2).then(|| {
            let floats: Vec<f32> = weight.to_data().iter().collect();
            (FoldedWeight::new(weight.dims(), &floats, stride, padding), bias.to_data().iter().collect())
        });
        Self { weight, bias, stride, padding, packed }
    }

    /// Convolution, `+ residual` if there is one, then ReLU if asked for.
    ///
    /// # Panics
    ///
    /// Panics when the channels of `x` are not the weight's, or the residual's shape is not the output's.
    pub fn forward(&self, x: FeatureMap, residual: Option<FeatureMap>, relu: bool) -> FeatureMap {
        let Some((weight, bias)) = self.packed.as_ref().filter(|_| x.is_plain_nhwc()) else {
            return self.forward_unpacked(x, residual, relu);
        };
        let primitive = |map: FeatureMap| {
            assert!(
                map.is_plain_nhwc(),
                "folded convolution: the residual is on another device than the input"
            );
            let tensor = map.into_nhwc().try_into_primitive::<Flex>();
            flex::contiguous(tensor.expect("channels-last maps without autodiff are on Flex"))
        };
        let (x, residual) = (primitive(x), residual.map(primitive));
        let shape = ConvShape::new(flex::dims4(&x), self.weight.dims(), self.stride, self.padding);
        if let Some(residual) = &residual {
            let [height, width] = shape.output();
            let (found, expected) = (flex::dims4(residual), [shape.n, height, width, shape.n_outputs]);
            assert_eq!(
                found, expected,
                "folded convolution: a residual of {found:?}, expected {expected:?} [N, H, W, C]"
            );
        }
        let epilogue = Epilogue { bias: Some(bias), residual: residual.as_ref().map(flex::floats), relu };
        let y = weight.forward(&shape, flex::floats(&x), epilogue);
        let [height, width] = shape.output();
        let y = flex::tensor(y, [shape.n, height, width, shape.n_outputs]);
        FeatureMap::from_nhwc(Tensor::from_primitive::<Flex>(y))
    }

    fn forward_unpacked(&self, x: FeatureMap, residual: Option<FeatureMap>, relu: bool) -> FeatureMap {
        x.conv2d(self.weight.clone(), Some(self.bias.clone()), self.stride, self.padding)
            .finish(residual, relu)
    }
}
