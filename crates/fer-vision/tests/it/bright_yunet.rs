//! A network with YuNet's inputs and outputs that takes bright squares for faces, written as an ONNX file.
//!
//! A white square of 32 pixels on the grid of 32 is a face around its centre, 160 wide and 224 high, its eyes 64
//! apart across and 32 down. The layers are averages, 1×1 convolutions and reshapes; field numbers are onnx.proto3's.

/// What may be wrong with the network.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bright<'a> {
    /// Names this instead of the output `cls_8`.
    pub(crate) renamed: Option<&'a str>,
    /// Puts this layer before `cls_8`'s.
    pub(crate) layer: Option<&'a str>,
    /// Values a cell of `kps_8`, instead of 10.
    pub(crate) n_points: Option<usize>,
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// The file.
pub(crate) fn bright_yunet(wrong: Bright<'_>) -> Vec<u8> {
    let mut graph = Vec::new();
    let mut outputs = Vec::new();
    for stride in [8, 16, 32] {
        let mean = format!("mean_{stride}");
        let window = [ints("kernel_shape", &[stride, stride]), ints("strides", &[stride, stride])];
        bytes(&mut graph, 1, &node("AveragePool", &["input"], &mean, &window));
        for (part, bias) in [
            ("cls", vec![-1.0]),
            ("obj", vec![1.0]),
            ("bbox", vec![0.5, 0.5, 5.0_f32.ln(), 7.0_f32.ln()]),
            ("kps", vec![-0.5, 0.0, 1.5, 1.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]),
        ] {
            let name = format!("{part}_{stride}");
            let is_first = name == "cls_8";
            let mut bias = bias;
            if name == "kps_8" {
                bias.resize(wrong.n_points.unwrap_or(10), 0.0);
            }
            // Twice the brightness less one is the probability of a face: at stride 32 only.
            let weight = if part == "cls" && stride == 32 { 2.0 / (3.0 * 255.0) } else { 0.0 };
            let n = bias.len() as u64;
            let [w, b, s, c, t] = ["w", "b", "s", "c", "t"].map(|kind| format!("{kind}_{name}"));
            let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
            let shape: Vec<u8> = [1, -1, n as i64].iter().flat_map(|v| v.to_le_bytes()).collect();
            bytes(&mut graph, 5, &tensor(&w, &[n, 3, 1, 1], FLOAT, &floats(&vec![weight; 3 * bias.len()])));
            bytes(&mut graph, 5, &tensor(&b, &[n], FLOAT, &floats(&bias)));
            bytes(&mut graph, 5, &tensor(&s, &[3], INT64, &shape));
            let mut seen = mean.clone();
            if let Some(layer) = wrong.layer.filter(|_| is_first) {
                bytes(&mut graph, 1, &node(layer, &[&mean], "other", &[]));
                seen = "other".to_owned();
            }
            bytes(&mut graph, 1, &node("Conv", &[&seen, &w, &b], &c, &[ints("kernel_shape", &[1, 1])]));
            bytes(&mut graph, 1, &node("Transpose", &[&c], &t, &[ints("perm", &[0, 2, 3, 1])]));
            let said = wrong.renamed.filter(|_| is_first).map_or(name, str::to_owned);
            bytes(&mut graph, 1, &node("Reshape", &[&t, &s], &said, &[]));
            outputs.push(value_info(&said, &[1, (640 / stride).pow(2), n]));
        }
    }
    bytes(&mut graph, 2, b"bright");
    bytes(&mut graph, 11, &value_info("input", &[1, 3, 640, 640]));
    for output in outputs {
        bytes(&mut graph, 12, &output);
    }
    let mut version = Vec::new();
    number(&mut version, 2, 11);
    let mut model = Vec::new();
    number(&mut model, 1, 6);
    bytes(&mut model, 8, &version);
    // Last, so that every cut goes through it.
    bytes(&mut model, 7, &graph);
    model
}

fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node = Vec::new();
    for input in inputs {
        bytes(&mut node, 1, input.as_bytes());
    }
    bytes(&mut node, 2, output.as_bytes());
    bytes(&mut node, 4, kind.as_bytes());
    for attribute in attributes {
        bytes(&mut node, 5, attribute);
    }
    node
}

fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let mut attribute = Vec::new();
    bytes(&mut attribute, 1, name.as_bytes());
    for &value in values {
        number(&mut attribute, 8, value);
    }
    number(&mut attribute, 20, 7);
    attribute
}

fn tensor(name: &str, dims: &[u64], kind: u64, raw: &[u8]) -> Vec<u8> {
    let mut tensor = Vec::new();
    for &dim in dims {
        number(&mut tensor, 1, dim);
    }
    number(&mut tensor, 2, kind);
    bytes(&mut tensor, 8, name.as_bytes());
    bytes(&mut tensor, 9, raw);
    tensor
}

fn value_info(name: &str, dims: &[u64]) -> Vec<u8> {
    let [mut shape, mut kind, mut holder, mut info] = [const { Vec::new() }; 4];
    for &size in dims {
        let mut dim = Vec::new();
        number(&mut dim, 1, size);
        bytes(&mut shape, 1, &dim);
    }
    number(&mut kind, 1, FLOAT);
    bytes(&mut kind, 2, &shape);
    bytes(&mut holder, 1, &kind);
    bytes(&mut info, 1, name.as_bytes());
    bytes(&mut info, 2, &holder);
    info
}

fn number(message: &mut Vec<u8>, field: u64, value: u64) {
    varint(message, field << 3);
    varint(message, value);
}

fn bytes(message: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(message, (field << 3) | 2);
    varint(message, content.len() as u64);
    message.extend(content);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}
