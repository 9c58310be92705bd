//! Get video: the state of a film, and the film itself when it is ready.

use actix_web::{HttpRequest, get, web::Data};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    actions::file::FileOutput,
    endpoint::{ActionErrors, Answer, Path, PublicAddress, Services, generate::link},
    error::Result,
    openrouter::{ApiKey, videos::VideoJob},
    telemetry,
};

/// Which film.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Path)]
pub struct GetVideoPath {
    /// Video ID
    ///
    /// The id of the video, from Create video.
    #[validate(length(min = 1, max = 256))]
    #[param(min_length = 1, max_length = 256)]
    pub video_id: String,
}

/// A film and its state.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct GetVideoResponse {
    /// Status
    ///
    /// The state of the video: running, completed, failed, cancelled or expired.
    pub status: String,
    /// Video
    ///
    /// The video; missing until it is completed.
    pub video: Option<FileOutput>,
    /// Error Message
    ///
    /// Why there is no video.
    pub error_message: Option<String>,
    /// Cost
    ///
    /// What the video cost, in USD; missing until it is known.
    pub cost: Option<f64>,
    /// Video ID
    ///
    /// The id of the video.
    pub video_id: String,
    /// ID
    ///
    /// The id of the generation; Get generation takes it.
    pub id: Option<String>,
}

/// Get video
///
/// Returns the status of a video from Create video, and the file when it is completed. While it is running, call it again after 30 seconds.
#[utoipa::path(
    operation_id = "GetVideo", tag = "Media",
    params(GetVideoPath),
    responses((status = 200, description = "The video and its state.", body = GetVideoResponse), ActionErrors)
)]
#[get("/videos/{video_id}")]
pub(crate) async fn get_video(
    http: HttpRequest,
    services: Data<Services>,
    key: ApiKey,
    Path(path): Path<GetVideoPath>,
) -> Result<Answer<GetVideoResponse>> {
    let job = services.openrouter.video(&key, &path.video_id).await?;
    let video = if job.status.as_deref() == Some("completed") {
        let (bytes, kind) = services
            .openrouter
            .video_content(&key, &path.video_id)
            .await?;
        let mut video = FileOutput::from_bytes(&bytes, Some(&kind), "video");
        link(
            &services.links,
            &PublicAddress::base(&http),
            vec![&mut video],
        )
        .await;
        Some(video)
    } else {
        None
    };
    Ok(Answer(GetVideoResponse::from_upstream(
        job,
        path.video_id,
        video,
    )))
}

impl GetVideoResponse {
    fn from_upstream(job: VideoJob, video_id: String, video: Option<FileOutput>) -> Self {
        telemetry::note(|call| call.cost = job.usage.cost);
        // A word of upstream that is new counts as running.
        let ended = ["completed", "failed", "cancelled", "expired"];
        let status = job
            .status
            .as_deref()
            .filter(|status| ended.contains(status));
        let status = status.unwrap_or("running");
        Self {
            status: status.to_owned(),
            video,
            error_message: job.error,
            cost: job.usage.cost,
            video_id,
            id: job.generation_id,
        }
    }
}
