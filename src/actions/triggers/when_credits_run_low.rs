//! When credits run low: fires once each time that the credits fall below a threshold.
//!
//! Whether it has fired is the whole state: `low` while the credits are low and that has been told,
//! `armed` otherwise. A first look arms it, so credits that are low from the beginning are told at
//! the second look. A state that cannot be read counts as none.
//!
//! Only a management key may ask for the account's credits. For another key its own limit takes
//! their place.

use std::time::Duration;

use actix_web::{get, web::Data};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::poll::{NothingNew, Poll};
use crate::{
    endpoint::{
        ActionErrors, Overlay, Query, Services,
        overlay::{At, Set},
    },
    error::{Error, Kind, Result},
    openrouter::{ApiKey, Client},
};

/// Until the next look.
const WAIT: Duration = Duration::from_mins(5);

/// The state while the credits are not low, or are and nobody has been told.
const ARMED: &str = "armed";

/// The state while the credits are low and that has been told.
const LOW: &str = "low";

pub(crate) const OVERLAY: &[Overlay] = &[Overlay {
    at: At::Parameter("WhenCreditsRunLow", "state"),
    set: &[Set::Internal],
}];

/// When credits count as low, and what the last look left.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhenCreditsRunLowQuery {
    /// Threshold
    ///
    /// Fires when fewer credits than this remain, in USD; 0 or more.
    #[validate(range(min = 0.0))]
    #[param(minimum = 0)]
    pub threshold: f64,
    /// State
    ///
    /// What the last look left for this one. The platform fills it in.
    pub state: Option<String>,
}

/// Credits that are low.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct LowCredits {
    /// Remaining
    ///
    /// What is left, in USD. It can be negative.
    pub remaining: f64,
    /// Threshold
    ///
    /// The threshold of the trigger, in USD.
    pub threshold: f64,
    /// Scope
    ///
    /// Whose credits are meant: account, or key if the connection has no management key.
    pub scope: String,
    /// Total Credits
    ///
    /// The credits that the account bought so far, in USD; missing for a key.
    pub total_credits: Option<f64>,
    /// Total Usage
    ///
    /// What the account, or the key, used so far, in USD.
    pub total_usage: Option<f64>,
    /// Limit
    ///
    /// What the key may use in all, in USD; missing for an account.
    pub limit: Option<f64>,
    /// Limit Reset
    ///
    /// When the limit of the key starts anew: daily, weekly or monthly; missing if never, and for an account.
    pub limit_reset: Option<String>,
}

/// When credits run low
///
/// This operation triggers when the remaining credits fall below the threshold: once, and again only after they have been at the threshold or above. With a management key it looks at the account, with another key at the limit of that key.
#[utoipa::path(
    operation_id = "WhenCreditsRunLow", tag = "Triggers",
    params(WhenCreditsRunLowQuery),
    responses(
        (
            status = 200, description = "The credits, in a list of one.", body = Vec<LowCredits>,
            headers(
                ("Location" = String, description = "The address of the next look."),
                ("Retry-After" = i32, description = "Seconds until the next look."),
            )
        ),
        NothingNew, ActionErrors
    ),
    extensions(
        ("x-ms-trigger" = json!("batch")),
        ("x-ms-trigger-metadata" = json!({"kind": "query", "mode": "polling"})),
        ("x-ms-trigger-hint" = json!("To see it work now, set a threshold above what remains."))
    )
)]
#[get("/triggers/credits")]
pub(crate) async fn when_credits_run_low(
    services: Data<Services>,
    key: ApiKey,
    Query(request): Query<WhenCreditsRunLowQuery>,
) -> Result<Poll<LowCredits>> {
    let credits = LowCredits::ask(&services.openrouter, &key, request.threshold).await?;
    let is_low = credits.remaining < request.threshold;
    let (state, fires) = next(request.state.as_deref(), is_low);
    Ok(Poll {
        events: fires.then_some(credits).into_iter().collect(),
        state: state.to_owned(),
        wait: WAIT,
    })
}

/// The state after a look, and whether the trigger fires.
fn next(state: Option<&str>, is_low: bool) -> (&'static str, bool) {
    match (state, is_low) {
        (Some(LOW), true) => (LOW, false),
        (Some(ARMED), true) => (LOW, true),
        _ => (ARMED, false),
    }
}

impl LowCredits {
    async fn ask(client: &Client, key: &ApiKey, threshold: f64) -> Result<Self> {
        match client.credits(key).await {
            Ok(credits) => Ok(Self {
                remaining: credits.remaining().ok_or_else(unknown)?,
                threshold,
                scope: "account".to_owned(),
                total_credits: credits.total_credits,
                total_usage: credits.total_usage,
                limit: None,
                limit_reset: None,
            }),
            Err(error) if error.kind() == Kind::ManagementKeyRequired => {
                let facts = client.key(key).await?;
                Ok(Self {
                    remaining: facts.limit_remaining.ok_or_else(no_limit)?,
                    threshold,
                    scope: "key".to_owned(),
                    total_credits: None,
                    total_usage: facts.usage,
                    limit: facts.limit,
                    limit_reset: facts.limit_reset,
                })
            }
            Err(error) => Err(error),
        }
    }
}

fn unknown() -> Error {
    Error::new(
        Kind::UpstreamError,
        "OpenRouter does not say how many credits remain.",
    )
}

fn no_limit() -> Error {
    Error::new(
        Kind::ManagementKeyRequired,
        "The connection's key may not see the account's credits and has no limit of its own to look at: give the key a limit at https://openrouter.ai/keys, or use a connection with a management key.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fires_once_for_each_fall() {
        let mut state = None;
        let fired: Vec<_> = [true, true, true, false, false, true, true, false, true]
            .into_iter()
            .map(|is_low| {
                let (after, fires) = next(state, is_low);
                state = Some(after);
                fires
            })
            .collect();
        assert_eq!(
            fired,
            [false, true, false, false, false, true, false, false, true]
        );
    }

    #[test]
    fn a_state_that_cannot_be_read_is_none() {
        for is_low in [true, false] {
            assert_eq!(next(Some("rubbish"), is_low), next(None, is_low));
        }
    }
}
