//! Get job result: the address that the platform polls by itself until a job has its answer.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde_json::json;

use super::view::JobPath;
use crate::{
    endpoint::{
        ActionErrors, GoesOn, Path, Services,
        generate::{answered, goes_on},
    },
    error::Result,
};

/// Get job result
///
/// Returns what the action would have answered, once the job has it. The platform asks for it by itself; makers use Get job.
#[utoipa::path(
    operation_id = "GetJobResult", tag = "Jobs",
    params(JobPath),
    responses(
        (status = 200, description = "What the action would have answered.", body = BTreeMap<String, Value>),
        GoesOn,
        ActionErrors
    ),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/jobs/{job_id}/result")]
pub(crate) async fn get_job_result(
    http: HttpRequest,
    services: Data<Services>,
    Path(path): Path<JobPath>,
) -> Result<HttpResponse> {
    if let Some(outcome) = services.jobs.outcome(&path.job_id).await? {
        return Ok(answered(&outcome));
    }
    let body = json!({"status": "running", "job_id": path.job_id}).to_string();
    Ok(goes_on(&http, &path.job_id, body.into()))
}
