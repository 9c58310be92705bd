//! How much may wait to be delivered at once, in all and for each connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::Locator;

/// Memory for deliveries that wait or run, in bytes: in all, and for one connection.
const ALL: usize = 64 * 1024 * 1024;
const EACH: usize = 8 * 1024 * 1024;

/// What a delivery takes besides its event, in bytes: its URL and the task.
const DELIVERY: usize = 8 * 1024;

/// The room for deliveries, so that receivers that do not answer cannot take all memory, nor all
/// of what others may have.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<Locator, usize>,
}

/// A part of the room; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    connection: Locator,
    bytes: usize,
}

impl Room {
    /// Takes room for an event of `bytes` that goes to `receivers`; `None` if there is not enough.
    pub(super) fn take(
        &self,
        connection: Locator,
        bytes: usize,
        receivers: usize,
    ) -> Option<Place> {
        let bytes = receivers.saturating_mul(DELIVERY).saturating_add(bytes);
        let mut taken = self.lock();
        let all = taken.all.saturating_add(bytes);
        let own = taken.of.get(&connection).copied().unwrap_or_default();
        let own = own.saturating_add(bytes);
        if all > ALL || own > EACH {
            return None;
        }
        taken.all = all;
        taken.of.insert(connection, own);
        drop(taken);
        Some(Place {
            room: self.clone(),
            connection,
            bytes,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.lock();
        taken.all -= self.bytes;
        if let Some(own) = taken.of.get_mut(&self.connection) {
            *own -= self.bytes;
            if *own == 0 {
                taken.of.remove(&self.connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Capability, Kind};

    fn connection() -> Locator {
        Capability::random().address(Kind::Hook).locator
    }

    #[test]
    fn one_connection_cannot_take_all_and_gives_back_what_it_took() {
        let room = Room::default();
        let greedy = connection();
        let mut places: Vec<_> = std::iter::from_fn(|| room.take(greedy, 1024 * 1024, 1)).collect();
        assert_eq!(places.len(), 7);
        assert!(room.take(connection(), 1024 * 1024, 1).is_some());
        places.pop();
        assert!(room.take(greedy, 1024 * 1024, 1).is_some());
        drop(places);
        assert!(room.lock().of.is_empty());
        assert_eq!(room.lock().all, 0);
    }

    #[test]
    fn all_together_have_a_bound() {
        let room = Room::default();
        let take = || room.take(connection(), EACH - DELIVERY, 1);
        let places: Vec<_> = std::iter::from_fn(take).collect();
        assert_eq!(places.len(), ALL / EACH);
        assert!(room.take(connection(), 1, 0).is_none());
    }

    #[test]
    fn receivers_count_too() {
        let room = Room::default();
        assert!(room.take(connection(), 0, EACH / DELIVERY).is_some());
        assert!(room.take(connection(), 0, EACH / DELIVERY + 1).is_none());
        assert!(room.take(connection(), usize::MAX, usize::MAX).is_none());
    }
}
