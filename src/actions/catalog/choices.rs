//! The designer's dropdowns: short lists of ids and readable names, from the cached catalogue.

use std::{collections::BTreeSet, fmt::Write as _};

use actix_web::{
    HttpResponse, get,
    http::StatusCode,
    web::{Bytes, Data},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use super::{
    filter::{ModelFilter, OutputModality},
    row::{is_free, per_million},
};
use crate::{
    actions::choice::{ChoiceRow, Choices},
    catalog::Snapshot,
    endpoint::{
        ActionErrors, Answer, Query, Services, json,
        overlay::{Dropdown, Set, Source},
        written,
    },
    error::Result,
    openrouter::{ApiKey, models::Model},
};

/// A dropdown of authors.
pub(crate) const AUTHORS: Set = Set::Dropdown(Dropdown {
    operation: "ListAuthorChoices",
    parameters: &[],
});

/// A dropdown of one author's models.
pub(crate) const SLUGS: Set = Set::Dropdown(Dropdown {
    operation: "ListSlugChoices",
    parameters: &[("author", Source::Parameter("author"))],
});

/// The model that chooses a model; it stands first in its dropdown.
const AUTO: &str = "openrouter/auto";

/// The most entries of a dropdown; more make the designer slow.
const MAX_CHOICES: usize = 1000;

/// Which models are offered.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ModelChoicesQuery {
    /// Output Modality
    ///
    /// Only models that give this. Default text.
    pub output_modality: Option<OutputModality>,
    /// Supported Parameters
    ///
    /// Only models that support all of these options, separated by commas.
    #[validate(length(max = 1000))]
    #[param(max_length = 1000)]
    pub supported_parameters: Option<String>,
    /// Search
    ///
    /// Only models whose name or id contains this text.
    #[validate(length(max = 200))]
    #[param(max_length = 200)]
    pub search: Option<String>,
}

/// Whose models are offered.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SlugChoicesQuery {
    /// Author
    ///
    /// The author of the models: the first part of their ids.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    pub author: String,
}

/// List model choices
///
/// Returns the models for a dropdown, with their prices and context lengths.
#[utoipa::path(
    operation_id = "ListModelChoices", tag = "Choices",
    params(ModelChoicesQuery),
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/models")]
pub(crate) async fn list_model_choices(
    services: Data<Services>,
    _key: ApiKey,
    Query(query): Query<ModelChoicesQuery>,
) -> Result<HttpResponse> {
    let snapshot = services.catalog.get().await?;
    let filter = ModelFilter {
        output_modality: query.output_modality,
        supported_parameters: query.supported_parameters,
        search: query.search,
        ..ModelFilter::default()
    };
    let body = snapshot.page(filter.page_key("choices"), || {
        write_page(&filter, &snapshot)
    });
    Ok(json(StatusCode::OK, body))
}

/// List author choices
///
/// Returns the authors of models for a dropdown.
#[utoipa::path(
    operation_id = "ListAuthorChoices", tag = "Choices",
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/authors")]
pub(crate) async fn list_author_choices(
    services: Data<Services>,
    _key: ApiKey,
) -> Result<Answer<Choices>> {
    let snapshot = services.catalog.get().await?;
    let mut authors: Vec<_> = ids(&snapshot).map(|(author, _)| author).collect();
    authors.sort_unstable();
    authors.dedup();
    Ok(Answer(Choices {
        value: authors.into_iter().map(same).collect(),
    }))
}

/// List slug choices
///
/// Returns the models of one author for a dropdown.
#[utoipa::path(
    operation_id = "ListSlugChoices", tag = "Choices",
    params(SlugChoicesQuery),
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/slugs")]
pub(crate) async fn list_slug_choices(
    services: Data<Services>,
    _key: ApiKey,
    Query(query): Query<SlugChoicesQuery>,
) -> Result<Answer<Choices>> {
    let snapshot = services.catalog.get().await?;
    let of_author = ids(&snapshot).filter(|(author, _)| *author == query.author);
    let mut slugs: Vec<_> = of_author.map(|(_, slug)| slug).collect();
    slugs.sort_unstable();
    Ok(Answer(Choices {
        value: slugs.into_iter().map(same).collect(),
    }))
}

/// List supported parameters
///
/// Returns the options that models may support for a dropdown.
#[utoipa::path(
    operation_id = "ListSupportedParameters", tag = "Choices",
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/parameters")]
pub(crate) async fn list_supported_parameters(
    services: Data<Services>,
    _key: ApiKey,
) -> Result<Answer<Choices>> {
    let snapshot = services.catalog.get().await?;
    let all = snapshot
        .models()
        .iter()
        .flat_map(|model| &model.supported_parameters);
    let names: BTreeSet<_> = all.collect();
    let value = names.into_iter().map(|id| ChoiceRow {
        id: id.clone(),
        name: in_words(id),
    });
    Ok(Answer(Choices {
        value: value.collect(),
    }))
}

