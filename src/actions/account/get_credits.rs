//! Get credits: what the account bought, used, and has left.

use actix_web::{get, web::Data};
use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::{
    endpoint::{ActionErrors, Answer, Services},
    error::Result,
    openrouter::{ApiKey, account::Credits},
};

/// The account's credits.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct GetCreditsResponse {
    /// Remaining
    ///
    /// The credits that are left, in USD. It can be negative.
    pub remaining: Option<f64>,
    /// Data
    ///
    /// The totals in OpenRouter's nested form.
    pub data: GetCreditsTotals,
}

/// The totals of the account.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct GetCreditsTotals {
    /// Total Credits
    ///
    /// The credits bought so far, in USD.
    pub total_credits: Option<f64>,
    /// Total Usage
    ///
    /// The credits used so far, in USD.
    pub total_usage: Option<f64>,
}

/// Get credits
///
/// Returns the credits that the account bought, used and has left, in USD. It needs a management key; Get key works with every key.
#[utoipa::path(
    operation_id = "GetCredits", tag = "Account",
    responses((status = 200, description = "The account's credits.", body = GetCreditsResponse), ActionErrors)
)]
#[get("/credits")]
pub(crate) async fn get_credits(
    services: Data<Services>,
    key: ApiKey,
) -> Result<Answer<GetCreditsResponse>> {
    let credits = services.openrouter.credits(&key).await?;
    Ok(Answer(GetCreditsResponse::from_upstream(&credits)))
}

impl GetCreditsResponse {
    fn from_upstream(credits: &Credits) -> Self {
        Self {
            remaining: credits.remaining(),
            data: GetCreditsTotals {
                total_credits: credits.total_credits,
                total_usage: credits.total_usage,
            },
        }
    }
}
