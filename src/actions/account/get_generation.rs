//! Get generation: what one earlier call used, took and cost.

use actix_web::{get, web::Data};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    endpoint::{ActionErrors, Answer, Query, Services},
    error::Result,
    openrouter::{ApiKey, account::Generation},
};

/// Which generation.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetGenerationQuery {
    /// ID
    ///
    /// The ID in the answer of an action such as Chat completion.
    #[validate(length(min = 1, max = 256))]
    #[param(min_length = 1, max_length = 256)]
    pub id: String,
}

/// One generation.
#[derive(Debug, Serialize, ToSchema)]
pub struct GetGenerationResponse {
    /// Data
    ///
    /// What is recorded of the generation.
    pub data: GenerationRecord,
}

/// What is recorded of one generation.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct GenerationRecord {
    /// Generation ID
    ///
    /// The id of the generation.
    pub id: Option<String>,
    /// Total Cost
    ///
    /// What the generation cost, in USD.
    pub total_cost: Option<f64>,
    /// Created At
    ///
    /// When it was made.
    pub created_at: Option<String>,
    /// Model
    ///
    /// The model that answered.
    pub model: Option<String>,
    /// Origin
    ///
    /// The app that made the call.
    pub origin: Option<String>,
    /// Usage
    ///
    /// The credits that were used, in USD.
    pub usage: Option<f64>,
    /// Is BYOK
    ///
    /// Yes if your own provider key was used.
    pub is_byok: Option<bool>,
    /// Upstream ID
    ///
    /// The provider's id of the generation.
    pub upstream_id: Option<String>,
    /// Cache Discount
    ///
    /// What the cache saved, in USD; negative if it cost more.
    pub cache_discount: Option<f64>,
    /// App ID
    ///
    /// The number of the app that made the call.
    pub app_id: Option<f64>,
    /// Streamed
    ///
    /// Yes if the answer was streamed.
    pub streamed: Option<bool>,
    /// Cancelled
    ///
    /// Yes if the call was cancelled.
    pub cancelled: Option<bool>,
    /// Provider Name
    ///
    /// The company that ran the model.
    pub provider_name: Option<String>,
    /// Latency
    ///
    /// Milliseconds until the answer began.
    pub latency: Option<f64>,
    /// Moderation Latency
    ///
    /// Milliseconds that moderation took.
    pub moderation_latency: Option<f64>,
    /// Generation Time
    ///
    /// Milliseconds that the answer took.
    pub generation_time: Option<f64>,
    /// Finish Reason
    ///
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// Native Finish Reason
    ///
    /// Why the answer ended, in the provider's own word.
    pub native_finish_reason: Option<String>,
    /// Tokens Prompt
    ///
    /// The tokens of the prompt, counted alike for all models.
    pub tokens_prompt: Option<f64>,
    /// Tokens Completion
    ///
    /// The tokens of the answer, counted alike for all models.
    pub tokens_completion: Option<f64>,
    /// Native Tokens Prompt
    ///
    /// The tokens of the prompt as the provider counts them.
    pub native_tokens_prompt: Option<f64>,
    /// Native Tokens Completion
    ///
    /// The tokens of the answer as the provider counts them.
    pub native_tokens_completion: Option<f64>,
    /// Native Tokens Reasoning
    ///
    /// The tokens of reasoning as the provider counts them.
    pub native_tokens_reasoning: Option<f64>,
    /// Num Media Prompt
    ///
    /// The files in the prompt.
    pub num_media_prompt: Option<f64>,
    /// Num Media Completion
    ///
    /// The files in the answer.
    pub num_media_completion: Option<f64>,
    /// Num Search Results
    ///
    /// The number of web search results.
    pub num_search_results: Option<f64>,
    /// Native Tokens Cached
    ///
    /// The tokens that came from the provider's cache.
    pub native_tokens_cached: Option<f64>,
    /// Native Tokens Completion Images
    ///
    /// The tokens of the images in the answer.
    pub native_tokens_completion_images: Option<f64>,
    /// Num Input Audio Prompt
    ///
    /// The audio files in the prompt.
    pub num_input_audio_prompt: Option<f64>,
    /// Num Fetches
    ///
    /// The number of web pages that were fetched.
    pub num_fetches: Option<f64>,
    /// Upstream Inference Cost
    ///
    /// What the provider charged to your own key, in USD.
    pub upstream_inference_cost: Option<f64>,
    /// API Type
    ///
    /// The kind of call, such as completions or embeddings.
    pub api_type: Option<String>,
    /// Service Tier
    ///
    /// The service level that answered.
    pub service_tier: Option<String>,
    /// Router
    ///
    /// The router that chose the model.
    pub router: Option<String>,
    /// Preset ID
    ///
    /// The preset that was used.
    pub preset_id: Option<String>,
    /// Web Search Engine
    ///
    /// The search engine that was used.
    pub web_search_engine: Option<String>,
    /// Data Region
    ///
    /// The region in which the call was handled.
    pub data_region: Option<String>,
    /// External User
    ///
    /// The User that was sent with the call.
    pub external_user: Option<String>,
    /// Session ID
    ///
    /// The Session ID that was sent with the call.
    pub session_id: Option<String>,
    /// Request ID
    ///
    /// OpenRouter's id of the request.
    pub request_id: Option<String>,
}

