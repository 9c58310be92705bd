//! The catalogue's endpoints: models, their endpoints, providers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    ApiKey, Client,
    client::{Call, segment},
    tolerant::{as_number, boolean, integer, list, number, object, text},
};
use crate::error::Result;

/// A list under `data`.
#[derive(Debug, Deserialize)]
#[serde(default, bound = "T: serde::de::DeserializeOwned")]
struct List<T> {
    #[serde(deserialize_with = "list")]
    data: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { data: Vec::new() }
    }
}

/// One value under `data`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound = "T: serde::de::DeserializeOwned + Default")]
pub(super) struct Data<T> {
    #[serde(deserialize_with = "object")]
    pub(super) data: T,
}

/// A model of the catalogue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Model {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub canonical_slug: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub created: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub context_length: Option<i64>,
    #[serde(deserialize_with = "object")]
    pub architecture: Architecture,
    #[serde(deserialize_with = "object")]
    pub pricing: Pricing,
    #[serde(deserialize_with = "object")]
    pub top_provider: TopProvider,
    #[serde(deserialize_with = "list")]
    pub supported_parameters: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub supported_voices: Vec<String>,
    #[serde(deserialize_with = "text")]
    pub expiration_date: Option<String>,
}

/// What a model takes and gives.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Architecture {
    #[serde(deserialize_with = "text")]
    pub modality: Option<String>,
    #[serde(deserialize_with = "list")]
    pub input_modalities: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub output_modalities: Vec<String>,
    #[serde(deserialize_with = "text")]
    pub tokenizer: Option<String>,
    #[serde(deserialize_with = "text")]
    pub instruct_type: Option<String>,
}

/// Prices in USD per token, request or image, as decimal texts; a negative one is dynamic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Pricing {
    #[serde(deserialize_with = "text")]
    pub prompt: Option<String>,
    #[serde(deserialize_with = "text")]
    pub completion: Option<String>,
    #[serde(deserialize_with = "text")]
    pub request: Option<String>,
    #[serde(deserialize_with = "text")]
    pub image: Option<String>,
    /// Prices of other things, such as an image or a second of sound.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Pricing {
    /// USD per token of the prompt; `None` if it is unknown or dynamic.
    #[must_use]
    pub fn prompt_price(&self) -> Option<f64> {
        price(self.prompt.as_ref())
    }

    /// USD per token of the answer; `None` if it is unknown or dynamic.
    #[must_use]
    pub fn completion_price(&self) -> Option<f64> {
        price(self.completion.as_ref())
    }

    /// Whether anything but tokens costs something, such as a call or an image.
    #[must_use]
    pub fn charges_otherwise(&self) -> bool {
        let others = self.other.iter().filter(|(name, _)| *name != "discount");
        let mut others = others.filter_map(|(_, price)| as_number(price));
        self.request_price() > 0.0
            || price(self.image.as_ref()).is_some_and(|price| price > 0.0)
            || others.any(|price| price > 0.0)
    }

    /// USD per call; 0 if there is no such price.
    #[must_use]
    pub fn request_price(&self) -> f64 {
        price(self.request.as_ref()).unwrap_or_default()
    }
}

fn price(text: Option<&String>) -> Option<f64> {
    as_number(&Value::String(text?.clone())).filter(|price| *price >= 0.0)
}

/// The bounds of the provider that serves a model first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct TopProvider {
    #[serde(deserialize_with = "integer")]
    pub context_length: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub max_completion_tokens: Option<i64>,
}

/// A model with the endpoints that serve it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ModelEndpoints {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "number")]
    pub created: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
    #[serde(deserialize_with = "object")]
    pub architecture: Architecture,
    #[serde(deserialize_with = "list")]
    pub endpoints: Vec<Endpoint>,
}

/// One provider's offer of a model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Endpoint {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "number")]
    pub context_length: Option<f64>,
    #[serde(deserialize_with = "object")]
    pub pricing: Pricing,
    #[serde(deserialize_with = "text")]
    pub provider_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub tag: Option<String>,
    #[serde(deserialize_with = "text")]
    pub quantization: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub max_completion_tokens: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub max_prompt_tokens: Option<i64>,
    #[serde(deserialize_with = "list")]
    pub supported_parameters: Vec<String>,
    #[serde(deserialize_with = "number")]
    pub uptime_last_30m: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub uptime_last_1d: Option<f64>,
    #[serde(deserialize_with = "boolean")]
    pub supports_implicit_caching: Option<bool>,
    #[serde(deserialize_with = "object")]
    pub latency_last_30m: Percentiles,
    #[serde(deserialize_with = "object")]
    pub throughput_last_30m: Percentiles,
}

/// A distribution; latency in milliseconds, throughput in tokens per second.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Percentiles {
    #[serde(deserialize_with = "number")]
    pub p50: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub p75: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub p90: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub p99: Option<f64>,
}

/// A company that serves models.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Provider {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub slug: Option<String>,
    #[serde(deserialize_with = "text")]
    pub privacy_policy_url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub terms_of_service_url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status_page_url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub headquarters: Option<String>,
    #[serde(deserialize_with = "list")]
    pub datacenters: Vec<String>,
}

impl Client {
    /// The models that `query` asks for; none of upstream's filters is set by itself.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses.
    pub async fn models(
        &self,
        key: Option<&ApiKey>,
        query: Vec<(&'static str, String)>,
    ) -> Result<Vec<Model>> {
        let list: List<Model> = self.ask(Call::get("/models", key).query(query)).await?;
        Ok(list
            .data
            .into_iter()
            .filter(|model| model.id.is_some())
            .collect())
    }

    /// One model; its slug may carry a variant, and aliases are resolved.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; `404` if there is no such model.
    pub async fn model(&self, key: &ApiKey, author: &str, slug: &str) -> Result<Model> {
        let path = format!(
            "/model/{}/{}",
            segment("author", author)?,
            segment("slug", slug)?
        );
        Ok(self
            .ask::<Data<Model>>(Call::get(path, Some(key)))
            .await?
            .data)
    }

    /// A model's endpoints. Latency and throughput come with a key only.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; `404` if there is no such model.
    pub async fn endpoints(
        &self,
        key: &ApiKey,
        author: &str,
        slug: &str,
    ) -> Result<ModelEndpoints> {
        let path = format!(
            "/models/{}/{}/endpoints",
            segment("author", author)?,
            segment("slug", slug)?
        );
        Ok(self
            .ask::<Data<ModelEndpoints>>(Call::get(path, Some(key)))
            .await?
            .data)
    }

    /// Every provider.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses.
    pub async fn providers(&self, key: &ApiKey) -> Result<Vec<Provider>> {
        Ok(self
            .ask::<List<Provider>>(Call::get("/providers", Some(key)))
            .await?
            .data)
    }
}
