//! Which keys OpenRouter knows: what is kept for a day is kept for those who can call, or anybody
//! could fill the store.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{Jobs, lock};
use crate::{
    error::{Kind as ErrorKind, Result},
    openrouter::{ApiKey, Client},
    store::Locator,
};

/// How long a key counts as known after OpenRouter was asked.
const KNOWN: Duration = Duration::from_mins(10);

/// How long OpenRouter is waited for; an OpenRouter that is slow says nothing against the key.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many keys are remembered at once.
const MAX_KNOWN: usize = 10_000;

/// The one-way prints of keys that OpenRouter knew, and when.
#[derive(Default)]
pub(super) struct KnownKeys(Mutex<HashMap<Locator, Instant>>);

impl Jobs {
    /// Asks OpenRouter for the key, unless it was known a moment ago.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidKey`] if OpenRouter does not know it. Any other trouble of OpenRouter's
    /// says nothing against the key.
    pub async fn check_key(&self, client: &Client, key: &ApiKey) -> Result<()> {
        let print = Locator::from_secret("known key", key.reveal());
        let known = lock(&self.0.known_keys.0).get(&print).copied();
        if known.is_some_and(|since| since.elapsed() < KNOWN) {
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, client.key(key)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidKey => Err(error),
            Err(_) | Ok(Err(_)) => Ok(()),
            Ok(Ok(_)) => {
                let mut known = lock(&self.0.known_keys.0);
                if known.len() >= MAX_KNOWN {
                    known.clear();
                }
                known.insert(print, Instant::now());
                Ok(())
            }
        }
    }
}