/// Get generation
///
/// Returns the tokens, time and cost of an earlier call, by the ID in its answer. OpenRouter knows a call a few seconds after it ended.
#[utoipa::path(
    operation_id = "GetGeneration", tag = "Account",
    params(GetGenerationQuery),
    responses((status = 200, description = "The generation.", body = GetGenerationResponse), ActionErrors)
)]
#[get("/generation")]
pub(crate) async fn get_generation(
    services: Data<Services>,
    key: ApiKey,
    Query(query): Query<GetGenerationQuery>,
) -> Result<Answer<GetGenerationResponse>> {
    let generation = services.openrouter.generation(&key, &query.id).await?;
    Ok(Answer(GetGenerationResponse {
        data: GenerationRecord::from_upstream(generation),
    }))
}

impl GenerationRecord {
    fn from_upstream(record: Generation) -> Self {
        Self {
            id: record.id,
            total_cost: record.total_cost,
            created_at: record.created_at,
            model: record.model,
            origin: record.origin,
            usage: record.usage,
            is_byok: record.is_byok,
            upstream_id: record.upstream_id,
            cache_discount: record.cache_discount,
            app_id: record.app_id,
            streamed: record.streamed,
            cancelled: record.cancelled,
            provider_name: record.provider_name,
            latency: record.latency,
            moderation_latency: record.moderation_latency,
            generation_time: record.generation_time,
            finish_reason: record.finish_reason,
            native_finish_reason: record.native_finish_reason,
            tokens_prompt: record.tokens_prompt,
            tokens_completion: record.tokens_completion,
            native_tokens_prompt: record.native_tokens_prompt,
            native_tokens_completion: record.native_tokens_completion,
            native_tokens_reasoning: record.native_tokens_reasoning,
            num_media_prompt: record.num_media_prompt,
            num_media_completion: record.num_media_completion,
            num_search_results: record.num_search_results,
            native_tokens_cached: record.native_tokens_cached,
            native_tokens_completion_images: record.native_tokens_completion_images,
            num_input_audio_prompt: record.num_input_audio_prompt,
            num_fetches: record.num_fetches,
            upstream_inference_cost: record.upstream_inference_cost,
            api_type: record.api_type,
            service_tier: record.service_tier,
            router: record.router,
            preset_id: record.preset_id,
            web_search_engine: record.web_search_engine,
            data_region: record.data_region,
            external_user: record.external_user,
            session_id: record.session_id,
            request_id: record.request_id,
        }
    }
}
