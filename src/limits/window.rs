//! The calls that this process counts itself: a hard sliding window for each connection.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hashlink::LinkedHashMap;

use crate::store::{Locator, Standing};

/// The most connections that are remembered at once. Above it the one whose last call is longest
/// ago is forgotten, as if it had made none: better than to refuse those that come, whom anybody
/// with random keys could keep out then.
pub(super) const MOST: usize = 65_536;

/// When a call was counted, in nanoseconds since the windows were made. Two calls at the same
/// moment need not be told apart.
pub(super) type Stamp = u64;

/// The calls of all connections, by this process's clock.
pub(super) struct Windows {
    started: Instant,
    seen: Mutex<Seen>,
}

impl Windows {
    /// Lets each connection make `calls` calls, at least 1, within any `window`.
    pub(super) fn new(calls: u32, window: Duration) -> Self {
        Self {
            started: Instant::now(),
            seen: Mutex::new(Seen::new(calls, window)),
        }
    }

    /// Counts a call if there is room for it; its stamp, and how the connection stands.
    pub(super) fn admit(&self, connection: Locator) -> (Stamp, Standing) {
        let mut seen = self.lock();
        // Read under the lock, so that stamps never fall.
        let now = nanos(self.started.elapsed());
        (now, seen.admit(connection, now))
    }

    /// Takes a counted call back.
    pub(super) fn give_back(&self, connection: &Locator, stamp: Stamp) -> Standing {
        let mut seen = self.lock();
        let now = nanos(self.started.elapsed());
        seen.give_back(connection, stamp, now)
    }

    /// How many connections are remembered.
    pub(super) fn connections(&self) -> usize {
        self.lock().stamps.len()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calls of all connections; who asks says what time it is, and never an earlier one than
/// before.
struct Seen {
    calls: usize,
    span: Stamp,
    most: usize,
    /// The stamps of the calls that were admitted, in rising order, by connection; the connection
    /// whose last call is longest ago comes first.
    stamps: LinkedHashMap<Locator, VecDeque<Stamp>, RandomState>,
}

impl Seen {
    fn new(calls: u32, window: Duration) -> Self {
        Self {
            calls: calls as usize,
            span: nanos(window),
            most: MOST,
            stamps: LinkedHashMap::default(),
        }
    }

    fn admit(&mut self, connection: Locator, now: Stamp) -> Standing {
        let (span, calls) = (self.span, self.calls);
        self.forget_idle(now);
        // Not by its entry, which would put it last: only calls that are admitted do that.
        let stamps = match self.stamps.get_mut(&connection) {
            Some(stamps) => stamps,
            None => self.stamps.entry(connection).or_insert_with(VecDeque::new),
        };
        slide(stamps, span, now);
        if stamps.len() >= calls {
            return standing(false, stamps, calls, span, now);
        }
        stamps.push_back(now);
        let standing = standing(true, stamps, calls, span, now);
        self.stamps.to_back(&connection);
        if self.stamps.len() > self.most {
            self.stamps.pop_front();
        }
        standing
    }

    fn give_back(&mut self, connection: &Locator, stamp: Stamp, now: Stamp) -> Standing {
        let (span, calls) = (self.span, self.calls);
        let Some(stamps) = self.stamps.get_mut(connection) else {
            return standing(false, &VecDeque::new(), calls, span, now);
        };
        slide(stamps, span, now);
        let place = stamps.binary_search(&stamp);
        if let Ok(place) = place {
            stamps.remove(place);
        }
        let standing = standing(place.is_ok(), stamps, calls, span, now);
        if stamps.is_empty() {
            self.stamps.remove(connection);
        }
        standing
    }

    /// Forgets the connections whose last call has left the window. Each was put there by a call,
    /// so that this costs a call no more than a moment on average.
    fn forget_idle(&mut self, now: Stamp) {
        let span = self.span;
        let idle =
            |stamps: &VecDeque<Stamp>| stamps.back().is_none_or(|last| left(*last, span, now));
        while self.stamps.front().is_some_and(|(_, stamps)| idle(stamps)) {
            self.stamps.pop_front();
        }
    }
}

/// Drops the calls that have left the window.
fn slide(stamps: &mut VecDeque<Stamp>, span: Stamp, now: Stamp) {
    while stamps.front().is_some_and(|first| left(*first, span, now)) {
        stamps.pop_front();
    }
}

/// Whether a call has left the window: from the moment on when it is as old as the window is long.
fn left(stamp: Stamp, span: Stamp, now: Stamp) -> bool {
    stamp.saturating_add(span) <= now
}

fn standing(
    admitted: bool,
    stamps: &VecDeque<Stamp>,
    calls: usize,
    span: Stamp,
    now: Stamp,
) -> Standing {
    let left = calls.saturating_sub(stamps.len());
    let wait = stamps
        .front()
        .map_or(0, |first| first.saturating_add(span).saturating_sub(now));
    Standing {
        admitted,
        left: u32::try_from(left).unwrap_or(u32::MAX),
        wait: Duration::from_nanos(wait),
    }
}

/// A span in nanoseconds: 584 years of them fit.
fn nanos(span: Duration) -> Stamp {
    Stamp::try_from(span.as_nanos()).unwrap_or(Stamp::MAX)
}

#[cfg(test)]
mod tests;
