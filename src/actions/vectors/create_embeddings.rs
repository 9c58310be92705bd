//! Create embeddings: texts in, vectors out.

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
    error::{Error, Result},
    openrouter::vectors::{EmbeddingsRequest, EmbeddingsResponse},
    telemetry,
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "CreateEmbeddingsRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("embeddings"))],
        })],
    ),
    Overlay::property("CreateEmbeddingsRequest", "inputs", &[Set::Advanced]),
    Overlay::property("CreateEmbeddingsRequest", "dimensions", &[Set::Advanced]),
    Overlay::property(
        "CreateEmbeddingsRequest",
        "background_run",
        &[Set::Advanced],
    ),
];

/// The texts.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/text-embedding-3-small", "input": "Good morning."}))]
pub struct CreateEmbeddingsRequest {
    /// Model
    ///
    /// The model that makes the vectors. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Input
    ///
    /// The text. Input or Inputs is needed.
    pub input: Option<String>,
    /// Inputs
    ///
    /// Several texts, 1 to 2048; they come after the Input.
    #[validate(length(max = 2048))]
    #[schema(max_items = 2048)]
    pub inputs: Option<Vec<String>>,
    /// Dimensions
    ///
    /// How many numbers a vector has, 1 or more, for models that can choose.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub dimensions: Option<u32>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
}

/// The vectors.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateEmbeddingsResponse {
    /// Embedding
    ///
    /// The vector of the first text.
    pub embedding: Vec<f64>,
    /// Embeddings
    ///
    /// The vectors of all texts, in their order.
    pub embeddings: Vec<EmbeddingRow>,
    /// Prompt Tokens
    ///
    /// The tokens of the texts.
    pub prompt_tokens: Option<i64>,
    /// Total Tokens
    ///
    /// The tokens in all.
    pub total_tokens: Option<i64>,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// The vector of one text.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddingRow {
    /// Index
    ///
    /// The number of the text, from 0.
    pub index: i32,
    /// Embedding
    ///
    /// The vector of the text.
    pub embedding: Vec<f64>,
}

/// Create embeddings
///
/// Turns texts into vectors (lists of numbers) for search and comparison. Do not use it to answer questions.
#[utoipa::path(
    operation_id = "CreateEmbeddings", tag = "Vectors",
    request_body(content = CreateEmbeddingsRequest, description = "The texts."),
    responses((status = 200, description = "The vectors.", body = CreateEmbeddingsResponse), GoesOn, ActionErrors)
)]
#[post("/embeddings")]
pub(crate) async fn create_embeddings(call: Generate<CreateEmbeddings>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct CreateEmbeddings;

impl Generation for CreateEmbeddings {
    const OPERATION: &'static str = "CreateEmbeddings";
    type Input = CreateEmbeddingsRequest;
    type Prepared = EmbeddingsRequest;
    type Output = CreateEmbeddingsResponse;

    async fn prepare(_: &Services, request: Self::Input) -> Result<Self::Prepared> {
        into_upstream(request)
    }

    async fn run(run: Run, upstream: Self::Prepared) -> Result<Self::Output> {
        let answer = run.services.openrouter.embeddings(&run.key, &upstream);
        Ok(CreateEmbeddingsResponse::from_upstream(
            answer.await?,
            upstream.model,
        ))
    }

    fn background(request: &Self::Input) -> bool {
        request.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        CreateEmbeddingsResponse {
            embedding: Vec::new(),
            embeddings: Vec::new(),
            prompt_tokens: None,
            total_tokens: None,
            facts: CallFacts::running(job_id),
        }
    }
}

fn into_upstream(request: CreateEmbeddingsRequest) -> Result<EmbeddingsRequest> {
    let input: Vec<_> = request
        .input
        .into_iter()
        .chain(request.inputs.unwrap_or_default())
        .collect();
    if input.is_empty() {
        return Err(Error::invalid("input", "input or inputs is required."));
    }
    Ok(EmbeddingsRequest {
        model: request.model,
        input,
        dimensions: request.dimensions,
        encoding_format: "float",
    })
}

impl CreateEmbeddingsResponse {
    fn from_upstream(answer: EmbeddingsResponse, model: String) -> Self {
        let usage = &answer.usage;
        telemetry::note(|call| call.tokens = usage.total_tokens);
        let embeddings: Vec<_> = (0..)
            .zip(&answer.data)
            .map(|(index, vector)| EmbeddingRow {
                index,
                embedding: vector.numbers(),
            })
            .collect();
        Self {
            embedding: embeddings
                .first()
                .map(|row| row.embedding.clone())
                .unwrap_or_default(),
            embeddings,
            prompt_tokens: usage.prompt_tokens,
            total_tokens: usage.total_tokens,
            facts: CallFacts::completed(
                answer.id,
                answer.model.unwrap_or(model),
                usage.cost,
                Vec::new(),
            ),
        }
    }
}
