//! Cancel job: ends a background job that still runs.

use actix_web::{delete, web::Data};

use super::view::{JobPath, JobStatus};
use crate::{
    endpoint::{ActionErrors, Answer, Path, Services},
    error::Result,
    openrouter::ApiKey,
};

/// Cancel job
///
/// Ends a background job that still runs, which stops the bill with providers that support it, and returns its state.
#[utoipa::path(
    operation_id = "CancelJob", tag = "Jobs",
    params(JobPath),
    responses((status = 200, description = "The job.", body = JobStatus), ActionErrors)
)]
#[delete("/jobs/{job_id}")]
pub(crate) async fn cancel_job(
    services: Data<Services>,
    _key: ApiKey,
    Path(path): Path<JobPath>,
) -> Result<Answer<JobStatus>> {
    let view = services.jobs.cancel(&path.job_id).await?;
    Ok(Answer(JobStatus::of(path.job_id, &view)))
}
