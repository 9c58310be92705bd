//! Create video: words and pictures in, a film made in the background.

use std::time::Duration;

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    actions::{
        facts::CallFacts,
        file::{FileInput, FileOutput, Kind as FileKind},
    },
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services, choices,
        overlay::{Dropdown, Set, Source},
    },
    error::{Error, Kind, Result},
    jobs::Step,
    openrouter::{
        chat::Url,
        videos::{FrameImage, VideoJob, VideoRequest},
    },
};

/// The step that is paid for.
const START: &str = "start";

/// The shortest and the longest time between two questions for the state of a film.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "CreateVideoRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("video"))],
        })],
    ),
    Overlay::names("VideoResolution", &[Set::Names(VideoResolution::NAMES)]),
    Overlay::names("VideoAspectRatio", &[Set::Names(VideoAspectRatio::NAMES)]),
    Overlay::property("CreateVideoRequest", "first_frame", &[Set::Advanced]),
    Overlay::property("CreateVideoRequest", "last_frame", &[Set::Advanced]),
    Overlay::property("CreateVideoRequest", "seed", &[Set::Advanced]),
];

/// The film that is asked for.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "google/veo-3.1", "prompt": "Waves on a beach", "duration": 8}))]
pub struct CreateVideoRequest {
    /// Model
    ///
    /// The model that makes the video. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Prompt
    ///
    /// What the video should show. Prompt, First Frame or Last Frame is needed.
    pub prompt: Option<String>,
    /// Duration
    ///
    /// The length of the video in seconds, 1 or more. Each model has its own choices.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub duration: Option<u32>,
    /// Resolution
    ///
    /// How fine the video is.
    pub resolution: Option<VideoResolution>,
    /// Aspect Ratio
    ///
    /// The video's width to its height.
    pub aspect_ratio: Option<VideoAspectRatio>,
    /// Generate Audio
    ///
    /// Yes for a video with sound, for models that support it.
    pub generate_audio: Option<bool>,
    /// First Frame
    ///
    /// The image that the video starts with.
    #[validate(nested)]
    pub first_frame: Option<FileInput>,
    /// Last Frame
    ///
    /// The image that the video ends with.
    #[validate(nested)]
    pub last_frame: Option<FileInput>,
    /// Seed
    ///
    /// A whole number that makes videos repeatable, for models that support it.
    pub seed: Option<i64>,
}

choices! {
    /// How fine the video is.
    VideoResolution {
        P480 = "480p" "480p", P720 = "720p" "720p (HD)", P768 = "768p" "768p",
        P1080 = "1080p" "1080p (Full HD)", K1 = "1K" "1K", K2 = "2K" "2K", K4 = "4K" "4K",
    }
    /// The video's width to its height.
    VideoAspectRatio {
        R16x9 = "16:9" "16:9 (screen)", R9x16 = "9:16" "9:16 (phone)", R1x1 = "1:1" "1:1 (square)",
        R4x3 = "4:3" "4:3", R3x4 = "3:4" "3:4", R3x2 = "3:2" "3:2", R2x3 = "2:3" "2:3",
        R21x9 = "21:9" "21:9 (wide)", R9x21 = "9:21" "9:21",
    }
}

/// The film that is being made.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateVideoResponse {
    /// Video
    ///
    /// The video.
    pub video: Option<FileOutput>,
    /// Video ID
    ///
    /// OpenRouter's id of the video; Get video takes it.
    pub video_id: Option<String>,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// Create video
