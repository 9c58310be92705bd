//! The simulated catalogue: what a model is, how it is found, and how it is shown.

use std::sync::LazyLock;

use actix_web::web::{self, ServiceConfig};
use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::misbehaviour::Fault;

mod endpoints;
mod listing;
mod media;
mod table;

pub(super) use endpoints::{Provider, providers_of, serves};
pub(super) use media::{ImageFacts, VideoFacts, image_facts, video_facts};

/// The model that answers when the request names none.
pub(super) const DEFAULT_MODEL: &str = "openrouter/auto";

/// The concrete model behind the routers.
const ROUTED_TO: &str = "openai/gpt-5-mini";

/// Suffixes that ask for a way of routing and are not models of their own.
const DYNAMIC_VARIANTS: [&str; 4] = [":nitro", ":floor", ":exacto", ":online"];

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/models", web::get().to(listing::models))
        .route("/models/count", web::get().to(listing::count))
        .route("/models/user", web::get().to(listing::for_user))
        .route("/embeddings/models", web::get().to(listing::embeddings))
        .route("/model/{author}/{slug}", web::get().to(listing::model))
        .route(
            "/models/{author}/{slug}/endpoints",
            web::get().to(endpoints::of_model),
        )
        .route("/providers", web::get().to(endpoints::providers))
        .route("/endpoints/zdr", web::get().to(endpoints::zdr))
        .route("/images/models", web::get().to(media::image_models))
        .route(
            "/images/models/{author}/{slug}/endpoints",
            web::get().to(media::image_endpoints),
        )
        .route("/videos/models", web::get().to(media::video_models));
}

/// One model of the catalogue.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    description: &'static str,
    created: i64,
    pub(super) context: Option<u64>,
    top_context: Option<u64>,
    pub(super) max_output: Option<u64>,
    inputs: &'static [&'static str],
    outputs: &'static [&'static str],
    parameters: Vec<&'static str>,
    prices: Vec<(&'static str, &'static str)>,
    discount: Option<f64>,
    /// Above how many prompt tokens another prompt price holds.
    override_above: Option<(u64, &'static str)>,
    pub(super) voices: &'static [&'static str],
    alias_of: Option<&'static str>,
    canonical: Option<&'static str>,
    hugging_face: Option<&'static str>,
    cutoff: Option<&'static str>,
    expires: Option<&'static str>,
    moderated: bool,
    pub(super) reasoning: Reasoning,
    pub(super) dimensions: usize,
    pub(super) fault: Option<Fault>,
}

/// Whether a model thinks before it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reasoning {
    #[default]
    Never,
    WhenAsked,
    Always,
}

impl Model {
    pub(super) fn takes(&self, modality: &str) -> bool {
        self.inputs.contains(&modality)
    }

    pub(super) fn gives(&self, modality: &str) -> bool {
        self.outputs.contains(&modality)
    }

    pub(super) fn supports(&self, parameter: &str) -> bool {
        self.parameters.contains(&parameter)
    }

