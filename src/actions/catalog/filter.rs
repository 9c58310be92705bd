//! Which models are meant: the filters that actions and triggers of the catalogue share.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::row::per_million;
use crate::{
    endpoint::{
        Overlay,
        overlay::{At, Set},
    },
    openrouter::models::Model,
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay {
        at: At::Schema("ModelSort"),
        set: &[Set::Names(&[
            ("newest", "Newest first"),
            ("most-popular", "Most popular first"),
            ("top-weekly", "Most used this week first"),
            ("pricing-low-to-high", "Cheapest first"),
            ("pricing-high-to-low", "Most expensive first"),
            ("context-high-to-low", "Longest context first"),
            ("throughput-high-to-low", "Highest throughput first"),
            ("latency-low-to-high", "Shortest wait first"),
        ])],
    },
    Overlay {
        at: At::Schema("OutputModality"),
        set: &[Set::Names(&[
            ("text", "Text"),
            ("image", "Image"),
            ("audio", "Audio in chat"),
            ("speech", "Speech"),
            ("transcription", "Transcription"),
            ("video", "Video"),
            ("embeddings", "Embeddings"),
            ("rerank", "Rerank"),
            ("all", "All"),
        ])],
    },
    Overlay {
        at: At::Schema("InputModality"),
        set: &[Set::Names(&[
            ("text", "Text"),
            ("image", "Image"),
            ("file", "File"),
            ("audio", "Audio"),
            ("video", "Video"),
        ])],
    },
];

/// Which models are listed, and in which order.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ModelFilter {
    /// Search
    ///
    /// Only models whose name or id contains this text.
    #[validate(length(max = 200))]
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Output Modality
    ///
    /// Only models that can return this kind of content. Default Text.
    pub output_modality: Option<OutputModality>,
    /// Input Modality
    ///
    /// Only models that can read this kind of content.
    pub input_modality: Option<InputModality>,
    /// Supported Parameters
    ///
    /// Only models that support all of these options, separated by commas, such as tools,seed.
    #[validate(length(max = 1000))]
    #[param(max_length = 1000)]
    pub supported_parameters: Option<String>,
    /// Category
    ///
    /// Only models that are used for this, such as programming, translation, legal, finance or health.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    pub category: Option<String>,
    /// Min Context
    ///
    /// Only models with a context window of at least this many tokens; 1 or more.
    #[validate(range(min = 1))]
    #[param(minimum = 1)]
    pub min_context: Option<i64>,
    /// Max Prompt Price
    ///
    /// Only models whose prompt costs at most this many USD per million tokens; 0 for free models.
    #[validate(range(min = 0.0))]
    #[param(minimum = 0)]
    pub max_price: Option<f64>,
    /// Sort
    ///
    /// The order of the models. Default as OpenRouter lists them.
    pub sort: Option<ModelSort>,
    /// Zero Data Retention
    ///
    /// Yes for models that some provider runs without keeping anything.
    pub zero_data_retention: Option<bool>,
    /// Limit
    ///
    /// The most models in the answer, 1 to 1000. Default all.
    #[validate(range(min = 1, max = 1000))]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// Offset
    ///
    /// How many models are skipped first, 0 or more. Default 0.
    #[param(minimum = 0)]
    pub offset: Option<u32>,
}

/// What a model gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the variants are the values of OpenRouter's API"
)]
pub enum OutputModality {
    #[default]
    Text,
    Image,
    Audio,
    Speech,
    Transcription,
    Video,
    Embeddings,
    Rerank,
    All,
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the variants are the values of OpenRouter's API"
)]
pub enum InputModality {
    Text,
    Image,
    File,
    Audio,
    Video,
}

/// The order of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the variants are the values of OpenRouter's API"
)]
pub enum ModelSort {
    Newest,
    MostPopular,
    TopWeekly,
    PricingLowToHigh,
    PricingHighToLow,
    ContextHighToLow,
    ThroughputHighToLow,
    LatencyLowToHigh,
}

