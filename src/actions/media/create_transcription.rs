//! Create transcription: speech in, text out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use super::languages::TranscriptionLanguage;
use crate::{
    actions::{
        facts::CallFacts,
        file::{FileInput, Kind as FileKind},
    },
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, Overlay, Run, Services,
        overlay::{Dropdown, Set, Source},
    },
    error::{Error, Result},
    openrouter::audio::{TranscriptionRequest, TranscriptionResponse},
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "CreateTranscriptionRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("transcription"))],
        })],
    ),
    Overlay::property(
        "CreateTranscriptionRequest",
        "temperature",
        &[Set::Advanced],
    ),
    Overlay::property(
        "CreateTranscriptionRequest",
        "background_run",
        &[Set::Advanced],
    ),
];

/// The kinds of sound that are taken.
const FORMATS: [&str; 7] = ["wav", "mp3", "flac", "m4a", "ogg", "webm", "aac"];

/// The sound to be written down.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/whisper-1", "file": {"name": "note.wav", "content": "UklGRiQAAABXQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0YQAAAAA="}}))]
pub struct CreateTranscriptionRequest {
    /// Model
    ///
    /// The model that listens. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// File
    ///
    /// The audio file: WAV, MP3, FLAC, M4A, OGG, WebM or AAC. Fill in File Content; an address is not taken.
    #[validate(nested)]
    pub file: FileInput,
    /// Language
    ///
    /// The spoken language. Leave empty to detect it.
    pub language: Option<TranscriptionLanguage>,
    /// Temperature
    ///
    /// How freely the model guesses, 0 to 1. Default 0.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub temperature: Option<f64>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
}

/// What was said.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateTranscriptionResponse {
    /// Text
    ///
    /// What was said.
    pub text: String,
    /// Language
    ///
    /// The language that was spoken.
    pub language: Option<String>,
    /// Duration
    ///
    /// The length of the sound in seconds.
    pub duration: Option<f64>,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// Create transcription
///
/// Turns the speech in an audio file into text and returns it with its cost.
#[utoipa::path(
    operation_id = "CreateTranscription", tag = "Media",
    request_body(content = CreateTranscriptionRequest, description = "The sound to be written down."),
    responses((status = 200, description = "What was said.", body = CreateTranscriptionResponse), GoesOn, ActionErrors)
)]
#[post("/audio/transcriptions")]
pub(crate) async fn create_transcription(
    call: Generate<CreateTranscription>,
) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct CreateTranscription;

impl Generation for CreateTranscription {
    const OPERATION: &'static str = "CreateTranscription";
    type Input = CreateTranscriptionRequest;
    type Prepared = TranscriptionRequest;
    type Output = CreateTranscriptionResponse;

    async fn prepare(_: &Services, request: Self::Input) -> Result<Self::Prepared> {
        into_upstream(request)
    }

    async fn run(run: Run, upstream: Self::Prepared) -> Result<Self::Output> {
        let answer = run.services.openrouter.transcribe(&run.key, &upstream);
        Ok(CreateTranscriptionResponse::from_upstream(
            answer.await?,
            upstream,
        ))
    }

    fn background(request: &Self::Input) -> bool {
        request.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        CreateTranscriptionResponse {
            text: String::new(),
            language: None,
            duration: None,
            facts: CallFacts::running(job_id),
        }
    }
}

fn into_upstream(request: CreateTranscriptionRequest) -> Result<TranscriptionRequest> {
    let file = request.file.load("file")?;
    // WebM and MP4 hold film or sound alike; a transcription takes the sound.
    let audio = match file.extension.as_str() {
        "mp4" if file.kind == FileKind::Video => file.with_extension("m4a"),
        "weba" => file.with_extension("webm"),
        _ => file,
    };
    let known = FORMATS.contains(&audio.extension.as_str());
    if !known || !matches!(audio.kind, FileKind::Audio | FileKind::Video) {
        return Err(Error::invalid(
            "file",
            format!(
                "file is {}, and must be one of {}.",
                audio.extension,
                FORMATS.join(", ")
            ),
        ));
    }
    Ok(TranscriptionRequest {
        model: request.model,
        input_audio: audio.into_audio()?,
        language: request.language.map(|language| language.sent().to_owned()),
        temperature: request.temperature,
    })
}

impl CreateTranscriptionResponse {
    fn from_upstream(answer: TranscriptionResponse, request: TranscriptionRequest) -> Self {
        Self {
            text: answer.text.unwrap_or_default(),
            language: answer.language.or(request.language),
            duration: answer.duration.or(answer.usage.seconds),
            facts: CallFacts::completed(answer.id, request.model, answer.usage.cost, Vec::new()),
        }
    }
}
