//! A request's body, kept beside the allocator.
//! In: chunks as they arrive. Out: their bytes, whose memory is the system's again the moment they are dropped.
//!
//! A body arrives in one thread and is dropped in another. An allocator keeps such memory for the first thread, until
//! that happens to ask for some: a server that was sent large bodies and then waits would hold them for ever.

use axum::body::Bytes;
use memmap2::MmapMut;

use crate::problem::{Problem, ProblemKind};

/// The first mapping's size; pages that nobody writes take no memory.
const FIRST: usize = 1 << 18;

/// Bytes that grow.
#[derive(Default)]
pub(super) struct BodyBytes {
    pages: Option<MmapMut>,
    len: usize,
}

impl BodyBytes {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a chunk.
    ///
    /// # Errors
    /// [`ProblemKind::Failed`] when the system has no more memory.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        let end = self.len + chunk.len();
        let capacity = self.pages.as_ref().map_or(0, |pages| pages.len());
        if end > capacity {
            let mut larger = MmapMut::map_anon(end.next_power_of_two().max(FIRST)).map_err(|error| {
                Problem::new(ProblemKind::Failed, format!("no memory for the body: {error}"))
            })?;
            larger[..self.len].copy_from_slice(self.as_ref());
            self.pages = Some(larger);
        }
        if let Some(pages) = &mut self.pages {
            pages[self.len..end].copy_from_slice(chunk);
        }
        self.len = end;
        Ok(())
    }

    /// The bytes, no longer growing.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for BodyBytes {
    fn as_ref(&self) -> &[u8] {
        self.pages.as_ref().map_or(&[], |pages| &pages[..self.len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_any_size_come_out_as_they_went_in() {
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
        for size in [1, 1000, 262_144, 262_145, 700_000] {
            let mut body = BodyBytes::default();
            for chunk in bytes.chunks(size).take(20_000 / size + 3) {
                body.push(chunk).expect("there is memory");
            }
            let n = body.len();
            assert!(n > 0 && body.freeze() == bytes[..n], "chunks of {size}");
        }
        assert!(BodyBytes::default().freeze().is_empty());
    }
}
