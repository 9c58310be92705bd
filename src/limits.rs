//! How much a connection may ask for: so many calls in any window, so many at once.
//!
//! The window is hard: whatever the spread of the calls, no span of its length has more of them.
//! Each process counts the calls that it serves. Where replicas share a store, that counts all of
//! them as well, and a call needs room in both; so a store that goes away leaves the process's own
//! limit, which knows what was served here. Refused calls are not counted: a caller that goes on
//! trying is let in as soon as there is room.
//!
//! Connections are told apart by a print of their key, which is made with a secret of this process.
//! The print in a shared store has nothing to do with it, nor with what else stands there.

mod flight;
mod window;

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

pub use self::flight::Flight;
use self::{
    flight::{Flights, Full},
    window::{Stamp, Windows},
};
pub use crate::store::Standing;
use crate::{
    config,
    error::{Error, Kind, Result, seconds_up},
    openrouter::ApiKey,
    store::{CallId, Capability, Locator, Store},
};

/// How long a store that did not answer is not asked again: its limit is not worth the wait of
/// every call.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// When a call is worth a repeat that found too many others being served.
const SERVED: Duration = Duration::from_secs(1);

/// The same for too many generations under way, which take longer.
const GENERATED: Duration = Duration::from_secs(5);

/// The limits of all connections; a copy is the same.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    calls: u32,
    window: Duration,
    /// `None`: any number of calls.
    windows: Option<Windows>,
    served: Flights,
    generations: Flights,
    /// In what context this process derives its prints of keys; nobody else knows it.
    context: String,
    store: Store,
    /// When a store that did not answer is asked again; `None` while it answers.
    away: Mutex<Option<Instant>>,
}

/// A call that is let through.
pub struct Admitted {
    /// How its connection stands; `None` without a limit of calls.
    pub standing: Option<Standing>,
    /// Counts as long as it is being served.
    pub flight: Flight,
    counted: Option<Counted>,
}

/// Where a call is counted.
struct Counted {
    connection: Locator,
    stamp: Stamp,
    /// In the store.
    shared: Option<(Locator, CallId)>,
}

/// A call that is not let through.
pub struct Refused {
    /// What its caller is told.
    pub error: Error,
    /// How its connection stands; `None` if it is refused for another reason than that.
    pub standing: Option<Standing>,
}

impl Limits {
    /// The limits that the settings name, shared with others through `store` if it can be.
    #[must_use]
    pub fn new(store: Store, settings: &config::Limits) -> Self {
        let flights = || Flights::new(settings.in_flight, settings.in_flight_all);
        Self(Arc::new(Inner {
            calls: settings.calls,
            window: settings.window,
            windows: (settings.calls > 0).then(|| Windows::new(settings.calls, settings.window)),
            served: flights(),
            generations: flights(),
            context: format!("limits {}", *Capability::random().to_text()),
            store,
            away: Mutex::new(None),
        }))
    }

    /// The most calls of a connection, and the span in which they are counted; `None` without that
    /// limit.
    #[must_use]
    pub fn policy(&self) -> Option<(u32, Duration)> {
        (self.0.calls > 0).then_some((self.0.calls, self.0.window))
    }

