//! When a model is added: fires for each model that the list did not have before.
//!
//! The list is that of List models with the same filters. What it has is remembered by [`Seen`], in
//! the address of the next look.

use std::time::Duration;

use actix_web::{get, web::Data};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    poll::{NothingNew, Poll},
    seen::Seen,
};
use crate::{
    actions::catalog::{
        filter::{InputModality, ModelFilter, OutputModality},
        row::ModelRow,
    },
    endpoint::{
        ActionErrors, Overlay, Query, Services,
        overlay::{At, Set},
    },
    error::Result,
    openrouter::{ApiKey, models::Model},
};

/// Until the next look: a little more than the age that the list of models reaches by default.
const WAIT: Duration = Duration::from_mins(15);

/// Until the next look when there is more to report than one answer holds.
const SHORT_WAIT: Duration = Duration::from_secs(15);

/// The most models in one answer.
const MAX_EVENTS: usize = 100;

const fn parameter(name: &'static str, set: &'static [Set]) -> Overlay {
    Overlay {
        at: At::Parameter("WhenAModelIsAdded", name),
        set,
    }
}

pub(crate) const OVERLAY: &[Overlay] = &[
    parameter("input_modality", &[Set::Advanced]),
    parameter("supported_parameters", &[Set::Advanced]),
    parameter("min_context", &[Set::Advanced]),
    parameter("zero_data_retention", &[Set::Advanced]),
    parameter("state", &[Set::Internal]),
];

/// Which models are meant: the filters of List models, and what the last look left.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhenAModelIsAddedQuery {
    /// Search
    ///
    /// Only models whose name or id contains this text.
    #[validate(length(max = 200))]
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Output Modality
    ///
    /// Only models that can return this kind of content. Default Text.
    pub output_modality: Option<OutputModality>,
    /// Input Modality
    ///
    /// Only models that can read this kind of content.
    pub input_modality: Option<InputModality>,
    /// Supported Parameters
    ///
    /// Only models that support all of these options, separated by commas, such as tools,seed.
    #[validate(length(max = 1000))]
    #[param(max_length = 1000)]
    pub supported_parameters: Option<String>,
    /// Min Context
    ///
    /// Only models with a context window of at least this many tokens; 1 or more.
    #[validate(range(min = 1))]
    #[param(minimum = 1)]
    pub min_context: Option<i64>,
    /// Max Prompt Price
    ///
    /// Only models whose prompt costs at most this many USD per million tokens; 0 for free models.
    #[validate(range(min = 0.0))]
    #[param(minimum = 0)]
    pub max_price: Option<f64>,
    /// Zero Data Retention
    ///
    /// Yes for models that some provider runs without keeping anything.
    pub zero_data_retention: Option<bool>,
    /// State
    ///
    /// What the last look left for this one. The platform fills it in.
    pub state: Option<String>,
}

/// When a model is added
///
/// This operation triggers when a model is added to those that List models gives with the same filters, and starts one run for each model. Each model is reported once.
#[utoipa::path(
    operation_id = "WhenAModelIsAdded", tag = "Triggers",
    params(WhenAModelIsAddedQuery),
    responses(
        (
            status = 200, description = "The new models, the latest first, at most 100.", body = Vec<ModelRow>,
            headers(
                ("Location" = String, description = "The address of the next look."),
                ("Retry-After" = i32, description = "Seconds until the next look."),
            )
        ),
        NothingNew, ActionErrors
    ),
    extensions(
        ("x-ms-trigger" = json!("batch")),
        ("x-ms-trigger-metadata" = json!({"kind": "query", "mode": "polling"})),
        ("x-ms-trigger-hint" = json!("It fires when OpenRouter lists a new model, which happens several times a week. To see what a run gets, use List models."))
    )
)]
#[get("/triggers/models")]
pub(crate) async fn when_a_model_is_added(
    services: Data<Services>,
    key: ApiKey,
    Query(request): Query<WhenAModelIsAddedQuery>,
) -> Result<Poll<ModelRow>> {
    let state = request.state.clone();
    let filter = request.into_filter();
    Ok(if let Some(query) = filter.upstream_query() {
        let models = services.openrouter.models(Some(&key), query).await?;
        look(&filter, state.as_deref(), &models)
    } else {
        let snapshot = services.catalog.get().await?;
        look(&filter, state.as_deref(), snapshot.models())
    })
}

impl WhenAModelIsAddedQuery {
    fn into_filter(self) -> ModelFilter {
        ModelFilter {
            search: self.search,
            output_modality: self.output_modality,
            input_modality: self.input_modality,
            supported_parameters: self.supported_parameters,
            min_context: self.min_context,
            max_price: self.max_price,
            zero_data_retention: self.zero_data_retention,
            ..ModelFilter::default()
        }
    }
}

/// What is new among `models`. A first look, and one whose `state` cannot be read, finds nothing new:
/// an error would stop the flow for good, and firing for every model would be worse.
fn look(filter: &ModelFilter, state: Option<&str>, models: &[Model]) -> Poll<ModelRow> {
    let filters = serde_json::to_string(filter).unwrap_or_default();
    let (listed, _) = filter.apply(models);
    let Some(mut seen) = state.and_then(|state| Seen::read(state, &filters)) else {
        return Poll {
            events: Vec::new(),
            state: Seen::all_of(&listed).write(&filters),
            wait: WAIT,
        };
    };
    let mut new = seen.new_among(&listed);
    let wait = if new.len() > MAX_EVENTS {
        SHORT_WAIT
    } else {
        WAIT
    };
    new.truncate(MAX_EVENTS);
    seen.add(&new, &listed);
    Poll {
        events: new.into_iter().map(ModelRow::of).collect(),
        state: seen.write(&filters),
        wait,
    }
}
