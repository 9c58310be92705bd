//! When a job finishes: a flow subscribes, and is called for each job of its connection that ends.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::LOCATION,
    post,
    web::{Bytes, Data},
};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    actions::jobs::view::JobStatus,
    endpoint::{
        ActionErrors, Body, Overlay, PublicAddress, Services, json,
        overlay::{At, Set},
        written,
    },
    error::Result,
    openrouter::ApiKey,
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "WhenAJobFinishesRequest",
        "callback_url",
        &[Set::NotificationUrl],
    ),
    Overlay {
        at: At::PathItem("WhenAJobFinishes"),
        set: &[Set::Notification("JobEvent", "The job that finished.")],
    },
];

/// The subscription that is asked for.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WhenAJobFinishesRequest {
    /// Callback URL
    ///
    /// The https address that is called when a job finishes. The platform fills it in.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub callback_url: String,
}

/// Who knows the URL can start the flow, so it is not shown.
impl fmt::Debug for WhenAJobFinishesRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenAJobFinishesRequest")
            .finish_non_exhaustive()
    }
}

/// The subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhenAJobFinishesResponse {
    /// ID
    ///
    /// The id of the subscription.
    pub id: String,
}

/// A job that finished, as it is sent to who waits for it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct JobEvent {
    /// Job ID
    ///
    /// The id of the job. Get job takes it.
    pub job_id: String,
    /// Status
    ///
    /// How the job ended: succeeded, failed or cancelled.
    pub status: String,
    /// Operation
    ///
    /// The action that ran as a job, such as Ask.
    pub operation: String,
    /// Text
    ///
    /// The text of the answer, if it has one of at most 262,144 bytes. Get job returns longer ones.
    pub text: Option<String>,
    /// Error Code
    ///
    /// The stable code of the error, if the job failed.
    pub error_code: Option<String>,
    /// Error Message
    ///
    /// What went wrong, in one sentence, if the job failed.
    pub error_message: Option<String>,
    /// Created At
    ///
    /// When the job began, in UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Finished At
    ///
    /// When the job ended, in UTC.
    #[schema(format = DateTime)]
    pub finished_at: String,
}

impl JobEvent {
    /// The event that tells of a job that has ended.
    #[must_use]
    pub fn of(job: JobStatus) -> Self {
        Self {
            job_id: job.job_id,
            status: job.status,
            operation: job.operation,
            text: job.text,
            error_code: job.error_code,
            error_message: job.error_message,
            created_at: job.created_at,
            finished_at: job.finished_at.unwrap_or_default(),
        }
    }

    /// The longest text that is sent, in bytes.
    const MAX_TEXT: usize = 256 * 1024;

    /// The event as JSON, without a text that is too long to be sent.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`](crate::error::Kind::Internal) if it cannot be written, which no event is
    /// known to do.
    pub fn into_json(mut self) -> Result<Bytes> {
        self.text = self.text.filter(|text| text.len() <= Self::MAX_TEXT);
        written(&self)
    }
}

/// When a job finishes
///
/// This operation triggers when a job of this connection succeeds, fails or is cancelled.
#[utoipa::path(
    operation_id = "WhenAJobFinishes", tag = "Triggers",
    request_body(content = WhenAJobFinishesRequest, description = "Where the job is told."),
    responses(
        (
            status = 201, description = "The subscription.", body = WhenAJobFinishesResponse,
            headers(("Location" = String, description = "The address that ends the subscription when it is called with DELETE."))
        ),
        ActionErrors
    ),
    extensions(
        ("x-ms-trigger" = json!("single")),
        ("x-ms-trigger-hint" = json!("To see it work now, start a job, such as with Create video."))
    )
)]
#[post("/hooks/jobs")]
pub(crate) async fn when_a_job_finishes(
    http: HttpRequest,
    services: Data<Services>,
    key: ApiKey,
    Body(request): Body<WhenAJobFinishesRequest>,
) -> Result<HttpResponse> {
    // Only a key that OpenRouter knows runs jobs. Others would wait for nothing, and anybody could
    // fill the store with them.
    services.openrouter.key(&key).await?;
    let id = services
        .hooks
        .subscribe(&key, &request.callback_url)
        .await?;
    let location = format!("{}/v1/hooks/jobs/{id}", PublicAddress::base(&http));
    let mut answer = json(
        actix_web::http::StatusCode::CREATED,
        written(&WhenAJobFinishesResponse { id })?,
    );
    if let Ok(location) = location.parse() {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_no_nulls_and_no_text_that_is_too_long() {
        let event = |length: usize| JobEvent {
            job_id: "j".to_owned(),
            text: Some("a".repeat(length)),
            ..JobEvent::default()
        };
        let read = |event: JobEvent| {
            let json = event.into_json().unwrap();
            serde_json::from_slice::<serde_json::Value>(&json).unwrap()
        };
        let longest = read(event(JobEvent::MAX_TEXT));
        assert_eq!(longest["text"].as_str().unwrap().len(), JobEvent::MAX_TEXT);
        let longer = read(event(JobEvent::MAX_TEXT + 1));
        let keys: Vec<_> = longer.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["job_id", "status", "operation", "created_at", "finished_at"]
        );
    }

    #[test]
    fn a_subscription_does_not_print_its_url() {
        let request = WhenAJobFinishesRequest {
            callback_url: "https://hush.logic.azure.com".to_owned(),
        };
        assert!(!format!("{request:?}").contains("hush"));
    }
}