    /// The part of the id before the slash.
    pub(super) fn author(&self) -> &'static str {
        let id = self.id.trim_start_matches('~');
        id.split_once('/').map_or(id, |(author, _)| author)
    }

    pub(super) fn is_router(&self) -> bool {
        self.author() == "openrouter"
    }

    /// A price per token, request, image or whatever the name says; 0 when there is none.
    pub(super) fn price(&self, name: &str) -> f64 {
        let listed = self.prices.iter().find(|(known, _)| *known == name);
        let listed = listed.and_then(|(_, price)| price.parse().ok());
        listed.unwrap_or(0.0_f64).max(0.0) * (1.0 - self.discount.unwrap_or(0.0))
    }

    /// The model that really answers: routers and aliases stand for another one.
    pub(super) fn concrete(&'static self) -> &'static Self {
        let behind = if self.is_router() {
            Some(ROUTED_TO)
        } else {
            self.alias_of
        };
        behind.and_then(by_id).unwrap_or(self)
    }

    fn modality(&self) -> String {
        format!("{}->{}", self.inputs.join("+"), self.outputs.join("+"))
    }

    fn architecture(&self) -> Value {
        let tokenizer = match self.author() {
            "openai" => "GPT",
            "anthropic" => "Claude",
            "google" => "Gemini",
            "meta-llama" => "Llama3",
            "mistralai" => "Mistral",
            "deepseek" => "DeepSeek",
            "qwen" => "Qwen3",
            "x-ai" => "Grok",
            "cohere" => "Cohere",
            "openrouter" => "Router",
            _ => "Other",
        };
        let instruct = match self.author() {
            "meta-llama" => json!("llama3"),
            "deepseek" => json!("deepseek-r1"),
            _ => Value::Null,
        };
        json!({
            "modality": self.modality(),
            "input_modalities": self.inputs,
            "output_modalities": self.outputs,
            "tokenizer": tokenizer,
            "instruct_type": instruct,
        })
    }

    fn pricing(&self) -> Value {
        let mut pricing = Map::new();
        for (name, price) in &self.prices {
            pricing.insert((*name).to_owned(), (*price).into());
        }
        if let Some(discount) = self.discount {
            pricing.insert("discount".into(), discount.into());
        }
        if let Some((tokens, price)) = self.override_above {
            let overrides = json!([{ "min_prompt_tokens": tokens, "prompt": price }]);
            pricing.insert("overrides".into(), overrides);
        }
        pricing.into()
    }

    fn described(&self) -> String {
        format!(
            "{} Simulated: answers and prices are made up.",
            self.description
        )
    }

    /// The entry in `/models`, with the gaps and nulls that real entries have.
    fn entry(&self) -> Value {
        let chat = self.gives("text") && !self.is_router();
        let mut entry = json!({
            "id": self.id,
            "canonical_slug": self.canonical.unwrap_or(self.id),
            "hugging_face_id": self.hugging_face,
            "name": self.name,
            "created": self.created,
            "description": self.described(),
            "context_length": self.context,
            "architecture": self.architecture(),
            "pricing": self.pricing(),
            "top_provider": {
                "context_length": self.top_context.or(self.context),
                "max_completion_tokens": self.max_output,
                "is_moderated": self.moderated,
            },
            "per_request_limits": null,
            "supported_parameters": self.parameters,
            "default_parameters": match self.author() {
                "openai" | "openrouter" => Value::Null,
                "qwen" => json!({ "temperature": 0.7, "top_p": 0.8, "frequency_penalty": null }),
                _ if chat => json!({ "temperature": null, "top_p": null, "frequency_penalty": null }),
                _ => json!({}),
            },
            "supported_voices": (!self.voices.is_empty()).then_some(self.voices),
            "knowledge_cutoff": self.cutoff,
            "expiration_date": self.expires,
            "links": { "details": format!("/api/v1/models/{}/endpoints", self.id) },
        });
        if self.reasoning != Reasoning::Never {
            entry["reasoning"] = json!({
                "mandatory": self.reasoning == Reasoning::Always,
                "supported_efforts": (self.author() == "openai")
                    .then_some(["high", "medium", "low", "minimal"]),
                "default_effort": null,
            });
        }
        if let Some(target) = self.alias_of.and_then(by_id) {
            entry["alias_target"] = json!({ "name": target.name.trim(), "slug": target.id });
        }
        entry
    }

    /// How expensive a prompt is, for filters and sorting; `None` when the price is not fixed.
    fn per_million(&self, name: &str) -> Option<f64> {
        let listed = self.prices.iter().find(|(known, _)| *known == name)?;
        let price: f64 = listed.1.parse().ok()?;
        (price >= 0.0).then_some(price * 1e6)
    }
}

/// A model as a request asked for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The model listed under the name.
    pub(super) listed: &'static Model,
    /// The model that answers.
    pub(super) model: &'static Model,
    /// Whether the name ended in `:online`, which searches the web first.
    pub(super) online: bool,
}

