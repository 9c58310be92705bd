//! Create speech: a text in, its sound out.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, CONTENT_DISPOSITION},
    post,
    web::Bytes,
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::wav;
use crate::{
    actions::{facts::CallFacts, file::FileOutput},
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services,
        overlay::{At, Dropdown, Set, Source},
    },
    error::Result,
    openrouter::{
        Stream,
        audio::{SpeechRequest, SpeechResponse},
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "CreateSpeechRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("speech"))],
        })],
    ),
    Overlay::property(
        "CreateSpeechRequest",
        "voice",
        &[Set::Dropdown(Dropdown {
            operation: "ListVoiceChoices",
            parameters: &[("model", Source::Body("model"))],
        })],
    ),
    Overlay::property("CreateSpeechRequest", "speed", &[Set::Advanced]),
    Overlay {
        at: At::Schema("SpeechFormat"),
        set: &[Set::Names(&[
            ("mp3", "MP3"),
            ("wav", "WAV"),
            ("pcm", "PCM (raw samples)"),
        ])],
    },
    Overlay::property("CreateSpeechRequest", "background_run", &[Set::Advanced]),
];

/// The text to be spoken.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/gpt-4o-mini-tts", "input": "Good morning.", "voice": "alloy"}))]
pub struct CreateSpeechRequest {
    /// Model
    ///
    /// The model that speaks. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Input
    ///
    /// The text to speak aloud.
    #[validate(length(min = 1))]
    #[schema(min_length = 1)]
    pub input: String,
    /// Voice
    ///
    /// The voice. Choose the Model first, then a voice from the list, such as alloy.
    #[validate(length(min = 1))]
    #[schema(min_length = 1)]
    pub voice: String,
    /// Response Format
    ///
    /// The type of the file. Default MP3.
    #[schema(default = "mp3")]
    pub response_format: Option<SpeechFormat>,
    /// Speed
    ///
    /// How fast the voice speaks, 0.1 to 10; 1 is normal. Only for models that support it.
    #[validate(range(min = 0.1, max = 10.0))]
    #[schema(minimum = 0.1, maximum = 10)]
    pub speed: Option<f64>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
}

/// The type of a sound file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpeechFormat {
    /// Small, plays everywhere.
    #[default]
    Mp3,
    /// Raw samples with a header, plays everywhere.
    Wav,
    /// Raw samples: 24,000 a second, 16 bits, one channel.
    Pcm,
}

/// The sound.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateSpeechResponse {
    /// The file.
    #[serde(flatten)]
    pub file: FileOutput,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// Create speech
///
/// Turns text into spoken audio and returns it as a file. Its cost is in Get generation a few seconds later.
#[utoipa::path(
    operation_id = "CreateSpeech", tag = "Media",
    request_body(content = CreateSpeechRequest, description = "The text to be spoken."),
    responses((status = 200, description = "The sound.", body = CreateSpeechResponse), GoesOn, ActionErrors)
)]
#[post("/audio/speech")]
pub(crate) async fn create_speech(call: Generate<CreateSpeech>) -> Result<HttpResponse> {
    if wants_bytes(&call.http) && !CreateSpeech::background(&call.input) {
        let format = call.input.response_format.unwrap_or_default();
        let upstream = into_upstream(call.input, format);
        let client = &call.services.openrouter;
        let sound = client.speech_stream(&call.key, &upstream).await?;
        return Ok(streamed(sound, format));
    }
    call.answer().await
}

/// The action.
pub(crate) struct CreateSpeech;

impl Generation for CreateSpeech {
    const OPERATION: &'static str = "CreateSpeech";
    type Input = CreateSpeechRequest;
    type Prepared = (SpeechRequest, SpeechFormat);
    type Output = CreateSpeechResponse;

    async fn prepare(_: &Services, request: Self::Input) -> Result<Self::Prepared> {
        let format = request.response_format.unwrap_or_default();
        Ok((into_upstream(request, format), format))
    }

    async fn run(run: Run, (upstream, format): Self::Prepared) -> Result<Self::Output> {
        let sound = run.services.openrouter.speech(&run.key, &upstream).await?;
        Ok(CreateSpeechResponse::from_upstream(
            sound,
            format,
            upstream.model,
        ))
    }

    fn background(request: &Self::Input) -> bool {
        request.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        CreateSpeechResponse {
            file: FileOutput::default(),
            facts: CallFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        vec![&mut answer.file]
    }
}

fn into_upstream(request: CreateSpeechRequest, format: SpeechFormat) -> SpeechRequest {
    SpeechRequest {
        model: request.model,
        input: request.input,
        voice: request.voice,
        response_format: match format {
            SpeechFormat::Mp3 => "mp3",
            // Upstream has no WAV; its samples get their header here.
            SpeechFormat::Wav | SpeechFormat::Pcm => "pcm",
        }
        .to_owned(),
        speed: request.speed,
    }
}

/// Whether the caller asks for the sound itself instead of JSON.
fn wants_bytes(http: &HttpRequest) -> bool {
    let accept = http
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = accept
        .split(',')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    first.starts_with("audio/") || first.starts_with("application/octet-stream")
}

impl SpeechFormat {
    fn media_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Pcm => "pcm",
        }
    }
}

impl CreateSpeechResponse {
    fn from_upstream(sound: SpeechResponse, format: SpeechFormat, model: String) -> Self {
        let mut bytes = sound.bytes;
        if format == SpeechFormat::Wav {
            let length = u32::try_from(bytes.len()).unwrap_or(wav::UNKNOWN_LENGTH);
            let mut file = wav::header(length, &sound.content_type);
            file.append(&mut bytes);
            bytes = file;
        }
        let extension = format.extension();
        Self {
            file: FileOutput::named(&bytes, format.media_type(), "speech", extension),
            facts: CallFacts::completed(sound.id, model, None, Vec::new()),
        }
    }
}

/// The sound while it arrives. A break in the middle ends the connection, so that a cut file
/// never looks complete.
fn streamed(sound: Stream, format: SpeechFormat) -> HttpResponse {
    let head = match format {
        SpeechFormat::Wav => Some(wav::header(wav::UNKNOWN_LENGTH, sound.content_type()).into()),
        SpeechFormat::Mp3 | SpeechFormat::Pcm => None,
    };
    let pieces = stream::unfold(
        (head, sound),
        |(head, mut sound): (Option<Bytes>, _)| async move {
            if let Some(head) = head {
                return Some((Ok(head), (None, sound)));
            }
            sound
                .chunk()
                .await
                .transpose()
                .map(|piece| (piece, (None, sound)))
        },
    );
    let name = format!("attachment; filename=\"speech.{}\"", format.extension());
    HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(Box::pin(pieces))
}
