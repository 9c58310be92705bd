//! `/videos`: films from words, made by upstream in the background.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    ApiKey, Client,
    chat::Url,
    client::{Call, content_type, segment},
    tolerant::{list, number, object, text},
};
use crate::error::{Error, Kind, Result};

/// A film to be made. What is `None` or empty is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct VideoRequest {
    pub model: String,
    pub prompt: Option<String>,
    pub duration: Option<u32>,
    pub resolution: Option<String>,
    pub aspect_ratio: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frame_images: Vec<FrameImage>,
    pub generate_audio: Option<bool>,
    pub seed: Option<i64>,
}

/// The first or last picture of a film.
#[derive(Clone, Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct FrameImage {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub image_url: Url,
    pub frame_type: &'static str,
}

/// The state of a film.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct VideoJob {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "text")]
    pub generation_id: Option<String>,
    #[serde(deserialize_with = "list")]
    pub unsigned_urls: Vec<String>,
    #[serde(deserialize_with = "text")]
    pub error: Option<String>,
    #[serde(deserialize_with = "object")]
    pub usage: VideoUsage,
}

/// What a film cost, in USD.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct VideoUsage {
    #[serde(deserialize_with = "number")]
    pub cost: Option<f64>,
}

impl Client {
    /// Starts a film. It is never sent twice: a second call would be a second film.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::UpstreamError`] for an answer without an id.
    pub async fn start_video(&self, key: &ApiKey, request: &VideoRequest) -> Result<VideoJob> {
        let job: VideoJob = self.ask(Call::post("/videos", key, request)?).await?;
        if job.id.is_none() {
            return Err(Error::new(
                Kind::UpstreamError,
                "OpenRouter named no id for the video.",
            ));
        }
        Ok(job)
    }

    /// The state of a film.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; `404` if there is no such film.
    pub async fn video(&self, key: &ApiKey, id: &str) -> Result<VideoJob> {
        // A failed film has its reason in `error`, which is no failure of this call.
        let reply = self
            .send(Call::get(
                format!("/videos/{}", segment("video_id", id)?),
                Some(key),
            ))
            .await?;
        reply.read()
    }

    /// The film itself, with its type.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses.
    pub async fn video_content(&self, key: &ApiKey, id: &str) -> Result<(Vec<u8>, String)> {
        let path = format!("/videos/{}/content", segment("video_id", id)?);
        let call = Call::get(path, Some(key))
            .query(vec![("index", "0".to_owned())])
            .patient();
        let reply = self.send(call).await?;
        if reply.is_json() {
            reply.refuse_error()?;
        }
        if reply.is_json() || reply.body.is_empty() {
            return Err(Error::new(
                Kind::UpstreamError,
                "OpenRouter answered no video.",
            ));
        }
        let kind = content_type(&reply.headers).to_owned();
        Ok((reply.body, kind))
    }
}
