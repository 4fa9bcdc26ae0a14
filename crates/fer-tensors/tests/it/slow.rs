//! The operations as their definitions say, one multiplication at a time, in double precision.
//! In: `[N, C, H, W]` values. Out: `[N, C, H, W]` values.

/// Convolution of `x` `[n, i, h, w]` with `weight` `[o, i, k, k]`.
pub(crate) fn conv2d(
    [n, inputs, height, width]: [usize; 4],
    x: &[f32],
    [outputs, _, kernel, _]: [usize; 4],
    weight: &[f32],
    stride: usize,
    padding: usize,
) -> Vec<f32> {
    let out = |size: usize| (size + 2 * padding - kernel) / stride + 1;
    let mut y = Vec::new();
    for image in 0..n {
        for output in 0..outputs {
            for out_y in 0..out(height) {
                for out_x in 0..out(width) {
                    let mut sum = 0.0f64;
                    for input in 0..inputs {
                        for ky in 0..kernel {
                            for kx in 0..kernel {
                                let (y, x_) = (out_y * stride + ky, out_x * stride + kx);
                                let inside = |at: usize, size: usize| (padding..size + padding).contains(&at);
                                if inside(y, height) && inside(x_, width) {
                                    let pixel = ((image * inputs + input) * height + y - padding) * width
                                        + x_
                                        - padding;
                                    let tap = ((output * inputs + input) * kernel + ky) * kernel + kx;
                                    sum += f64::from(x[pixel]) * f64::from(weight[tap]);
                                }
                            }
                        }
                    }
                    y.push(sum as f32);
                }
            }
        }
    }
    y
}

/// Mean and biased variance of each channel of `[n, c, pixels]`.
pub(crate) fn statistics(n: usize, channels: usize, pixels: usize, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let of = |channel: usize| {
        let values = || {
            (0..n)
                .flat_map(move |image| &x[(image * channels + channel) * pixels..][..pixels])
                .map(|v| f64::from(*v))
        };
        let mean = values().sum::<f64>() / (n * pixels) as f64;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * pixels) as f64;
        (mean as f32, variance as f32)
    };
    (0..channels).map(of).unzip()
}
