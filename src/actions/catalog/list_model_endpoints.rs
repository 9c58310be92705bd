//! List model endpoints: who runs a model, at which price and speed.

use actix_web::{get, web::Data};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::choices::{AUTHORS, SLUGS};
use crate::{
    endpoint::{ActionErrors, Answer, Overlay, Path, Services, overlay::At},
    error::Result,
    openrouter::{
        ApiKey,
        models::{Architecture, Endpoint, ModelEndpoints, Pricing},
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay {
        at: At::Parameter("ListModelEndpoints", "author"),
        set: &[AUTHORS],
    },
    Overlay {
        at: At::Parameter("ListModelEndpoints", "slug"),
        set: &[SLUGS],
    },
];

/// Which model.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Path)]
pub struct ListModelEndpointsPath {
    /// Author
    ///
    /// The author of the model: the first part of its id.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    pub author: String,
    /// Slug
    ///
    /// The second part of the model's id, after the slash, such as gpt-4o.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    pub slug: String,
}

/// A model with its endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListModelEndpointsResponse {
    /// Data
    ///
    /// The model and its endpoints.
    pub data: EndpointsOfModel,
}

/// A model and who runs it.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointsOfModel {
    /// Model ID
    ///
    /// The id of the model.
    pub id: Option<String>,
    /// Model Name
    ///
    /// The name of the model.
    pub name: Option<String>,
    /// Created
    ///
    /// When the model was added, in seconds since 1970 (UTC).
    pub created: Option<f64>,
    /// Description
    ///
    /// OpenRouter's description of the model.
    pub description: Option<String>,
    /// Architecture
    ///
    /// How the model is built.
    pub architecture: ModelArchitecture,
    /// Endpoints
    ///
    /// Who runs the model.
    pub endpoints: Vec<ModelEndpoint>,
}

/// How a model is built.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelArchitecture {
    /// Tokenizer
    ///
    /// How the model counts tokens.
    pub tokenizer: Option<String>,
    /// Instruct Type
    ///
    /// The prompt format that the model was trained on.
    pub instruct_type: Option<String>,
    /// Modality
    ///
    /// What goes in and comes out, such as text+image->text.
    pub modality: Option<String>,
}

/// One provider's offer of a model.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelEndpoint {
    /// Endpoint Name
    ///
    /// The name of the endpoint.
    pub name: Option<String>,
    /// Context Length
    ///
    /// The most tokens of prompt and answer together.
    pub context_length: Option<f64>,
    /// Pricing
    ///
    /// Prices in USD, as text.
    pub pricing: EndpointPricing,
    /// Provider Name
    ///
    /// The company that runs it.
    pub provider_name: Option<String>,
    /// Provider Slug
    ///
    /// The short name to use in Provider Order, Provider Only and Provider Ignore.
    pub provider_slug: Option<String>,
    /// Supported Parameters
    ///
    /// The options that have an effect here.
    pub supported_parameters: Vec<String>,
    /// Quantization
    ///
    /// The precision at which the model runs, such as fp8.
    pub quantization: Option<String>,
    /// Max Completion Tokens
    ///
    /// The most tokens of an answer.
    pub max_completion_tokens: Option<i64>,
    /// Max Prompt Tokens
    ///
    /// The most tokens of a prompt.
    pub max_prompt_tokens: Option<i64>,
    /// Uptime Last 30 Minutes
    ///
    /// The percentage of calls that succeeded in the last 30 minutes.
    pub uptime_last_30m: Option<f64>,
    /// Uptime Last Day
    ///
    /// The percentage of calls that succeeded in the last day.
    pub uptime_last_1d: Option<f64>,
    /// Supports Implicit Caching
    ///
    /// Yes if repeated prompts are cheaper by themselves.
    pub supports_implicit_caching: Option<bool>,
    /// Latency P50
    ///
    /// The median wait until the answer begins, in milliseconds, over the last 30 minutes.
    pub latency_p50: Option<f64>,
    /// Latency P90
    ///
    /// The wait until 90 percent of the answers have begun, in milliseconds, over the last 30 minutes.
    pub latency_p90: Option<f64>,
    /// Latency P99
    ///
    /// The wait until 99 percent of the answers have begun, in milliseconds, over the last 30 minutes.
    pub latency_p99: Option<f64>,
    /// Throughput P50
    ///
    /// Tokens per second of the median answer, in the last 30 minutes.
    pub throughput_p50: Option<f64>,
    /// Throughput P90
    ///
    /// Tokens per second at the 90th percentile, in the last 30 minutes.
    pub throughput_p90: Option<f64>,
    /// Throughput P99
    ///
    /// Tokens per second at the 99th percentile, in the last 30 minutes.
    pub throughput_p99: Option<f64>,
}

