//! ONNX files: names, dynamic batch, card inside.

use fer_train::onnx::to_onnx;
use onnx_ir::{Message, ModelProto};

use crate::fixtures::{card, net};

#[test]
fn the_onnx_model_has_agreed_names_a_dynamic_batch_and_its_card() {
    let card = card();
    let model = ModelProto::parse_from_bytes(&to_onnx(&net(), &card).unwrap()).unwrap();
    let graph = &model.graph;
    assert_eq!((graph.input.len(), graph.output.len()), (1, 1));
    assert_eq!((graph.input[0].name.as_str(), graph.output[0].name.as_str()), ("faces", "logits"));
    let dims = &graph.input[0].type_.tensor_type().shape.dim;
    assert_eq!(dims[0].dim_param(), "batch");
    assert_eq!(dims[1..].iter().map(|dim| dim.dim_value()).collect::<Vec<_>>(), [1, 48, 48]);
    assert!(graph.node.iter().any(|node| node.input.iter().any(|name| name == "faces")));
    assert!(graph.node.iter().any(|node| node.output.iter().any(|name| name == "logits")));
    let property = |key: &str| &model.metadata_props.iter().find(|p| p.key == key).unwrap().value;
    assert_eq!(property("labels"), r#"["angry","disgust","fear","happy","neutral","sad","surprise"]"#);
    assert_eq!(*property("card"), card.to_json());
}
