//! What every action file is made of: the caller's key, typed input, typed answers, and the
//! overlay that tells the definition what Rust types cannot.

mod answer;
mod body;
mod choices;
pub(crate) mod generate;
mod key;
mod lenient;
mod names;
pub mod overlay;
mod public;
mod query;

use std::{sync::Arc, time::Duration};

pub use answer::{ActionErrors, Answer, GoesOn, fail};
pub(crate) use answer::{json, written};
pub use body::{Body, BodyLimit, Input};
pub(crate) use choices::choices;
pub(crate) use generate::REPLAYED;
pub use generate::{Generate, Generation, LinkedFile, Run};
pub use key::key_in;
pub use lenient::field_names;
pub use names::unknown_field;
pub use overlay::Overlay;
pub(crate) use public::{BASE_PATH, PublicAddress};
pub use query::{Path, Query};

use crate::{
    catalog::Catalog,
    hooks::Hooks,
    jobs::Jobs,
    limits::Limits,
    links::Links,
    openrouter::{Client, models::Model},
};

/// How long a call waits for the list of models, which says what a model supports.
const CATALOG_PATIENCE: Duration = Duration::from_secs(3);

/// What the actions of one worker work with.
#[derive(Clone)]
pub struct Services {
    /// The worker's own client of OpenRouter.
    pub openrouter: Client,
    /// The list of models, shared by all workers.
    pub catalog: Arc<Catalog>,
    /// The calls that outlive their caller, shared by all workers.
    pub jobs: Jobs,
    /// How much each connection may ask for, shared by all workers.
    pub limits: Limits,
    /// The links to files of answers, shared by all workers.
    pub links: Links,
    /// Who waits to be told of finished jobs, shared by all workers.
    pub hooks: Hooks,
}

impl Services {
    /// The model with `id`, if it is listed and the list can be had soon enough.
    pub async fn model(&self, id: &str) -> Option<Model> {
        self.catalog
            .get_within(CATALOG_PATIENCE)
            .await?
            .model(id)
            .cloned()
    }
}
