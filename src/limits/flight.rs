//! What is under way at once, of each connection and in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::Locator;

/// Counts what is under way; a copy counts together with it.
#[derive(Clone)]
pub(super) struct Flights(Arc<Inner>);

struct Inner {
    /// The most of one connection; `None`: any number.
    each: Option<u32>,
    /// The most in all; `None`: any number.
    all: Option<u32>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    all: u32,
    of: HashMap<Locator, u32>,
}

/// Which bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// That of the connection.
    Connection,
    /// That of all together.
    Service,
}

/// Something under way; it no longer counts when this is dropped.
pub struct Flight {
    flights: Flights,
    connection: Locator,
}

impl Flights {
    /// Lets `each` connection have so many under way, and `all` together; 0: any number.
    pub(super) fn new(each: u32, all: u32) -> Self {
        let bound = |most: u32| (most > 0).then_some(most);
        Self(Arc::new(Inner {
            each: bound(each),
            all: bound(all),
            now: Mutex::default(),
        }))
    }

    /// Counts one more, if the bounds allow it.
    pub(super) fn begin(&self, connection: Locator) -> Result<Flight, Full> {
        let mut now = self.lock();
        let own = now.of.get(&connection).copied().unwrap_or_default();
        if self.0.each.is_some_and(|most| own >= most) {
            return Err(Full::Connection);
        }
        if self.0.all.is_some_and(|most| now.all >= most) {
            return Err(Full::Service);
        }
        Ok(self.count(&mut now, connection))
    }

    /// Counts one more, whatever the bounds say.
    pub(super) fn resume(&self, connection: Locator) -> Flight {
        self.count(&mut self.lock(), connection)
    }

    fn count(&self, now: &mut Now, connection: Locator) -> Flight {
        now.all += 1;
        *now.of.entry(connection).or_default() += 1;
        Flight {
            flights: self.clone(),
            connection,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut now = self.flights.lock();
        now.all -= 1;
        if let Some(own) = now.of.get_mut(&self.connection) {
            *own -= 1;
            if *own == 0 {
                now.of.remove(&self.connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(name: &str) -> Locator {
        Locator::from_secret("test", name)
    }

    #[test]
    fn a_connection_has_its_bound_and_gives_back() {
        let flights = Flights::new(2, 3);
        let (ann, bob) = (connection("ann"), connection("bob"));
        let first = flights.begin(ann).ok();
        let _second = flights.begin(ann).ok();
        assert_eq!(flights.begin(ann).err(), Some(Full::Connection));
        let third = flights.begin(bob).ok();
        assert!(third.is_some());
        assert_eq!(flights.begin(bob).err(), Some(Full::Service));
        drop(first);
        assert!(flights.begin(ann).is_ok());
        drop(third);
        assert_eq!(flights.lock().of.len(), 1);
        assert_eq!(flights.lock().all, 1);
    }

    #[test]
    fn what_is_resumed_counts_and_is_never_refused() {
        let flights = Flights::new(1, 1);
        let ann = connection("ann");
        let resumed = [flights.resume(ann), flights.resume(ann)];
        assert_eq!(flights.begin(ann).err(), Some(Full::Connection));
        drop(resumed);
        assert!(flights.begin(ann).is_ok());
    }

    #[test]
    fn zero_is_no_bound() {
        let flights = Flights::new(0, 0);
        let many: Vec<_> = (0..1000)
            .map(|_| flights.begin(connection("ann")))
            .collect();
        assert!(many.iter().all(Result::is_ok));
        drop(many);
        assert!(flights.lock().of.is_empty());
    }
}
