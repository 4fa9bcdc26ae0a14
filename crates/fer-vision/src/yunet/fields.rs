//! The fields of an ONNX file, a message of Protocol Buffers.
//! In: bytes. Out: where each field's content is, or why the bytes are no such file.

use std::ops::Range;

/// A message that holds messages.
#[derive(Clone, Copy)]
enum OnnxMessage {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    Sequence,
    TensorType,
    Shape,
    /// Holds no further message.
    Leaf,
}

impl OnnxMessage {
    /// The message in a field; numbers are those of onnx.proto3.
    fn inside(self, field: u32) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6) => Some(Self::Graph),
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Some(Self::Leaf),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5) => Some(Self::Tensor),
            (Self::Graph, 11..=13) => Some(Self::ValueInfo),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::ValueInfo, 2) | (Self::Sequence, 1) => Some(Self::Type),
            (Self::Type, 1) => Some(Self::TensorType),
            (Self::Type, 4) => Some(Self::Sequence),
            (Self::TensorType, 2) => Some(Self::Shape),
            _ => None,
        }
    }
}

/// Networks within networks, and types within types, that are looked into.
const MOST_DEPTH: usize = 32;

/// Checks that every text and message lies within the one it is part of.
///
/// rten takes as much memory as a text says it needs before it reads it, and aborts where there is not so much.
///
/// # Errors
/// Where a field does not fit.
pub(super) fn check(onnx: &[u8]) -> Result<(), String> {
    check_message(onnx, 0..onnx.len(), OnnxMessage::Model, 0)
}

fn check_message(onnx: &[u8], place: Range<usize>, message: OnnxMessage, depth: usize) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Err(format!("expected messages {MOST_DEPTH} deep at most"));
    }
    for field in fields(onnx, place)? {
        if let Some(inner) = message.inside(field.number).filter(|_| field.is_sized) {
            check_message(onnx, field.content, inner, depth + 1)?;
        }
    }
    Ok(())
}

/// A field of a message: its number, and where its content is.
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) content: Range<usize>,
    /// Whether its content is bytes, a text or a message, and not a number.
    is_sized: bool,
}

/// The fields of a message; a message that ends within a field is refused.
pub(super) fn fields(bytes: &[u8], message: Range<usize>) -> Result<Vec<Field>, String> {
    let mut found = Vec::new();
    let mut at = message.start;
    while at < message.end {
        let broken = || format!("expected a field of an ONNX file at byte {at}, found none");
        let (key, start) = varint(bytes, at, message.end).ok_or_else(broken)?;
        let (content_start, length) = match key & 7 {
            0 => (start, varint(bytes, start, message.end).ok_or_else(broken)?.1 - start),
            1 => (start, 8),
            5 => (start, 4),
            2 => {
                let (length, start) = varint(bytes, start, message.end).ok_or_else(broken)?;
                (start, usize::try_from(length).map_err(|_| broken())?)
            }
            _ => return Err(broken()),
        };
        if length > message.end - content_start.min(message.end) {
            let left = message.end - content_start.min(message.end);
            return Err(format!("expected {length} bytes from byte {content_start}, found {left}: cut off"));
        }
        let number = u32::try_from(key >> 3).map_err(|_| broken())?;
        at = content_start + length;
        found.push(Field { number, content: content_start..at, is_sized: key & 7 == 2 });
    }
    Ok(found)
}

/// A number in groups of seven bits, lowest first, and where it ends.
fn varint(bytes: &[u8], start: usize, end: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (idx, &byte) in bytes.get(start..end)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            return Some((value, start + idx + 1));
        }
    }
    None
}
