//! YuNet's network, evaluated by rten on one thread.
//! In: an ONNX file's bytes; `[1, 3, H, W]` floats. Out: what it says at each stride.
//!
//! rten rather than tract, for its size: docs/reports/live.md.

use std::sync::Arc;

use fer_base::Cause;
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, op_registry};
use rten_tensor::{AsView, Layout, NdTensorView, Tensor};

use super::decode::Cells;
use super::fields;
use super::file::MOST_BYTES;
use super::picture::Planes;
use super::size::free_size;

/// Distances of cells, in pixels.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Outputs a stride, and their values a cell.
const PARTS: [(&str, usize); 4] = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];

/// Why a file is no YuNet that can be used.
#[derive(Debug, thiserror::Error)]
pub enum YuNetError {
    /// An option is out of range.
    #[error("{0}")]
    Options(String),
    /// The bytes are no ONNX file, or cut off.
    #[error("no whole ONNX file: {0}")]
    File(String),
    /// The engine cannot evaluate the network.
    #[error("the network cannot be evaluated")]
    Engine(#[source] Cause),
    /// It is another network.
    #[error("another network than YuNet of 2023: {0}")]
    Interface(String),
}

/// A network with YuNet's inputs and outputs.
pub(super) struct YuNet {
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    pool: Arc<ThreadPool>,
}

impl YuNet {
    /// Loads the network and tries it on an empty picture.
    pub(super) fn load(mut onnx: Vec<u8>) -> Result<Self, YuNetError> {
        if onnx.len() > MOST_BYTES {
            let found = onnx.len();
            return Err(YuNetError::File(format!("expected at most {MOST_BYTES} bytes, found {found}")));
        }
        fields::check(&onnx).map_err(YuNetError::File)?;
        free_size(&mut onnx).map_err(YuNetError::File)?;
        // YuNet's own layers: a network that needs others is refused when it is loaded.
        let layers =
            op_registry!(Add, AveragePool, Concat, Conv, MaxPool, Relu, Reshape, Resize, Sigmoid, Transpose);
        let mut options = ModelOptions::with_ops(layers);
        let model = options
            .prepack_weights(true)
            .load(onnx)
            .map_err(|error| YuNetError::Engine(error.to_string().into()))?;
        let [input] = *model.input_ids() else {
            let found = model.input_ids().len();
            return Err(YuNetError::Interface(format!("expected one input, found {found}")));
        };
        let outputs = outputs(&model)?;
        // One thread: the pipeline keeps the cores busy by itself, and the layers are small.
        let network = Self { model, input, outputs, pool: Arc::new(ThreadPool::with_num_threads(1)) };
        let (height, width) = (32, 64);
        network.run(Planes { values: vec![0.0; 3 * height * width], height, width, scale: 1.0 })?;
        Ok(network)
    }

    /// What the network says at each stride.
    pub(super) fn run(&self, planes: Planes) -> Result<Vec<Cells>, YuNetError> {
        let Planes { values, height, width, .. } = planes;
        let image = NdTensorView::from_data([1, 3, height, width], values.as_slice());
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let said = self
            .model
            .run(vec![(self.input, image.into())], &self.outputs, Some(options))
            .map_err(|error| YuNetError::Engine(error.to_string().into()))?;
        let mut said = said.into_iter();
        let mut cells = Vec::with_capacity(STRIDES.len());
        for stride in STRIDES {
            let (rows, columns) = (height / stride, width / stride);
            let mut parts = PARTS.map(|_| Vec::new());
            for (part, (name, width)) in parts.iter_mut().zip(PARTS) {
                let value = said.next().expect("as many values as outputs were asked for");
                *part = values_of(value, &format!("{name}_{stride}"), [1, rows * columns, width])?;
            }
            let [cls, obj, bbox, kps] = parts;
            cells.push(Cells { stride, columns, cls, obj, bbox, kps });
        }
        Ok(cells)
    }
}

/// The outputs, by stride and part.
fn outputs(model: &Model) -> Result<Vec<NodeId>, YuNetError> {
    let names = STRIDES.iter().flat_map(|stride| PARTS.map(|(name, _)| format!("{name}_{stride}")));
    let output = |name: String| {
        let found = model.find_node(&name).filter(|id| model.output_ids().contains(id));
        found.ok_or_else(|| {
            let names: Vec<String> = model
                .output_ids()
                .iter()
                .filter_map(|&id| Some(model.node_info(id)?.name()?.chars().take(20).collect()))
                .take(12)
                .collect();
            YuNetError::Interface(format!("expected an output {name}, found {}", names.join(", ")))
        })
    };
    names.map(output).collect()
}

fn values_of(value: Value, name: &str, expected: [usize; 3]) -> Result<Vec<f32>, YuNetError> {
    let tensor: Tensor<f32> = value
        .try_into()
        .map_err(|_| YuNetError::Interface(format!("{name}: expected floats, found another type")))?;
    if tensor.shape() != expected.as_slice() {
        let found = tensor.shape();
        return Err(YuNetError::Interface(format!("{name}: expected {expected:?} values, found {found:?}")));
    }
    Ok(tensor.to_vec())
}
