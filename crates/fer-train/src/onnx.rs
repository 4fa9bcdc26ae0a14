//! A network as ONNX, for other runtimes.
//! In: a network and its card. Out: the bytes of an ONNX file, dynamic in the batch.

use burn::tensor::Tensor;
use burn_onnx::export::{AxisSpec, InputSpec, OnnxExporter};
use fer_base::Cause;
use fer_data::face::SIDE;
use fer_model::ModelCard;
use fer_net::Net;
use onnx_ir::{Message, ModelProto};

use crate::error::TrainError;

/// Name of the input: normalised faces, `[batch, 1, 48, 48]`, `(grey value - mean) / deviation`.
pub const INPUT: &str = "faces";

/// Name of the output: logits before the temperature, `[batch, n_labels]`, in label order.
pub const OUTPUT: &str = "logits";

/// The network as an ONNX model with its weights and its card inside.
///
/// # Errors
/// [`TrainError::Export`] with what Burn's exporter said.
pub fn to_onnx(net: &Net, card: &ModelCard) -> Result<Vec<u8>, TrainError> {
    let device = net.device();
    // The exporter runs the network on two batch sizes and marks what differs as dynamic.
    let images = |n| Tensor::<4>::zeros([n, 1, SIDE, SIDE], &device);
    let batch =
        InputSpec::new([AxisSpec::dynamic("batch"), AxisSpec::Static, AxisSpec::Static, AxisSpec::Static]);
    let exported = OnnxExporter::new()
        .export_dynamic(net, images(2), images(3), &[batch], Net::forward)
        .map_err(failed)?;
    let mut model = ModelProto::parse_from_bytes(exported.as_bytes()).map_err(failed)?;
    rename_boundaries(&mut model)?;
    describe(&mut model, card);
    model.write_to_bytes().map_err(failed)
}

/// Gives the one input and the one output their names, wherever they are used.
fn rename_boundaries(model: &mut ModelProto) -> Result<(), TrainError> {
    let graph = model.graph.mut_or_insert_default();
    let ([input], [output]) = (graph.input.as_mut_slice(), graph.output.as_mut_slice()) else {
        let (n_inputs, n_outputs) = (graph.input.len(), graph.output.len());
        return Err(failed(format!("{n_inputs} inputs and {n_outputs} outputs, expected one of each")));
    };
    let old_input = std::mem::replace(&mut input.name, INPUT.to_owned());
    let old_output = std::mem::replace(&mut output.name, OUTPUT.to_owned());
    for node in &mut graph.node {
        for name in node.input.iter_mut().chain(&mut node.output) {
            if *name == old_input {
                INPUT.clone_into(name);
            } else if *name == old_output {
                OUTPUT.clone_into(name);
            }
        }
    }
    Ok(())
}

/// Writes the card, and what a user of the file needs of it, into the model's metadata.
fn describe(model: &mut ModelProto, card: &ModelCard) {
    "fer".clone_into(&mut model.producer_name);
    model.producer_version.clone_from(&card.fer_version);
    let properties = [
        // As JSON, because a user's class name may hold any separator.
        ("labels", serde_json::to_string(&card.labels).expect("labels are plain text")),
        ("mean", card.input.mean.to_string()),
        ("deviation", card.input.deviation.to_string()),
        ("temperature", card.temperature.to_string()),
        ("card", card.to_json()),
    ];
    model.metadata_props.resize_with(properties.len(), Default::default);
    for (property, (key, value)) in model.metadata_props.iter_mut().zip(properties) {
        key.clone_into(&mut property.key);
        property.value = value;
    }
}

fn failed(source: impl Into<Cause>) -> TrainError {
    TrainError::Export { source: source.into() }
}
