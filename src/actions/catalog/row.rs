//! One model as the catalogue's actions show it.

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::openrouter::models::Model;

/// A model.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelRow {
    /// Model ID
    ///
    /// The id that other actions take as Model.
    pub id: String,
    /// Model Name
    ///
    /// The model's name.
    pub name: Option<String>,
    /// Description
    ///
    /// OpenRouter's description of the model.
    pub description: Option<String>,
    /// Pricing
    ///
    /// Prices in USD per token, as text.
    pub pricing: ModelPricing,
    /// Created
    ///
    /// When the model was added, in seconds since 1970 (UTC).
    pub created: Option<i64>,
    /// Context Length
    ///
    /// The most tokens of prompt and answer together.
    pub context_length: Option<i64>,
    /// Max Output Tokens
    ///
    /// The most tokens of an answer.
    pub max_output_tokens: Option<i64>,
    /// Input Modalities
    ///
    /// What the model takes, such as text, image, file, audio or video.
    pub input_modalities: Vec<String>,
    /// Output Modalities
    ///
    /// What the model gives, such as text, image, speech or embeddings.
    pub output_modalities: Vec<String>,
    /// Supported Parameters
    ///
    /// The options that have an effect with this model.
    pub supported_parameters: Vec<String>,
    /// Prompt Price per Million
    ///
    /// USD per million tokens of the prompt; missing if the price is dynamic.
    pub prompt_price_per_million: Option<f64>,
    /// Completion Price per Million
    ///
    /// USD per million tokens of the answer; missing if the price is dynamic.
    pub completion_price_per_million: Option<f64>,
    /// Is Free
    ///
    /// Yes if the model costs nothing.
    pub is_free: bool,
    /// Expiration Date
    ///
    /// The day after which the model is gone; missing if none is planned.
    pub expiration_date: Option<String>,
}

/// Prices of a model in USD per token, as text.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelPricing {
    /// Prompt Price
    ///
    /// USD per token of the prompt, as text; negative if the price is dynamic.
    pub prompt: Option<String>,
    /// Completion Price
    ///
    /// USD per token of the answer, as text; negative if the price is dynamic.
    pub completion: Option<String>,
}

impl ModelRow {
    /// The row of `model`.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let pricing = &model.pricing;
        Self {
            id: model.id.clone().unwrap_or_default(),
            name: model.name.as_deref().map(|name| name.trim().to_owned()),
            description: model.description.clone(),
            pricing: ModelPricing {
                prompt: pricing.prompt.clone(),
                completion: pricing.completion.clone(),
            },
            created: model.created,
            context_length: model.context_length,
            max_output_tokens: model.top_provider.max_completion_tokens,
            input_modalities: model.architecture.input_modalities.clone(),
            output_modalities: model.architecture.output_modalities.clone(),
            supported_parameters: model.supported_parameters.clone(),
            prompt_price_per_million: pricing.prompt_price().map(per_million),
            completion_price_per_million: pricing.completion_price().map(per_million),
            is_free: is_free(model),
            expiration_date: model.expiration_date.clone(),
        }
    }
}

/// Whether nothing of a call costs anything. What other models than those of text cost is not all
/// in the catalogue, so that zero says nothing of them.
#[must_use]
pub fn is_free(model: &Model) -> bool {
    let pricing = &model.pricing;
    let zero = |price: Option<f64>| price.is_some_and(|price| price <= 0.0);
    let outputs = &model.architecture.output_modalities;
    let of_text = outputs.is_empty() || outputs.iter().any(|output| output == "text");
    of_text
        && zero(pricing.prompt_price())
        && zero(pricing.completion_price())
        && !pricing.charges_otherwise()
}

/// A price per token as a price per million, without the noise of binary fractions.
#[must_use]
pub fn per_million(price: f64) -> f64 {
    const SIX_DIGITS: f64 = 1e6;
    (price * 1e6 * SIX_DIGITS).round() / SIX_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openrouter::models::Pricing;

    #[test]
    fn a_dynamic_price_is_no_number_and_not_free() {
        let pricing = Pricing {
            prompt: Some("-1".to_owned()),
            completion: Some("-1".to_owned()),
            ..Pricing::default()
        };
        let model = Model {
            pricing,
            ..Model::default()
        };
        let row = ModelRow::of(&model);
        assert_eq!((row.prompt_price_per_million, row.is_free), (None, false));
        assert_eq!(row.pricing.prompt.as_deref(), Some("-1"));
    }

    #[test]
    fn prices_per_million_are_round_numbers() {
        assert_eq!(
            per_million("0.00000125".parse().unwrap()).to_string(),
            "1.25"
        );
        assert_eq!(
            per_million("0.00000007".parse().unwrap()).to_string(),
            "0.07"
        );
    }
}
