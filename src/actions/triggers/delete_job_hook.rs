//! Delete job hook: ends the subscription of a flow that no longer waits for jobs.

use actix_web::{delete, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    endpoint::{ActionErrors, Answer, Path, Services},
    error::Result,
    openrouter::ApiKey,
};

/// Which subscription.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Path)]
pub struct DeleteJobHookPath {
    /// ID
    ///
    /// The id of the subscription.
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64)]
    pub id: String,
}

/// The subscription that has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeleteJobHookResponse {
    /// ID
    ///
    /// The id of the subscription.
    pub id: String,
}

/// Delete job hook
///
/// Ends the subscription of a flow. The platform calls it when the flow is changed, turned off or deleted.
#[utoipa::path(
    operation_id = "DeleteJobHook", tag = "Triggers",
    params(DeleteJobHookPath),
    responses((status = 200, description = "The subscription has ended.", body = DeleteJobHookResponse), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[delete("/hooks/jobs/{id}")]
pub(crate) async fn delete_job_hook(
    services: Data<Services>,
    key: ApiKey,
    Path(path): Path<DeleteJobHookPath>,
) -> Result<Answer<DeleteJobHookResponse>> {
    services.hooks.unsubscribe(&key, &path.id).await?;
    Ok(Answer(DeleteJobHookResponse { id: path.id }))
}
