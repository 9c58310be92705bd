//! List models: the catalogue, filtered and in order.

use actix_web::{
    HttpResponse, get,
    http::StatusCode,
    web::{Bytes, Data},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{filter::ModelFilter, row::ModelRow};
use crate::{
    endpoint::{
        ActionErrors, Overlay, Query, Services, json,
        overlay::{At, Set},
        written,
    },
    error::Result,
    openrouter::{ApiKey, models::Model},
};

pub(crate) const OVERLAY: &[Overlay] = &[Overlay {
    at: At::Parameters("ListModels"),
    set: &[Set::Advanced],
}];

/// The models.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListModelsResponse {
    /// Data
    ///
    /// The models.
    pub data: Vec<ModelRow>,
    /// Total Count
    ///
    /// How many models pass the filters, before Limit and Offset.
    pub total_count: i64,
}

/// List models
///
/// Returns the models of OpenRouter with their prices and abilities. Without filters it lists every model that answers with text; in Copilot Studio set Limit, because answers there may have 500 KB.
#[utoipa::path(
    operation_id = "ListModels", tag = "Models",
    params(ModelFilter),
    responses((status = 200, description = "The models.", body = ListModelsResponse), ActionErrors)
)]
#[get("/models")]
pub(crate) async fn list_models(
    services: Data<Services>,
    key: ApiKey,
    Query(filter): Query<ModelFilter>,
) -> Result<HttpResponse> {
    let body = if let Some(query) = filter.upstream_query() {
        write(
            &filter,
            &services.openrouter.models(Some(&key), query).await?,
        )
    } else {
        let snapshot = services.catalog.get().await?;
        snapshot.page(filter.page_key("models"), || {
            write(&filter, snapshot.models())
        })
    };
    Ok(json(StatusCode::OK, body))
}

fn write(filter: &ModelFilter, models: &[Model]) -> Bytes {
    let (models, total) = filter.apply(models);
    let response = ListModelsResponse {
        data: models.into_iter().map(ModelRow::of).collect(),
        total_count: i64::try_from(total).unwrap_or(i64::MAX),
    };
    written(&response).unwrap_or_default()
}
