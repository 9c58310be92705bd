//! `/images`: pictures from words.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    ApiKey, Client,
    chat::{Part, ProviderPreferences, Usage},
    client::Call,
    tolerant::{integer, list, object, text},
};
use crate::error::Result;

/// Pictures to be made. What is `None` or empty is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ImageRequest {
    pub model: String,
    pub prompt: String,
    pub n: Option<u8>,
    pub aspect_ratio: Option<String>,
    pub resolution: Option<String>,
    pub quality: Option<String>,
    pub background: Option<String>,
    pub output_format: Option<String>,
    pub seed: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_references: Vec<Part>,
    pub provider: Option<ProviderPreferences>,
    pub user: Option<String>,
}

/// Pictures, each as bare base64.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ImageResponse {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub created: Option<i64>,
    #[serde(deserialize_with = "list")]
    pub data: Vec<ImageData>,
    #[serde(deserialize_with = "object")]
    pub usage: Usage,
}

/// One picture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ImageData {
    #[serde(deserialize_with = "text")]
    pub b64_json: Option<String>,
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub media_type: Option<String>,
    #[serde(deserialize_with = "text")]
    pub revised_prompt: Option<String>,
}

impl Client {
    /// Makes pictures.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses.
    pub async fn images(&self, key: &ApiKey, request: &ImageRequest) -> Result<ImageResponse> {
        let call = Call::post("/images", key, request)?;
        let (mut answer, id) = self.ask_with_id::<ImageResponse>(call).await?;
        answer.id = answer.id.or(id);
        Ok(answer)
    }
}
