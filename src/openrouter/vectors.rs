//! `/embeddings` and `/rerank`: texts as vectors, and texts in order of relevance.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::{
    ApiKey, Client,
    client::Call,
    tolerant::{as_number, integer, list, number, object, text},
};
use crate::error::{Error, Kind, Result};

/// Texts to be turned into vectors. What is `None` is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct EmbeddingsRequest {
    pub model: String,
    pub input: Vec<String>,
    pub dimensions: Option<u32>,
    /// Always `float`: models that lack base64 answer a success with no data at all.
    pub encoding_format: &'static str,
}

/// Vectors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct EmbeddingsResponse {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "list")]
    pub data: Vec<Embedding>,
    #[serde(deserialize_with = "object")]
    pub usage: VectorUsage,
}

/// One vector.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Embedding {
    #[serde(deserialize_with = "integer")]
    pub index: Option<i64>,
    #[serde(deserialize_with = "list")]
    embedding: Vec<Coordinate>,
}

/// A number of a vector, also one written as a text; `None` if it is anything else.
#[derive(Clone, Copy, Debug)]
struct Coordinate(Option<f64>);

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        Ok(Self(as_number(&value)))
    }
}

impl Embedding {
    /// Whether there are numbers, and nothing but numbers.
    fn is_whole(&self) -> bool {
        !self.embedding.is_empty() && self.embedding.iter().all(|number| number.0.is_some())
    }

    /// The vector's numbers.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        self.embedding
            .iter()
            .filter_map(|number| number.0)
            .collect()
    }
}

/// Texts to be put in order. What is `None` is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct RerankRequest {
    pub model: String,
    pub query: String,
    pub documents: Vec<String>,
    pub top_n: Option<u32>,
}

/// Texts in order of relevance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct RerankResponse {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "text")]
    pub provider: Option<String>,
    #[serde(deserialize_with = "list")]
    pub results: Vec<Ranked>,
    #[serde(deserialize_with = "object")]
    pub usage: VectorUsage,
}

/// One text's place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Ranked {
    #[serde(deserialize_with = "integer")]
    pub index: Option<i64>,
    #[serde(deserialize_with = "number")]
    pub relevance_score: Option<f64>,
}

/// What a call used and cost.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct VectorUsage {
    #[serde(deserialize_with = "integer")]
    pub prompt_tokens: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub total_tokens: Option<i64>,
    #[serde(deserialize_with = "number")]
    pub cost: Option<f64>,
}

impl Client {
    /// Turns texts into vectors, one for each text and in the same order.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::UpstreamError`] if a vector is missing.
    pub async fn embeddings(
        &self,
        key: &ApiKey,
        request: &EmbeddingsRequest,
    ) -> Result<EmbeddingsResponse> {
        let call = Call::post("/embeddings", key, request)?;
        let (mut answer, id) = self.ask_with_id::<EmbeddingsResponse>(call).await?;
        answer.id = answer.id.or(id);
        answer.data.sort_by_key(|vector| vector.index);
        let in_order = answer
            .data
            .iter()
            .zip(0_i64..)
            .all(|(vector, place)| vector.index.is_none_or(|index| index == place));
        let complete = answer.data.len() == request.input.len()
            && in_order
            && answer.data.iter().all(Embedding::is_whole);
        if complete {
            return Ok(answer);
        }
        Err(Error::new(
            Kind::UpstreamError,
            "The model did not answer a vector for every text.",
        ))
    }

    /// Puts texts in order of relevance.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::UpstreamError`] for an answer without results.
    pub async fn rerank(&self, key: &ApiKey, request: &RerankRequest) -> Result<RerankResponse> {
        let call = Call::post("/rerank", key, request)?;
        let (mut answer, id) = self.ask_with_id::<RerankResponse>(call).await?;
        answer.id = answer.id.or(id);
        // A place that no text has says nothing.
        let known = 0..i64::try_from(request.documents.len()).unwrap_or(i64::MAX);
        let has_place = |ranked: &Ranked| ranked.index.is_some_and(|index| known.contains(&index));
        answer.results.retain(has_place);
        if answer.results.is_empty() {
            return Err(Error::new(
                Kind::UpstreamError,
                "The model put nothing in order.",
            ));
        }
        Ok(answer)
    }
}
