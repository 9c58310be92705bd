//! Rerank: a question and texts in, the texts in order of relevance out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    actions::facts::CallFacts,
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, Overlay, Run, Services,
        overlay::{Dropdown, Set, Source},
    },
    error::Result,
    openrouter::vectors::{RerankRequest as UpstreamRequest, RerankResponse as UpstreamResponse},
    telemetry,
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "RerankRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("rerank"))],
        })],
    ),
    Overlay::property("RerankRequest", "top_n", &[Set::Advanced]),
    Overlay::property("RerankRequest", "background_run", &[Set::Advanced]),
];

/// The question and the texts.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "cohere/rerank-v3.5", "query": "The capital of France", "documents": ["Bananas are yellow.", "Paris is the capital of France."]}))]
pub struct RerankRequest {
    /// Model
    ///
    /// The model that judges. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Query
    ///
    /// The question that the texts should answer.
    #[validate(length(min = 1))]
    #[schema(min_length = 1)]
    pub query: String,
    /// Documents
    ///
    /// The texts to put in order, 1 to 10,000.
    #[validate(length(min = 1, max = 10000))]
    #[schema(min_items = 1, max_items = 10000)]
    pub documents: Vec<String>,
    /// Top N
    ///
    /// How many of the best texts are returned, 1 or more. Default all.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub top_n: Option<u32>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
}

/// The texts in order.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct RerankResponse {
    /// Results
    ///
    /// The texts, the most relevant first.
    pub results: Vec<RerankRow>,
    /// Provider
    ///
    /// The company that ran the model.
    pub provider: Option<String>,
    /// Total Tokens
    ///
    /// The tokens in all.
    pub total_tokens: Option<i64>,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// One text and its relevance.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct RerankRow {
    /// Index
    ///
    /// The number of the text in Documents, from 0.
    pub index: i64,
    /// Relevance Score
    ///
    /// How well the text answers the question; more is better.
    pub relevance_score: Option<f64>,
    /// Document
    ///
    /// The text.
    pub document: Option<String>,
}

/// Rerank documents
///
/// Puts texts in order of how well they answer a question, for example search results before a model reads them.
#[utoipa::path(
    operation_id = "Rerank", tag = "Vectors",
    request_body(content = RerankRequest, description = "The question and the texts."),
    responses((status = 200, description = "The texts in order.", body = RerankResponse), GoesOn, ActionErrors)
)]
#[post("/rerank")]
pub(crate) async fn rerank(call: Generate<Rerank>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct Rerank;

impl Generation for Rerank {
    const OPERATION: &'static str = "Rerank";
    type Input = RerankRequest;
    type Prepared = UpstreamRequest;
    type Output = RerankResponse;

    async fn prepare(_: &Services, request: Self::Input) -> Result<Self::Prepared> {
        Ok(UpstreamRequest {
            model: request.model,
            query: request.query,
            documents: request.documents,
            top_n: request.top_n,
        })
    }

    async fn run(run: Run, upstream: Self::Prepared) -> Result<Self::Output> {
        let answer = run.services.openrouter.rerank(&run.key, &upstream).await?;
        Ok(RerankResponse::from_upstream(answer, &upstream))
    }

    fn background(request: &Self::Input) -> bool {
        request.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        RerankResponse {
            results: Vec::new(),
            provider: None,
            total_tokens: None,
            facts: CallFacts::running(job_id),
        }
    }
}

impl RerankResponse {
    /// The documents are told from the request: upstream repeats them in several shapes.
    fn from_upstream(answer: UpstreamResponse, request: &UpstreamRequest) -> Self {
        let usage = answer.usage;
        telemetry::note(|call| call.tokens = usage.total_tokens);
        let results = answer.results.into_iter().filter_map(|ranked| {
            let index = ranked.index?;
            let place = usize::try_from(index).ok()?;
            Some(RerankRow {
                index,
                relevance_score: ranked.relevance_score,
                document: request.documents.get(place).cloned(),
            })
        });
        Self {
            results: results.collect(),
            provider: answer.provider,
            total_tokens: usage.total_tokens,
            facts: CallFacts::completed(
                answer.id,
                answer.model.unwrap_or_else(|| request.model.clone()),
                usage.cost,
                Vec::new(),
            ),
        }
    }
}
