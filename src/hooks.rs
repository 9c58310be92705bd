//! Subscriptions: who waits to be told that a job finished, kept sealed, and the telling.
//!
//! A subscription belongs to a connection's key. Its callback URL is a secret and stands in the
//! store sealed under that key: who reads the store reads no URL, and without the key nobody, this
//! service included, can call one. A connection that changes its key has no subscriptions under the
//! new one; its flows subscribe again when they are turned off and on.

mod room;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

use self::room::Room;
use crate::{
    callbacks::{CallbackUrl, Callbacks, Delivered},
    config,
    error::{Error, Kind, Result},
    openrouter::ApiKey,
    store::{self, Address, Capability, Locator, New, Part, State, Store},
};

/// The most subscriptions of one key.
pub const MOST: usize = 100;

/// How long a subscription is kept: as long as the store keeps anything, ten years, because a flow
/// may wait for that long and nobody renews it.
const KEEP: Duration = Duration::from_hours(10 * 365 * 24);

/// The subscriptions of all connections; a copy is the same.
#[derive(Clone, Debug)]
pub struct Hooks {
    store: Store,
    callbacks: Callbacks,
    room: Room,
}

/// What a key leads to: where its subscriptions are listed, and what opens them.
struct Connection<'a> {
    key: &'a ApiKey,
    seal: Capability,
    group: Locator,
}

impl<'a> Connection<'a> {
    fn of(key: &'a ApiKey) -> Self {
        let seal = Capability::from_secret("hooks", key.reveal());
        let group = seal.address(store::Kind::Hook).locator;
        Self { key, seal, group }
    }

    /// Where the subscription with `id` stands; with another key it stands elsewhere.
    fn address(&self, id: &str) -> Address {
        Capability::from_secret(&format!("hook {id}"), self.key.reveal()).address(store::Kind::Hook)
    }
}

impl Hooks {
    /// The subscriptions in `store`, called back as `settings` say.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] if the machine has no root certificates.
    pub fn new(store: Store, settings: &config::Hooks) -> Result<Self> {
        Ok(Self {
            store,
            callbacks: Callbacks::new(settings)?,
            room: Room::default(),
        })
    }

    /// Subscribes `callback_url` to what happens with `key`; the id of the subscription. It is kept
    /// for ten years, which is as long as the store keeps anything. A URL that is subscribed twice
    /// is called twice: each subscription is ended by its own id.
    ///
    /// # Errors
    ///
    /// `400` for a URL that may not be called, and if the key has [`MOST`] subscriptions already;
    /// of several at once a few more may come through. What the store says.
    pub async fn subscribe(&self, key: &ApiKey, callback_url: &str) -> Result<String> {
        let url = self.callbacks.check(callback_url)?;
        let connection = Connection::of(key);
        let known = self
            .store
            .list(store::Kind::Hook, &connection.group)
            .await?;
        if known.len() >= MOST {
            return Err(Error::new(
                Kind::InvalidRequest,
                format!(
                    "This API key has {MOST} triggers already. Delete flows that are no longer needed, or use a connection with another key."
                ),
            ));
        }
        let id = Uuid::new_v4().simple().to_string();
        let address = connection.address(&id);
        let new = New {
            address,
            group: Some(connection.group),
            state: State::Stored,
            request: connection
                .seal
                .seal(&address, Part::Request, url.reveal().as_bytes()),
            result: None,
            keep: KEEP,
            lease: None,
        };
        if self.store.put(&new).await? {
            Ok(id)
        } else {
            Err(Error::new(
                Kind::Internal,
                "The subscription got an id that is in use.",
            ))
        }
    }

    /// Ends a subscription. One that `key` does not have is ended already: the platform repeats
    /// the call, and the receiver may have said that nobody waits any more.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn unsubscribe(&self, key: &ApiKey, id: &str) -> Result<()> {
        let address = Connection::of(key).address(id);
        self.store.delete(&address).await.map(drop)
    }

    /// Sends `event`, which is JSON, to every subscription of `key`. It returns when the
    /// subscriptions are read; the deliveries go on by themselves, each until it is taken, refused
    /// or `hooks.retry_for` is over. A subscription whose receiver is gone is deleted.
    ///
    /// A receiver may get an event twice. Deliveries that still wait when the process stops are
    /// lost, and so is an event for which there is no room: at most 64 MB may wait in all and 8 MB
    /// for one key. Nothing of this is an error for the caller; all of it is in the log.
    pub async fn notify(&self, key: &ApiKey, event: Bytes) {
        let connection = Connection::of(key);
        let receivers = match self.receivers(&connection).await {
            Ok(receivers) => receivers,
            Err(error) => {
                let (code, detail) = (error.kind().code(), error.log_detail());
                tracing::error!(code, detail, "an event is lost: the store cannot be read");
                return;
            }
        };
        if receivers.is_empty() {
            return;
        }
        let place = self
            .room
            .take(connection.group, event.len(), receivers.len());
        let Some(place) = place.map(Arc::new) else {
            tracing::error!(
                receivers = receivers.len(),
                bytes = event.len(),
                "an event is lost: too many deliveries wait already"
            );
            return;
        };
        let id = Uuid::new_v4().simple().to_string();
        for (address, url) in receivers {
            let (hooks, event, id) = (self.clone(), event.clone(), id.clone());
            let place = Arc::clone(&place);
            tokio::spawn(async move {
                hooks.tell(address, &url, &id, event).await;
                drop(place);
            });
        }
    }

    /// The subscriptions of a connection. One that cannot be read or called is left out.
    async fn receivers(&self, connection: &Connection<'_>) -> Result<Vec<(Address, CallbackUrl)>> {
        let mut receivers = Vec::new();
        for summary in self
            .store
            .list(store::Kind::Hook, &connection.group)
            .await?
        {
            let address = summary.address;
            let Some(record) = self.store.get(&address).await? else {
                continue;
            };
            match self.opened(connection, &record) {
                Ok(url) => receivers.push((address, url)),
                Err(error) => tracing::warn!(
                    hook = short(&address),
                    code = error.kind().code(),
                    detail = error.log_detail(),
                    "a subscription cannot be called"
                ),
            }
        }
        Ok(receivers)
    }

    fn opened(&self, connection: &Connection<'_>, record: &store::Record) -> Result<CallbackUrl> {
        let text = connection
            .seal
            .open(&record.address, Part::Request, &record.request)?;
        // Again, because the settings may be others by now.
        self.callbacks.check(&String::from_utf8_lossy(&text))
    }

    /// Delivers an event to one subscription, and deletes that if nobody waits there any more.
    async fn tell(&self, address: Address, url: &CallbackUrl, id: &str, event: Bytes) {
        let delivery = self.callbacks.deliver(url, id, event).await;
        let (hook, attempts, problem) = (short(&address), delivery.attempts, delivery.problem);
        let status = delivery.status.unwrap_or_default();
        match delivery.delivered {
            Delivered::Done => tracing::info!(hook, event = id, attempts, status, "delivered"),
            Delivered::GaveUp => {
                tracing::warn!(hook, event = id, attempts, status, problem, "not delivered");
            }
            Delivered::Gone => {
                let deleted = self.store.delete(&address).await;
                tracing::info!(
                    hook,
                    event = id,
                    attempts,
                    status,
                    deleted = deleted.is_ok(),
                    "not delivered: nobody waits any more"
                );
            }
        }
    }
}

/// What the log calls a subscription: the start of where it stands, which leads to nothing.
fn short(address: &Address) -> String {
    address.locator.to_text().chars().take(8).collect()
}
