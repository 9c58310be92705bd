//! Get key: what the connection's own key may use and has used.

use actix_web::{get, web::Data};
use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::{
    endpoint::{ActionErrors, Answer, Services},
    error::Result,
    openrouter::{ApiKey, account::KeyFacts},
};

/// The key's limits and use.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct GetKeyResponse {
    /// Limit Remaining
    ///
    /// What the key may still use, in USD; missing if it has no limit.
    pub limit_remaining: Option<f64>,
    /// Limit
    ///
    /// What the key may use in all, in USD; missing if it has no limit.
    pub limit: Option<f64>,
    /// Limit Reset
    ///
    /// When the limit starts anew: daily, weekly or monthly; missing if never.
    pub limit_reset: Option<String>,
    /// Usage
    ///
    /// What the key has used in all, in USD.
    pub usage: Option<f64>,
    /// Usage Daily
    ///
    /// What the key has used today (UTC), in USD.
    pub usage_daily: Option<f64>,
    /// Usage Weekly
    ///
    /// What the key has used since Monday (UTC), in USD.
    pub usage_weekly: Option<f64>,
    /// Usage Monthly
    ///
    /// What the key has used this month (UTC), in USD.
    pub usage_monthly: Option<f64>,
    /// BYOK Usage
    ///
    /// What was used with your own provider keys (BYOK), in USD.
    pub byok_usage: Option<f64>,
    /// Is Free Tier
    ///
    /// Yes if the account never bought credits.
    pub is_free_tier: Option<bool>,
    /// Is Management Key
    ///
    /// Yes if it is a management key, which cannot call models.
    pub is_management_key: Option<bool>,
    /// Label
    ///
    /// The key with most of it hidden.
    pub label: Option<String>,
    /// Expires At
    ///
    /// When the key stops working; missing if never.
    pub expires_at: Option<String>,
}

/// Get key
///
/// Returns what the connection's key may still use and has used, in USD. It works with every key, so it also tests a connection.
#[utoipa::path(
    operation_id = "GetKey", tag = "Account",
    responses((status = 200, description = "The key's limits and use.", body = GetKeyResponse), ActionErrors)
)]
#[get("/key")]
pub(crate) async fn get_key(
    services: Data<Services>,
    key: ApiKey,
) -> Result<Answer<GetKeyResponse>> {
    let facts = services.openrouter.key(&key).await?;
    Ok(Answer(GetKeyResponse::from_upstream(facts)))
}

impl GetKeyResponse {
    fn from_upstream(facts: KeyFacts) -> Self {
        Self {
            limit_remaining: facts.limit_remaining,
            limit: facts.limit,
            limit_reset: facts.limit_reset,
            usage: facts.usage,
            usage_daily: facts.usage_daily,
            usage_weekly: facts.usage_weekly,
            usage_monthly: facts.usage_monthly,
            byok_usage: facts.byok_usage,
            is_free_tier: facts.is_free_tier,
            is_management_key: facts.is_management_key,
            label: facts.label,
            expires_at: facts.expires_at,
        }
    }
}