/// Prices of an endpoint in USD, as text.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointPricing {
    /// Request Price
    ///
    /// USD per call, as text.
    pub request: Option<String>,
    /// Image Price
    ///
    /// USD per image, as text.
    pub image: Option<String>,
    /// Prompt Price
    ///
    /// USD per token of the prompt, as text.
    pub prompt: Option<String>,
    /// Completion Price
    ///
    /// USD per token of the answer, as text.
    pub completion: Option<String>,
}

/// List model endpoints
///
/// Returns the providers that run a model, with their prices, limits, speed and reliability.
#[utoipa::path(
    operation_id = "ListModelEndpoints", tag = "Models",
    params(ListModelEndpointsPath),
    responses((status = 200, description = "The model and its endpoints.", body = ListModelEndpointsResponse), ActionErrors)
)]
#[get("/models/{author}/{slug}/endpoints")]
pub(crate) async fn list_model_endpoints(
    services: Data<Services>,
    key: ApiKey,
    Path(path): Path<ListModelEndpointsPath>,
) -> Result<Answer<ListModelEndpointsResponse>> {
    let model = services
        .openrouter
        .endpoints(&key, &path.author, &path.slug)
        .await?;
    Ok(Answer(ListModelEndpointsResponse {
        data: EndpointsOfModel::from_upstream(model),
    }))
}

impl EndpointsOfModel {
    fn from_upstream(model: ModelEndpoints) -> Self {
        let Architecture {
            tokenizer,
            instruct_type,
            modality,
            ..
        } = model.architecture;
        Self {
            id: model.id,
            name: model.name,
            created: model.created,
            description: model.description,
            architecture: ModelArchitecture {
                tokenizer,
                instruct_type,
                modality,
            },
            endpoints: model
                .endpoints
                .into_iter()
                .map(ModelEndpoint::from_upstream)
                .collect(),
        }
    }
}

impl ModelEndpoint {
    fn from_upstream(endpoint: Endpoint) -> Self {
        let Pricing {
            prompt,
            completion,
            request,
            image,
            ..
        } = endpoint.pricing;
        Self {
            name: endpoint.name,
            context_length: endpoint.context_length,
            pricing: EndpointPricing {
                request,
                image,
                prompt,
                completion,
            },
            provider_name: endpoint.provider_name,
            provider_slug: endpoint.tag,
            supported_parameters: endpoint.supported_parameters,
            quantization: endpoint.quantization,
            max_completion_tokens: endpoint.max_completion_tokens,
            max_prompt_tokens: endpoint.max_prompt_tokens,
            uptime_last_30m: endpoint.uptime_last_30m,
            uptime_last_1d: endpoint.uptime_last_1d,
            supports_implicit_caching: endpoint.supports_implicit_caching,
            latency_p50: endpoint.latency_last_30m.p50,
            latency_p90: endpoint.latency_last_30m.p90,
            latency_p99: endpoint.latency_last_30m.p99,
            throughput_p50: endpoint.throughput_last_30m.p50,
            throughput_p90: endpoint.throughput_last_30m.p90,
            throughput_p99: endpoint.throughput_last_30m.p99,
        }
    }
}
