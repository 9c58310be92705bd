//! The list of models, held in memory: fetched once for all callers, served stale while it is
//! fetched again and while upstream is down.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{
    error::{Error, Kind, Result},
    openrouter::{Client, models::Model},
    telemetry,
};

/// How long a failed fetch keeps the next one waiting.
const PAUSE: Duration = Duration::from_secs(5);

/// How many written answers a snapshot keeps.
const MAX_PAGES: usize = 256;

/// Variants that every model can be called with and that the list does not name.
const DYNAMIC_VARIANTS: [&str; 4] = [":nitro", ":floor", ":exacto", ":online"];

/// When the last fetch failed, if it did.
type LastFailure = Option<Instant>;

/// The cached list of models.
#[derive(Debug)]
pub struct Catalog {
    client: Client,
    refresh: Duration,
    current: ArcSwapOption<Snapshot>,
    /// Held by the one fetch under way.
    flight: Arc<AsyncMutex<LastFailure>>,
}

/// The list of models as it was at one moment.
#[derive(Debug)]
pub struct Snapshot {
    models: Vec<Model>,
    by_id: HashMap<String, usize>,
    fetched: Instant,
    pages: Mutex<HashMap<String, Bytes>>,
}

impl Catalog {
    /// An empty catalogue that fetches through `client` when first asked, and again when its
    /// list is older than `refresh`.
    #[must_use]
    pub fn new(client: Client, refresh: Duration) -> Arc<Self> {
        Arc::new(Self {
            client,
            refresh,
            current: ArcSwapOption::empty(),
            flight: Arc::default(),
        })
    }

    /// The list: at once if there is one, however old; otherwise after the one fetch that all
    /// callers share.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses, if no list was ever fetched.
    pub async fn get(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let snapshot = match self.current.load_full() {
            Some(snapshot) => {
                if snapshot.fetched.elapsed() >= self.refresh {
                    self.refresh_behind();
                }
                snapshot
            }
            None => self.first().await?,
        };
        telemetry::note(|facts| facts.catalog_age = Some(snapshot.fetched.elapsed().as_secs()));
        Ok(snapshot)
    }

    /// The client that the list is fetched with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The list if one can be had within `patience`.
    pub async fn get_within(self: &Arc<Self>, patience: Duration) -> Option<Arc<Snapshot>> {
        tokio::time::timeout(patience, self.get()).await.ok()?.ok()
    }

    async fn first(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let flight = Arc::clone(&self.flight).lock_owned().await;
        if let Some(snapshot) = self.current.load_full() {
            return Ok(snapshot);
        }
        if failed_just_now(&flight) {
            return Err(Error::new(
                Kind::UpstreamError,
                "OpenRouter's list of models cannot be fetched at the moment.",
            ));
        }
        // A caller that goes away must not end the fetch that others wait for.
        let fetched = tokio::spawn(Arc::clone(self).fly(flight)).await;
        fetched.unwrap_or_else(|cause| {
            Err(Error::new(Kind::Internal, "The list of models was not fetched.").because(cause))
        })
    }

    /// Starts a fetch unless one is under way or the last one failed just now.
    fn refresh_behind(self: &Arc<Self>) {
        let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() else {
            return;
        };
        let fresh = |snapshot: Arc<Snapshot>| snapshot.fetched.elapsed() < self.refresh;
        if failed_just_now(&flight) || self.current.load_full().is_some_and(fresh) {
            return;
        }
        let catalog = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = catalog.fly(flight).await {
                tracing::warn!(
                    code = error.kind().code(),
                    detail = error.log_detail(),
                    "the list of models was not refreshed; the old one is served"
                );
            }
        });
    }

    /// Fetches while it holds the one `flight`, and leaves there whether it failed.
    async fn fly(
        self: Arc<Self>,
        mut flight: OwnedMutexGuard<LastFailure>,
    ) -> Result<Arc<Snapshot>> {
        let fetched = self.fetch().await;
        *flight = fetched.is_err().then(Instant::now);
        fetched
    }

    async fn fetch(&self) -> Result<Arc<Snapshot>> {
        let query = vec![("output_modalities", "all".to_owned())];
        let models = self.client.models(None, query).await?;
        if models.is_empty() {
            return Err(Error::new(
                Kind::UpstreamError,
                "OpenRouter lists no models.",
            ));
        }
        tracing::info!(models = models.len(), "the list of models was fetched");
        let snapshot = Arc::new(Snapshot::new(models));
        self.current.store(Some(Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}

impl Snapshot {
    /// A list made of `models`.
    #[must_use]
    pub fn new(models: Vec<Model>) -> Self {
        let by_id = models
            .iter()
            .enumerate()
            .filter_map(|(index, model)| Some((model.id.clone()?, index)))
            .collect();
        Self {
            models,
            by_id,
            fetched: Instant::now(),
            pages: Mutex::default(),
        }
    }

    /// Every model, in upstream's order.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model with `id`; a variant that the list does not name counts as its model.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Model> {
        let known = |id: &str| self.by_id.get(id).and_then(|index| self.models.get(*index));
        known(id).or_else(|| {
            DYNAMIC_VARIANTS
                .iter()
                .find_map(|variant| known(id.strip_suffix(variant)?))
        })
    }

    /// The answer written for `key`, which is written at most once for this list; without a key
    /// it is written each time.
    pub fn page(&self, key: Option<String>, write: impl FnOnce() -> Bytes) -> Bytes {
        let Some(key) = key else {
            return write();
        };
        let pages = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages().get(&key) {
            return page.clone();
        }
        let page = write();
        let mut pages = pages();
        if pages.len() < MAX_PAGES {
            pages.insert(key, page.clone());
        }
        page
    }
}

fn failed_just_now(failure: &LastFailure) -> bool {
    failure.is_some_and(|moment| moment.elapsed() < PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_that_is_not_listed_is_its_model() {
        let ids = ["openai/gpt-4o", "openai/gpt-4o:free"];
        let models = ids
            .iter()
            .map(|id| Model {
                id: Some((*id).to_owned()),
                ..Model::default()
            })
            .collect();
        let snapshot = Snapshot::new(models);
        let found = |id: &str| snapshot.model(id).and_then(|model| model.id.as_deref());
        assert_eq!(found("openai/gpt-4o:free"), Some("openai/gpt-4o:free"));
        assert_eq!(found("openai/gpt-4o:nitro"), Some("openai/gpt-4o"));
        assert_eq!(
            found("openai/gpt-4o:free:online"),
            Some("openai/gpt-4o:free")
        );
        assert_eq!(found("@preset/mine"), None);
    }

    #[test]
    fn a_page_is_written_once() {
        let snapshot = Snapshot::new(Vec::new());
        let mut written = 0;
        for _ in 0..3 {
            snapshot.page(Some("key".to_owned()), || {
                written += 1;
                Bytes::from_static(b"x")
            });
        }
        assert_eq!(written, 1);
    }
}
