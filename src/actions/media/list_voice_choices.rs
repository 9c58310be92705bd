//! List voice choices: the voices of a speech model, for a dropdown.

use actix_web::{get, web::Data};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    actions::choice::{ChoiceRow, Choices},
    endpoint::{ActionErrors, Answer, Query, Services},
    error::Result,
    openrouter::ApiKey,
};

/// Whose voices are offered.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VoiceChoicesQuery {
    /// Model
    ///
    /// The model that speaks.
    #[validate(length(min = 1, max = 256))]
    #[param(min_length = 1, max_length = 256)]
    pub model: String,
}

/// List voice choices
///
/// Returns the voices of a speech model for a dropdown.
#[utoipa::path(
    operation_id = "ListVoiceChoices", tag = "Choices",
    params(VoiceChoicesQuery),
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/voices")]
pub(crate) async fn list_voice_choices(
    services: Data<Services>,
    _key: ApiKey,
    Query(query): Query<VoiceChoicesQuery>,
) -> Result<Answer<Choices>> {
    let snapshot = services.catalog.get().await?;
    let voices = snapshot
        .model(&query.model)
        .map(|model| model.supported_voices.clone());
    let value = voices
        .unwrap_or_default()
        .into_iter()
        .map(|voice| ChoiceRow {
            name: voice.clone(),
            id: voice,
        })
        .collect();
    Ok(Answer(Choices { value }))
}
