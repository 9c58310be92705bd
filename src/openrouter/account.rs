//! Credits, the key itself, and single generations.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use serde::Deserialize;

use super::{
    ApiKey, Client,
    client::Call,
    models::Data,
    tolerant::{boolean, number, text},
};
use crate::error::{Kind, Result};

/// What was bought and used, in USD.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Credits {
    #[serde(deserialize_with = "number")]
    pub total_credits: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub total_usage: Option<f64>,
}

impl Credits {
    /// What is left, in USD; it can be negative. `None` if upstream does not tell both totals.
    #[must_use]
    pub fn remaining(&self) -> Option<f64> {
        Some(self.total_credits? - self.total_usage?)
    }
}

/// A key's limits and use, in USD.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct KeyFacts {
    #[serde(deserialize_with = "text")]
    pub label: Option<String>,
    #[serde(deserialize_with = "number")]
    pub limit: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub limit_remaining: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub limit_reset: Option<String>,
    #[serde(deserialize_with = "number")]
    pub usage: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub usage_daily: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub usage_weekly: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub usage_monthly: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub byok_usage: Option<f64>,
    #[serde(deserialize_with = "boolean")]
    pub is_free_tier: Option<bool>,
    #[serde(deserialize_with = "boolean")]
    pub is_management_key: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub expires_at: Option<String>,
}

/// What is recorded of one generation: times in milliseconds, money in USD.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Generation {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "number")]
    pub total_cost: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "text")]
    pub origin: Option<String>,
    #[serde(deserialize_with = "number")]
    pub usage: Option<f64>,
    #[serde(deserialize_with = "boolean")]
    pub is_byok: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub upstream_id: Option<String>,
    #[serde(deserialize_with = "number")]
    pub cache_discount: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub app_id: Option<f64>,
    #[serde(deserialize_with = "boolean")]
    pub streamed: Option<bool>,
    #[serde(deserialize_with = "boolean")]
    pub cancelled: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub provider_name: Option<String>,
    #[serde(deserialize_with = "number")]
    pub latency: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub moderation_latency: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub generation_time: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub finish_reason: Option<String>,
    #[serde(deserialize_with = "text")]
    pub native_finish_reason: Option<String>,
    #[serde(deserialize_with = "number")]
    pub tokens_prompt: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub tokens_completion: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub native_tokens_prompt: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub native_tokens_completion: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub native_tokens_reasoning: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub native_tokens_cached: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub native_tokens_completion_images: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub num_media_prompt: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub num_input_audio_prompt: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub num_media_completion: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub num_search_results: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub num_fetches: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub upstream_inference_cost: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub api_type: Option<String>,
    #[serde(deserialize_with = "text")]
    pub service_tier: Option<String>,
    #[serde(deserialize_with = "text")]
    pub router: Option<String>,
    #[serde(deserialize_with = "text")]
    pub preset_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub web_search_engine: Option<String>,
    #[serde(deserialize_with = "text")]
    pub data_region: Option<String>,
    #[serde(deserialize_with = "text")]
    pub external_user: Option<String>,
    #[serde(deserialize_with = "text")]
    pub session_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub request_id: Option<String>,
}

impl Client {
    /// The account's credits; a management key is needed.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::ManagementKeyRequired`] for a plain key.
    pub async fn credits(&self, key: &ApiKey) -> Result<Credits> {
        Ok(self
            .ask::<Data<Credits>>(Call::get("/credits", Some(key)))
            .await?
            .data)
    }

    /// The key's own limits and use.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses.
    pub async fn key(&self, key: &ApiKey) -> Result<KeyFacts> {
        Ok(self
            .ask::<Data<KeyFacts>>(Call::get("/key", Some(key)))
            .await?
            .data)
    }

    /// One generation. Upstream answers 404 for some seconds after the call that made it, so a
    /// 404 is asked again for up to about 8 s.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; `404` if it still does not know the generation.
    pub async fn generation(&self, key: &ApiKey, id: &str) -> Result<Generation> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(2))
            .with_max_times(6);
        let ask = || async {
            let call = Call::get("/generation", Some(key)).query(vec![("id", id.to_owned())]);
            Ok(self.ask::<Data<Generation>>(call).await?.data)
        };
        ask.retry(waits)
            .when(|error: &crate::error::Error| error.kind() == Kind::NotFound)
            .await
    }
}
