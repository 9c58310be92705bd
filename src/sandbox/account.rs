//! The account behind the key: credits, the key itself, and what single calls were.

use std::collections::HashMap;

use actix_web::web::{self, Data, Json, Query, ServiceConfig};
use serde_json::{Value, json};

use super::errors::Refusal;
use super::incoming::{Caller, ManagementCaller, invalid};
use super::usage::rounded;
use super::{State, lock};

/// What the account is said to have spent before this process began.
const SPENT_BEFORE: f64 = 25.75;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/credits", web::get().to(credits))
        .route("/key", web::get().to(key))
        .route("/generation", web::get().to(generation))
        .route("/generation/content", web::get().to(content));
}

/// `GET /credits`: what calls cost here is taken off.
async fn credits(_: ManagementCaller, state: Data<State>) -> Json<Value> {
    let spent = lock(&state.generations).spent();
    Json(json!({ "data": {
        "total_credits": 100.5,
        "total_usage": rounded(SPENT_BEFORE + spent),
    } }))
}

/// `GET /key`.
async fn key(caller: Caller, state: Data<State>) -> Json<Value> {
    let spent = rounded(lock(&state.generations).spent());
    // Keys of the sandbox have a limit and the others have none: both are seen.
    let limit = caller.sandbox.then_some(100.0);
    Json(json!({ "data": {
        "label": "sk-or-v1-san...box",
        "limit": limit,
        "limit_remaining": limit.map(|limit| rounded(limit - SPENT_BEFORE - spent)),
        "limit_reset": limit.map(|_| "monthly"),
        "include_byok_in_limit": false,
        "usage": rounded(SPENT_BEFORE + spent),
        "usage_daily": spent,
        "usage_weekly": spent,
        "usage_monthly": rounded(SPENT_BEFORE + spent),
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "is_free_tier": false,
        "is_management_key": caller.management,
        "is_provisioning_key": caller.management,
        "creator_user_id": null,
        "expires_at": null,
        "rate_limit": {
            "requests": -1,
            "interval": "10s",
            "note": "This field is deprecated and safe to ignore.",
        },
    } }))
}

/// `GET /generation?id=`.
async fn generation(
    _: Caller,
    asked: Query<HashMap<String, String>>,
    state: Data<State>,
) -> Result<Json<Value>, Refusal> {
    let id = asked.get("id").ok_or_else(|| invalid("id", "Required"))?;
    let generations = lock(&state.generations);
    let record = generations.find(id).cloned();
    record
        .map(|record| Json(json!({ "data": record })))
        .ok_or_else(|| Refusal::new(404, format!("Generation {id} not found")))
}

/// `GET /generation/content`: the account does not keep what was said.
async fn content(_: Caller) -> Result<Json<Value>, Refusal> {
    Err(Refusal::new(
        404,
        "Content is not available for this generation",
    ))
}