///
/// Starts making a video from a description and returns its id at once. Then use Get video until its status is not running.
#[utoipa::path(
    operation_id = "CreateVideo", tag = "Media",
    request_body(content = CreateVideoRequest, description = "The video that is asked for."),
    responses((status = 200, description = "The video.", body = CreateVideoResponse), GoesOn, ActionErrors)
)]
#[post("/videos")]
pub(crate) async fn create_video(call: Generate<CreateVideo>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct CreateVideo;

impl Generation for CreateVideo {
    const OPERATION: &'static str = "CreateVideo";
    type Input = CreateVideoRequest;
    type Prepared = VideoRequest;
    type Output = CreateVideoResponse;

    async fn prepare(_: &Services, request: Self::Input) -> Result<Self::Prepared> {
        into_upstream(request)
    }

    async fn run(run: Run, upstream: Self::Prepared) -> Result<Self::Output> {
        let id = start(&run, &upstream).await?;
        let made = finished(&run, &id).await;
        // It is paid for, and Get video may have it later.
        let (job, video) =
            made.map_err(|error| error.adding(&format!("The video's id is {id}.")))?;
        Ok(CreateVideoResponse {
            video: Some(video),
            video_id: Some(id),
            facts: CallFacts::completed(
                job.generation_id,
                upstream.model,
                job.usage.cost,
                Vec::new(),
            ),
        })
    }

    /// A film takes minutes.
    fn background(_: &Self::Input) -> bool {
        true
    }

    fn running(job_id: String) -> Self::Output {
        CreateVideoResponse {
            video: None,
            video_id: None,
            facts: CallFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        let video = answer.video.iter_mut();
        video.map(|file| file as &mut dyn LinkedFile).collect()
    }
}

/// Has upstream begin the film, once: also when this process is the second that runs the job.
async fn start(run: &Run, request: &VideoRequest) -> Result<String> {
    match run.checkpoint.begin(START).await? {
        Step::Done(id) => return Ok(id),
        Step::Begun => {
            return Err(Error::new(
                Kind::Interrupted,
                "The service stopped while it ordered the video. It is not ordered again, because it may have been.",
            ));
        }
        Step::First => {}
    }
    let job = run.services.openrouter.start_video(&run.key, request);
    let id = job.await?.id.unwrap_or_default();
    // Only a restart needs the mark; the film itself goes on.
    run.checkpoint.done(START, &id).await;
    Ok(id)
}

/// Waits until upstream has made the film, and fetches it.
async fn finished(run: &Run, id: &str) -> Result<(VideoJob, FileOutput)> {
    let client = &run.services.openrouter;
    let mut wait = SHORTEST_WAIT;
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        let ready = async {
            let job = client.video(&run.key, id).await?;
            match job.status.as_deref() {
                Some("completed") => {
                    let (bytes, kind) = client.video_content(&run.key, id).await?;
                    let video = FileOutput::from_bytes(&bytes, Some(&kind), "video");
                    Ok(Some((job, video)))
                }
                Some("failed" | "cancelled" | "expired") => {
                    let why = job.error.as_deref().unwrap_or("no reason given");
                    Err(Error::refused("The video was not made:", why))
                }
                // A word of upstream that is new counts as running.
                _ => Ok(None),
            }
        };
        match ready.await {
            Ok(Some(ready)) => return Ok(ready),
            Ok(None) => {}
            // The film goes on at upstream, whatever became of one question about it.
            Err(error) if error.kind().retryable() => {
                tracing::warn!(detail = error.log_detail(), "a video cannot be looked up");
            }
            Err(error) => return Err(error),
        }
    }
}

fn into_upstream(request: CreateVideoRequest) -> Result<VideoRequest> {
    let mut frames = Vec::new();
    for (field, kind, file) in [
        ("first_frame", "first_frame", request.first_frame),
        ("last_frame", "last_frame", request.last_frame),
    ] {
        let Some(file) = file else { continue };
        let file = file.load(field)?;
        if file.kind != FileKind::Image {
            return Err(Error::invalid(field, format!("{field} must be an image.")));
        }
        let image_url = Url {
            url: file.into_url(),
        };
        frames.push(FrameImage {
            kind: "image_url",
            image_url,
            frame_type: kind,
        });
    }
    if request.prompt.is_none() && frames.is_empty() {
        return Err(Error::invalid(
            "prompt",
            "prompt, first_frame or last_frame is required.",
        ));
    }
    Ok(VideoRequest {
        model: request.model,
        prompt: request.prompt,
        duration: request.duration,
        resolution: request.resolution.map(VideoResolution::sent),
        aspect_ratio: request.aspect_ratio.map(VideoAspectRatio::sent),
        frame_images: frames,
        generate_audio: request.generate_audio,
        seed: request.seed,
    })
}
