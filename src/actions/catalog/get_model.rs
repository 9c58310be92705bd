//! Get model: one model of the catalogue.

use actix_web::{get, web::Data};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    choices::{AUTHORS, SLUGS},
    row::ModelRow,
};
use crate::{
    endpoint::{ActionErrors, Answer, Overlay, Path, Services, overlay::At},
    error::{Error, Kind, Result},
    openrouter::ApiKey,
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay {
        at: At::Parameter("GetModel", "author"),
        set: &[AUTHORS],
    },
    Overlay {
        at: At::Parameter("GetModel", "slug"),
        set: &[SLUGS],
    },
];

/// Which model.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Path)]
pub struct GetModelPath {
    /// Author
    ///
    /// The author of the model: the first part of its id.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    pub author: String,
    /// Slug
    ///
    /// The second part of the model's id, after the slash, such as gpt-4o or gpt-4o:free.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    pub slug: String,
}

/// Get model
///
/// Returns one model of OpenRouter with its prices and abilities.
#[utoipa::path(
    operation_id = "GetModel", tag = "Models",
    params(GetModelPath),
    responses((status = 200, description = "The model.", body = ModelRow), ActionErrors)
)]
#[get("/model/{author}/{slug}")]
pub(crate) async fn get_model(
    services: Data<Services>,
    key: ApiKey,
    Path(path): Path<GetModelPath>,
) -> Result<Answer<ModelRow>> {
    let model = services
        .openrouter
        .model(&key, &path.author, &path.slug)
        .await?;
    if model.id.is_none() {
        return Err(Error::new(Kind::NotFound, "OpenRouter has no such model."));
    }
    Ok(Answer(ModelRow::of(&model)))
}
