//! Memory for the bodies of all requests together.
//! In: bytes as they arrive. Out: leave to keep them, or why there is no room.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Problem, ProblemKind};

/// Bytes that one permit stands for: a semaphore counts less far than memory.
const GRAIN: usize = 1 << 10;

/// What all requests share.
#[derive(Clone, Debug)]
pub(crate) struct Rooms {
    grains: Arc<Semaphore>,
}

impl Rooms {
    /// Room for so many bytes.
    #[must_use]
    pub(crate) fn new(n_bytes: usize) -> Self {
        Self { grains: Arc::new(Semaphore::new(n_bytes.div_ceil(GRAIN))) }
    }

    /// The room of one request, as yet empty.
    #[must_use]
    pub(crate) fn enter(&self) -> Room {
        Room { rooms: self.clone(), n_bytes: 0, taken: None }
    }
}

/// What one request keeps; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Rooms,
    n_bytes: usize,
    taken: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Makes room for more bytes of the request.
    ///
    /// # Errors
    /// [`ProblemKind::Busy`] when the bodies of all requests take what they may. It does not wait: two requests
    /// that each wait for what the other has would wait for ever.
    pub(crate) fn grow(&mut self, n_bytes: usize) -> Result<(), Problem> {
        self.n_bytes += n_bytes;
        let has = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(self.n_bytes.div_ceil(GRAIN) - has).unwrap_or(u32::MAX);
        let permit = self.rooms.grains.clone().try_acquire_many_owned(more).map_err(|_| {
            let detail =
                "the pictures of other requests take all the memory there is for them: try again in a second";
            Problem::new(ProblemKind::Busy, detail)
        })?;
        match &mut self.taken {
            Some(taken) => taken.merge(permit),
            None => self.taken = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_share_the_room_and_give_it_back() {
        let rooms = Rooms::new(100 << 10);
        let (mut first, mut second) = (rooms.enter(), rooms.enter());
        for _ in 0..600 {
            first.grow(100).expect("60,000 of 102,400 bytes");
        }
        assert_eq!(second.grow(60_000).map_err(|problem| problem.kind), Err(ProblemKind::Busy));
        drop(second);
        let mut third = rooms.enter();
        third.grow(40_000).expect("100,000 bytes");
        drop((first, third));
        rooms.enter().grow(100 << 10).expect("all is given back");
    }
}
