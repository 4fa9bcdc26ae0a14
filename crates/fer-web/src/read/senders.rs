//! Who has pictures waiting.
//! In: senders of pictures, by their address. Out: how many each has in work or waiting.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Whoever a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender(pub(crate) IpAddr);

/// How many pictures each sender waits for; only senders that wait for some.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl Senders {
    /// Counts one more picture of a sender, until the turn is dropped.
    pub(crate) fn enter(&self, sender: IpAddr) -> Turn<'_> {
        let mut waiting = self.lock();
        let n = waiting.entry(sender).or_default();
        *n += 1;
        Turn { senders: self, sender, n_before: *n - 1 }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of one picture.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    senders: &'a Senders,
    sender: IpAddr,
    n_before: usize,
}

impl Turn<'_> {
    /// Pictures of the same sender that came before and are not answered yet.
    pub(crate) fn n_before(&self) -> usize {
        self.n_before
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.senders.lock();
        if let Some(n) = waiting.get_mut(&self.sender) {
            *n -= 1;
            if *n == 0 {
                waiting.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_counted_while_it_waits_and_then_forgotten() {
        let senders = Senders::default();
        let [a, b] = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])];
        let first = senders.enter(a);
        let second = senders.enter(a);
        assert_eq!((first.n_before(), second.n_before(), senders.enter(b).n_before()), (0, 1, 0));
        drop(first);
        assert_eq!(senders.enter(a).n_before(), 1);
        drop(second);
        assert!(senders.lock().is_empty());
    }
}
