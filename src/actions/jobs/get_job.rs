//! Get job: the state of a background job, and its answer.

use actix_web::{get, web::Data};

use super::view::{JobPath, JobStatus};
use crate::{
    endpoint::{ActionErrors, Answer, Path, Services},
    error::Result,
    openrouter::ApiKey,
};

/// Get job
///
/// Returns the state of a background job, and its answer once there is one. It never fails because the job failed.
#[utoipa::path(
    operation_id = "GetJob", tag = "Jobs",
    params(JobPath),
    responses((status = 200, description = "The job.", body = JobStatus), ActionErrors)
)]
#[get("/jobs/{job_id}")]
pub(crate) async fn get_job(
    services: Data<Services>,
    _key: ApiKey,
    Path(path): Path<JobPath>,
) -> Result<Answer<JobStatus>> {
    let view = services.jobs.view(&path.job_id).await?;
    Ok(Answer(JobStatus::of(path.job_id, &view)))
}