/// A value's name in OpenRouter's API.
fn name_of(value: impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

impl ModelFilter {
    /// The query for upstream, if only upstream knows what is asked: use, speed, retention.
    #[must_use]
    pub fn upstream_query(&self) -> Option<Vec<(&'static str, String)>> {
        let sort = self.sort.filter(|sort| !sort.is_local());
        if self.category.is_none() && sort.is_none() && self.zero_data_retention != Some(true) {
            return None;
        }
        let mut query = vec![(
            "output_modalities",
            name_of(self.output_modality.unwrap_or_default()),
        )];
        query.extend(self.category.clone().map(|category| ("category", category)));
        query.extend(sort.map(|sort| ("sort", name_of(sort))));
        if self.zero_data_retention == Some(true) {
            query.push(("zdr", "true".to_owned()));
        }
        Some(query)
    }

    /// The key under which the answer is kept written; `None` for what a caller words freely, which
    /// would push out the answers that many ask for.
    pub(crate) fn page_key(&self, kind: &str) -> Option<String> {
        let free = self.search.is_some()
            || self.supported_parameters.is_some()
            || self.limit.is_some()
            || self.offset.is_some()
            || self.min_context.is_some()
            || self.max_price.is_some();
        (!free).then(|| format!("{kind} {}", serde_json::to_string(self).unwrap_or_default()))
    }

    /// The models that are meant, in order, and how many there are before limit and offset.
    #[must_use]
    pub fn apply<'a>(&self, models: &'a [Model]) -> (Vec<&'a Model>, usize) {
        let mut found: Vec<_> = models.iter().filter(|model| self.matches(model)).collect();
        if let Some(sort) = self.sort {
            sort.order(&mut found);
        }
        let total = found.len();
        let skip = self.offset.map_or(0, |offset| offset as usize);
        let take = self.limit.map_or(usize::MAX, |limit| limit as usize);
        (found.into_iter().skip(skip).take(take).collect(), total)
    }

    /// Whether `model` passes every filter that can be told from the model alone.
    #[must_use]
    pub fn matches(&self, model: &Model) -> bool {
        let has = |list: &[String], name: &str| list.iter().any(|item| item == name);
        let architecture = &model.architecture;
        let output = self.output_modality.unwrap_or_default();
        let gives =
            output == OutputModality::All || has(&architecture.output_modalities, &name_of(output));
        let takes = self
            .input_modality
            .is_none_or(|input| has(&architecture.input_modalities, &name_of(input)));
        let supports = self
            .wanted_parameters()
            .all(|name| has(&model.supported_parameters, name));
        let reaches = self
            .min_context
            .is_none_or(|least| model.context_length.is_some_and(|length| length >= least));
        let affordable = self.max_price.is_none_or(|most| {
            model
                .pricing
                .prompt_price()
                .is_some_and(|price| per_million(price) <= most)
        });
        gives && takes && supports && reaches && affordable && self.found_in(model)
    }

    /// The wanted options. A designer writes a list that it takes from another input as JSON.
    fn wanted_parameters(&self) -> impl Iterator<Item = &str> {
        let list = self.supported_parameters.as_deref().unwrap_or_default();
        list.split(',')
            .map(|name| name.trim_matches(|c: char| c.is_whitespace() || "[]\"".contains(c)))
            .filter(|name| !name.is_empty())
    }

    fn found_in(&self, model: &Model) -> bool {
        let Some(search) = &self.search else {
            return true;
        };
        let search = search.to_lowercase();
        [&model.id, &model.name]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&search))
    }
}

impl ModelSort {
    /// Whether the order can be told from the models alone.
    fn is_local(self) -> bool {
        use ModelSort::{ContextHighToLow, Newest, PricingHighToLow, PricingLowToHigh};
        matches!(
            self,
            Newest | PricingLowToHigh | PricingHighToLow | ContextHighToLow
        )
    }

    /// Puts `models` in order; an order that only upstream knows is left as it came.
    fn order(self, models: &mut [&Model]) {
        // A model whose price is dynamic stands last in both orders.
        let price = |model: &Model, unknown: f64| {
            let sum = || Some(model.pricing.prompt_price()? + model.pricing.completion_price()?);
            sum().unwrap_or(unknown)
        };
        match self {
            Self::Newest => models.sort_by_key(|model| std::cmp::Reverse(model.created)),
            Self::ContextHighToLow => {
                models.sort_by_key(|model| std::cmp::Reverse(model.context_length));
            }
            Self::PricingLowToHigh => {
                models.sort_by(|a, b| price(a, f64::INFINITY).total_cmp(&price(b, f64::INFINITY)));
            }
            Self::PricingHighToLow => {
                models.sort_by(|a, b| price(b, -1.0).total_cmp(&price(a, -1.0)));
            }
            Self::MostPopular
            | Self::TopWeekly
            | Self::ThroughputHighToLow
            | Self::LatencyLowToHigh => {}
        }
    }
}