/// Finds the model a name in a request stands for: an id, an alias, a variant or a preset.
pub(super) fn find(name: &str) -> Option<Found> {
    let name = match name.split_once("@preset/") {
        Some((_, "")) => return None,
        Some(("", _)) => DEFAULT_MODEL,
        Some((base, _)) => base,
        None => name,
    };
    let mut base = name;
    while by_id(base).is_none() {
        base = DYNAMIC_VARIANTS
            .iter()
            .find_map(|variant| base.strip_suffix(variant))?;
    }
    let listed = by_id(base)?;
    let online = name[base.len()..].contains(":online");
    Some(Found {
        listed,
        model: listed.concrete(),
        online,
    })
}

/// Finds a model for an endpoint other than chat. Those that misbehave do so everywhere.
pub(super) fn find_for(
    name: &str,
    modality: &str,
    endpoint: &str,
) -> Result<&'static Model, Refusal> {
    let found = find(name).ok_or_else(|| Refusal::unknown_model(name))?;
    if found.model.fault.is_some() || found.model.gives(modality) {
        Ok(found.model)
    } else {
        Err(Refusal::wrong_endpoint(name, endpoint))
    }
}

fn by_id(id: &str) -> Option<&'static Model> {
    all().iter().find(|model| model.id == id)
}

fn all() -> &'static [Model] {
    static ALL: LazyLock<Vec<Model>> = LazyLock::new(table::models);
    &ALL
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_modality_and_every_oddity_is_there() {
        let models = all();
        assert!(models.len() >= 40 + 16, "{}", models.len());
        for modality in [
            "text",
            "image",
            "audio",
            "embeddings",
            "rerank",
            "speech",
            "transcription",
            "video",
        ] {
            assert!(
                models.iter().any(|model| model.gives(modality)),
                "{modality} out"
            );
        }
        for modality in ["text", "image", "file", "audio", "video"] {
            assert!(
                models.iter().any(|model| model.takes(modality)),
                "{modality} in"
            );
        }
        assert_eq!(models[0].id, "openrouter/auto");
        assert!(models.iter().any(|model| model.name.ends_with(' ')));
        assert!(models.iter().any(|model| model.parameters.is_empty()));
        assert!(models.iter().any(|model| model.expires.is_some()));
        assert!(models.iter().any(|model| model.discount.is_some()));
        assert!(models.iter().any(|model| model.override_above.is_some()));
        assert!(models.iter().any(|model| model.top_context.is_some()));
        assert!(models.iter().any(|model| model.context.is_none()));
        assert!(models.iter().any(|model| model.hugging_face == Some("")));
    }

    #[test]
    fn ids_are_unique_and_aliases_lead_somewhere() {
        let mut seen = HashSet::new();
        for model in all() {
            assert!(seen.insert(model.id), "{} twice", model.id);
            assert!(
                model.alias_of.is_none_or(|target| by_id(target).is_some()),
                "{}",
                model.id
            );
            assert!(
                model
                    .prices
                    .iter()
                    .all(|(_, price)| price.parse::<f64>().is_ok())
            );
        }
        assert!(by_id(ROUTED_TO).is_some());
    }

    #[test]
    fn names_resolve_through_aliases_variants_and_presets() {
        let id = |name: &str| find(name).map(|found| found.model.id);
        assert_eq!(id("openai/gpt-4o"), Some("openai/gpt-4o"));
        assert_eq!(id("openai/gpt-4o:nitro"), Some("openai/gpt-4o"));
        assert_eq!(
            id("openai/gpt-oss-20b:free:online"),
            Some("openai/gpt-oss-20b:free")
        );
        assert_eq!(
            id("~anthropic/claude-sonnet-latest"),
            Some("anthropic/claude-sonnet-4.5")
        );
        assert_eq!(id("openrouter/auto"), Some(ROUTED_TO));
        assert_eq!(id("@preset/support"), Some(ROUTED_TO));
        assert_eq!(id("openai/gpt-4o@preset/support"), Some("openai/gpt-4o"));
        assert_eq!(id("acme/fake-1.0"), None);
        assert_eq!(id(""), None);
        assert!(find("openai/gpt-4o:online").is_some_and(|found| found.online));
    }
}
