//! ONNX files: names, dynamic batch, card inside.

use fer_model::net::{BlockPlan, NetPlan, Pooling};
use fer_net::Net;
use fer_train::onnx::to_onnx;
use onnx_ir::{Message, ModelProto};

use crate::fixtures::{card, cpu, net};

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

#[test]
fn weights_of_places_are_exported_before_the_pool() {
    let blocks = [BlockPlan::Plain { width: 16, convs: 1, pool: true }];
    let plan = NetPlan { pooling: Pooling::Weighted, ..NetPlan::of_one_trunk(&blocks) };
    let net = Net::of_plan(&plan, 7, 0.0, &cpu());
    let model = ModelProto::parse_from_bytes(&to_onnx(&net, &card()).unwrap()).unwrap();
    let pool = model.graph.node.iter().position(|node| node.op_type == "GlobalAveragePool").unwrap();
    let weighted = &model.graph.node[..pool].iter().find(|node| node.output == model.graph.node[pool].input);
    assert_eq!(weighted.unwrap().op_type, "Mul");
}

#[test]
fn standardizing_is_exported_before_the_first_convolution() {
    let blocks = [BlockPlan::Plain { width: 16, convs: 1, pool: true }];
    let plan = NetPlan { standardizes: true, ..NetPlan::of_one_trunk(&blocks) };
    let net = Net::of_plan(&plan, 7, 0.0, &cpu());
    let model = ModelProto::parse_from_bytes(&to_onnx(&net, &card()).unwrap()).unwrap();
    let kinds: Vec<&str> = model.graph.node.iter().map(|node| node.op_type.as_str()).collect();
    let conv = kinds.iter().position(|&kind| kind == "Conv").unwrap();
    assert!(kinds[..conv].contains(&"Sqrt") && kinds[..conv].contains(&"Div"), "{kinds:?}");
    assert!(model.graph.node[conv].input.iter().all(|name| name != "faces"), "{kinds:?}");
}

#[test]
fn a_separable_block_is_exported_as_a_grouped_convolution_and_one_of_1x1() {
    let blocks =
        [BlockPlan::Plain { width: 16, convs: 1, pool: true }, BlockPlan::Separable { width: 24, stride: 2 }];
    let net = Net::of_plan(&NetPlan::of_one_trunk(&blocks), 7, 0.0, &cpu());
    let model = ModelProto::parse_from_bytes(&to_onnx(&net, &card()).unwrap()).unwrap();
    let convs = model.graph.node.iter().filter(|node| node.op_type == "Conv");
    let attribute = |node: &onnx_ir::NodeProto, name: &str| {
        node.attribute.iter().find(|own| own.name == name).map_or(1, |own| own.i)
    };
    let groups: Vec<i64> = convs.map(|node| attribute(node, "group")).collect();
    assert_eq!(groups.iter().filter(|&&n| n == 16).count(), 1, "{groups:?}");
    assert_eq!(groups.iter().filter(|&&n| n == 24).count(), 1, "{groups:?}");
    assert_eq!(groups.len(), 6, "the stem, two by channels, two of 1×1, and the shortcut: {groups:?}");
}