    /// How many connections are remembered for their calls; at most 65,536.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.windows.as_ref().map_or(0, Windows::connections)
    }

    /// Counts a call with `key`, if its connection may make one more.
    ///
    /// # Errors
    ///
    /// [`Kind::RateLimited`] over the connection's limits, [`Kind::Unavailable`] over that of all
    /// calls that are served at once; both with a wait, and neither counts as a call.
    pub async fn admit(&self, key: &ApiKey) -> Result<Admitted, Refused> {
        let connection = self.connection(key);
        let flight = self.0.served.begin(connection).map_err(|full| {
            let error = match full {
                Full::Connection => Error::new(
                    Kind::RateLimited,
                    "As many calls of this connection are being served as may be at once.",
                )
                .detail("limits.in_flight is reached by calls"),
                Full::Service => overloaded("limits.in_flight_all is reached by calls"),
            };
            Refused {
                error: error.retry_after(Some(SERVED)),
                standing: None,
            }
        })?;
        let Some(windows) = &self.0.windows else {
            return Ok(Admitted {
                standing: None,
                flight,
                counted: None,
            });
        };
        let (stamp, own) = windows.admit(connection);
        if !own.admitted {
            return Err(self.over(own));
        }
        let mut counted = Counted {
            connection,
            stamp,
            shared: None,
        };
        let place = (shared_place(key), CallId::random());
        let asked = self
            .0
            .store
            .admit(&place.0, place.1, self.0.calls, self.0.window);
        let standing = match self.shared_standing(asked).await {
            Some(shared) if !shared.admitted => {
                windows.give_back(&connection, stamp);
                return Err(self.over(shared));
            }
            Some(shared) => {
                counted.shared = Some(place);
                shared
            }
            None => own,
        };
        Ok(Admitted {
            standing: Some(standing),
            flight,
            counted: Some(counted),
        })
    }

    /// Takes a call back that turned out to cost nothing, and notes how the connection stands then.
    /// One that a store counted which does not answer any more stays counted there.
    pub async fn give_back(&self, admitted: &mut Admitted) {
        let (Some(windows), Some(counted)) = (&self.0.windows, admitted.counted.take()) else {
            return;
        };
        let mut standing = windows.give_back(&counted.connection, counted.stamp);
        if let Some((place, call)) = counted.shared {
            let asked = self
                .0
                .store
                .give_back(&place, call, self.0.calls, self.0.window);
            standing = self.shared_standing(asked).await.unwrap_or(standing);
        }
        admitted.standing = Some(standing);
    }

    /// Counts a generation of `key` that is about to begin; it counts until what is returned is
    /// dropped, whether its caller waits or not.
    ///
    /// # Errors
    ///
    /// As [`Limits::admit`], for generations under way.
    pub fn generation(&self, key: &ApiKey) -> Result<Flight> {
        let begun = self.0.generations.begin(self.connection(key));
        begun.map_err(|full| {
            let error = match full {
                Full::Connection => Error::new(
                    Kind::RateLimited,
                    "As many generations of this connection are under way as may be at once, those in the background included.",
                )
                .detail("limits.in_flight is reached by generations"),
                Full::Service => overloaded("limits.in_flight_all is reached by generations"),
            };
            error.retry_after(Some(GENERATED))
        })
    }

    /// Counts a generation that is taken up again, and was let through when it began.
    #[must_use]
    pub fn resumed(&self, key: &ApiKey) -> Flight {
        self.0.generations.resume(self.connection(key))
    }

    /// The print of a key in this process.
    fn connection(&self, key: &ApiKey) -> Locator {
        Locator::from_secret(&self.0.context, key.reveal())
    }

    /// What the store says, if it counts for several replicas and answers.
    async fn shared_standing(
        &self,
        asked: impl Future<Output = Result<Option<Standing>>>,
    ) -> Option<Standing> {
        if !self.may_ask() {
            return None;
        }
        match asked.await {
            Ok(standing) => {
                if lock(&self.0.away).take().is_some() {
                    tracing::info!("the store answers; the limits of calls are shared again");
                }
                standing
            }
            Err(error) => {
                let again = Instant::now() + LEFT_ALONE;
                if lock(&self.0.away).replace(again).is_none() {
                    let detail = error.log_detail();
                    tracing::warn!(
                        detail,
                        "the store does not answer; each instance limits its own calls"
                    );
                }
                None
            }
        }
    }

    /// Whether the store is to be asked. While it does not answer, one call after the other tries.
    fn may_ask(&self) -> bool {
        let mut away = lock(&self.0.away);
        let Some(again) = *away else { return true };
        let now = Instant::now();
        if now < again {
            return false;
        }
        *away = Some(now + LEFT_ALONE);
        true
    }

    fn over(&self, standing: Standing) -> Refused {
        let (calls, window) = (self.0.calls, self.0.window.as_secs_f64());
        let wait = seconds_up(standing.wait);
        let message = format!(
            "This connection has made {calls} calls in {window} seconds, which is its limit; the next one is possible in {wait} seconds."
        );
        let error = Error::new(Kind::RateLimited, message)
            .detail("limits.calls is reached")
            .retry_after(Some(standing.wait));
        Refused {
            error,
            standing: Some(standing),
        }
    }
}

/// The print of a key for all replicas.
fn shared_place(key: &ApiKey) -> Locator {
    Locator::from_secret("limits", key.reveal())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn overloaded(detail: &'static str) -> Error {
    Error::new(
        Kind::Unavailable,
        "The service has as many calls under way as it may; try again in a moment.",
    )
    .detail(detail)
}