/// List provider choices
///
/// Returns the providers for a dropdown.
#[utoipa::path(
    operation_id = "ListProviderChoices", tag = "Choices",
    responses((status = 200, description = "The entries.", body = Choices), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/choices/providers")]
pub(crate) async fn list_provider_choices(
    services: Data<Services>,
    key: ApiKey,
) -> Result<Answer<Choices>> {
    let providers = services.openrouter.providers(&key).await?;
    let mut value: Vec<_> = providers
        .into_iter()
        .filter_map(|provider| {
            let id = provider.slug?;
            Some(ChoiceRow {
                name: provider.name.unwrap_or_else(|| id.clone()),
                id,
            })
        })
        .collect();
    value.sort_by_key(|choice| choice.name.to_lowercase());
    Ok(Answer(Choices { value }))
}

fn write_page(filter: &ModelFilter, snapshot: &Snapshot) -> Bytes {
    let (mut models, _) = filter.apply(snapshot.models());
    models.sort_by_cached_key(|model| {
        let id = model.id.clone().unwrap_or_default();
        let author = id
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_start_matches('~')
            .to_owned();
        (
            id != AUTO,
            author,
            model.name.clone().unwrap_or_default().to_lowercase(),
            id,
        )
    });
    let value = models.into_iter().take(MAX_CHOICES).map(choice).collect();
    written(&Choices { value }).unwrap_or_default()
}

fn choice(model: &Model) -> ChoiceRow {
    let id = model.id.clone().unwrap_or_default();
    let mut name = model
        .name
        .as_deref()
        .map_or(id.as_str(), str::trim)
        .to_owned();
    let pricing = &model.pricing;
    match (pricing.prompt_price(), pricing.completion_price()) {
        _ if is_free(model) => name.push_str(" - free"),
        (Some(prompt), Some(completion)) if prompt <= 0.0 && completion <= 0.0 => {
            name.push_str(" - priced per use");
        }
        (Some(prompt), Some(completion)) => {
            let (prompt, completion) = (per_million(prompt), per_million(completion));
            let _ = if completion <= 0.0 {
                write!(name, " - ${prompt} per million in")
            } else {
                write!(name, " - ${prompt} in / ${completion} out per million")
            };
        }
        _ => name.push_str(" - price varies"),
    }
    if let Some(length) = model.context_length.filter(|length| *length > 0) {
        name.push_str(" - ");
        name.push_str(&short(length));
    }
    ChoiceRow { id, name }
}

/// A number of tokens as people say it: 400K, 1M, 1.5M.
fn short(tokens: i64) -> String {
    if tokens >= 1_000_000 {
        let tenths = tokens / 100_000;
        return if tenths % 10 == 0 {
            format!("{}M", tenths / 10)
        } else {
            format!("{}.{}M", tenths / 10, tenths % 10)
        };
    }
    if tokens >= 1000 {
        format!("{}K", tokens / 1000)
    } else {
        tokens.to_string()
    }
}

/// The two parts of every model's id.
fn ids(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &str)> {
    snapshot
        .models()
        .iter()
        .filter_map(|model| model.id.as_deref()?.split_once('/'))
}

/// `max_tokens` as "Max tokens".
fn in_words(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn same(text: &str) -> ChoiceRow {
    ChoiceRow {
        id: text.to_owned(),
        name: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_say_them() {
        for (tokens, text) in [
            (512, "512"),
            (4096, "4K"),
            (400_000, "400K"),
            (1_048_576, "1M"),
            (1_500_000, "1.5M"),
        ] {
            assert_eq!(short(tokens), text);
        }
    }

    #[test]
    fn an_entry_says_what_the_model_costs_and_holds() {
        let mut model: Model = serde_json::from_value(serde_json::json!({
            "id": "openai/gpt-5", "name": "OpenAI: GPT-5 ", "context_length": 400_000,
            "pricing": {"prompt": "0.00000125", "completion": "0.00001"},
        }))
        .unwrap();
        assert_eq!(
            choice(&model).name,
            "OpenAI: GPT-5 - $1.25 in / $10 out per million - 400K"
        );
        model.pricing.prompt = Some("-1".to_owned());
        assert_eq!(choice(&model).name, "OpenAI: GPT-5 - price varies - 400K");
    }
}
