//! `/audio/speech` and `/audio/transcriptions`: speech from text, and text from speech.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    ApiKey, Client,
    chat::AudioPart,
    client::{Call, Stream, content_type},
    tolerant::{number, object, text},
};
use crate::error::{Error, Kind, Result};

/// A text to be spoken. What is `None` is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct SpeechRequest {
    pub model: String,
    pub input: String,
    pub voice: String,
    pub response_format: String,
    pub speed: Option<f64>,
}

/// A sound.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct SpeechResponse {
    pub id: Option<String>,
    pub bytes: Vec<u8>,
    pub content_type: String,
}

/// A sound to be written down. What is `None` is not sent.
#[skip_serializing_none]
#[derive(Clone, Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct TranscriptionRequest {
    pub model: String,
    pub input_audio: AudioPart,
    pub language: Option<String>,
    pub temperature: Option<f64>,
}

/// What was said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct TranscriptionResponse {
    #[serde(skip)]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub text: Option<String>,
    #[serde(deserialize_with = "text")]
    pub language: Option<String>,
    #[serde(deserialize_with = "number")]
    pub duration: Option<f64>,
    #[serde(deserialize_with = "object")]
    pub usage: TranscriptionUsage,
}

/// What a transcription used and cost; `seconds` of sound, `cost` in USD.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct TranscriptionUsage {
    #[serde(deserialize_with = "number")]
    pub seconds: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub cost: Option<f64>,
}

impl Client {
    /// Speaks a text and reads the whole sound.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::UpstreamError`] for an answer without sound.
    pub async fn speech(&self, key: &ApiKey, request: &SpeechRequest) -> Result<SpeechResponse> {
        let reply = self
            .send(Call::post("/audio/speech", key, request)?)
            .await?;
        if reply.is_json() {
            reply.refuse_error()?;
        }
        if reply.is_json() || reply.body.is_empty() {
            return Err(no_sound());
        }
        Ok(SpeechResponse {
            id: reply.generation_id(),
            content_type: content_type(&reply.headers).to_owned(),
            bytes: reply.body,
        })
    }

    /// Speaks a text and hands the sound over while it arrives.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses before the sound begins.
    pub async fn speech_stream(&self, key: &ApiKey, request: &SpeechRequest) -> Result<Stream> {
        let stream = self
            .open(Call::post("/audio/speech", key, request)?)
            .await?;
        if !stream.is_json() {
            return Ok(stream);
        }
        // An error inside a success; it is told as what it says it is.
        self.read(stream).await?.refuse_error()?;
        Err(no_sound())
    }

    /// Writes down what is said.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses; [`Kind::UpstreamError`] for an answer without a text.
    pub async fn transcribe(
        &self,
        key: &ApiKey,
        request: &TranscriptionRequest,
    ) -> Result<TranscriptionResponse> {
        let call = Call::post("/audio/transcriptions", key, request)?;
        let (mut answer, id) = self.ask_with_id::<TranscriptionResponse>(call).await?;
        if answer.text.is_none() {
            return Err(Error::new(
                Kind::UpstreamError,
                "The model answered no transcription.",
            ));
        }
        answer.id = id;
        Ok(answer)
    }
}

fn no_sound() -> Error {
    Error::new(Kind::UpstreamError, "The model answered no sound.")
}
