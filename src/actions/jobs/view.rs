//! A job as its actions show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::jobs::{JobState, JobView};

/// Which job.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// Job ID
    ///
    /// The id of the job, from the answer of the action that started it.
    #[validate(length(min = 1, max = 100))]
    #[param(min_length = 1, max_length = 100)]
    pub job_id: String,
}

/// A background job.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct JobStatus {
    /// Status
    ///
    /// The state of the job: running, succeeded, failed or cancelled.
    pub status: String,
    /// Text
    ///
    /// The answer's text, if it has one.
    pub text: Option<String>,
    /// Result JSON
    ///
    /// The whole answer as JSON text, once the job succeeded.
    pub result_json: Option<String>,
    /// Error Code
    ///
    /// The code of the error, if the job failed.
    pub error_code: Option<String>,
    /// Error Message
    ///
    /// What went wrong, if the job failed.
    pub error_message: Option<String>,
    /// Operation
    ///
    /// The action that started the job.
    pub operation: String,
    /// Created At
    ///
    /// When the job began (UTC).
    pub created_at: String,
    /// Finished At
    ///
    /// When the job ended (UTC).
    pub finished_at: Option<String>,
    /// Job ID
    ///
    /// The id of the job.
    pub job_id: String,
}

impl JobStatus {
    /// The status of the job `job_id`.
    #[must_use]
    pub fn of(job_id: String, view: &JobView) -> Self {
        let outcome = view.outcome.as_ref();
        let body: Value = outcome
            .and_then(|outcome| serde_json::from_slice(&outcome.body).ok())
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let succeeded = view.state == JobState::Succeeded;
        let status = match view.state {
            JobState::Running => "running",
            JobState::Succeeded => "succeeded",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        };
        Self {
            status: status.to_owned(),
            text: text(&body["text"])
                .or_else(|| text(&body["content"]))
                .filter(|_| succeeded),
            result_json: outcome
                .filter(|_| succeeded)
                .map(|outcome| String::from_utf8_lossy(&outcome.body).into_owned()),
            error_code: text(&body["error"]["code"]),
            error_message: text(&body["error"]["message"]),
            operation: view.operation.clone(),
            created_at: moment(view.created_at),
            finished_at: view.finished_at.map(moment),
            job_id,
        }
    }
}

/// Milliseconds since 1970 as ISO 8601 in UTC.
fn moment(millis: i64) -> String {
    let since = std::time::Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since).to_string()
}
