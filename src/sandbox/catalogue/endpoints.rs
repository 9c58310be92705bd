//! Who serves the models: the providers, and the endpoints of one model.

use actix_web::web::{Json, Path};
use serde_json::{Value, json};

use super::super::errors::Refusal;
use super::super::incoming::MaybeCaller;
use super::super::usage::hash;
use super::{Model, all, find};

/// A company that runs models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Provider {
    pub(in super::super) name: &'static str,
    pub(in super::super) slug: &'static str,
    /// The author whose models it runs first of all; empty for those who run open models.
    author: &'static str,
    country: Option<&'static str>,
}

const fn provider(
    name: &'static str,
    slug: &'static str,
    author: &'static str,
    country: Option<&'static str>,
) -> Provider {
    Provider {
        name,
        slug,
        author,
        country,
    }
}

const PROVIDERS: &[Provider] = &[
    provider("OpenAI", "openai", "openai", Some("US")),
    provider("Azure", "azure", "openai", Some("US")),
    provider("Anthropic", "anthropic", "anthropic", Some("US")),
    provider("Amazon Bedrock", "amazon-bedrock", "anthropic", Some("US")),
    provider("Google", "google-vertex", "google", Some("US")),
    provider("Google AI Studio", "google-ai-studio", "google", Some("US")),
    provider("Mistral", "mistral", "mistralai", Some("FR")),
    provider("DeepSeek", "deepseek", "deepseek", Some("CN")),
    provider("Alibaba", "alibaba", "qwen", Some("SG")),
    provider("xAI", "xai", "x-ai", Some("US")),
    provider("Cohere", "cohere", "cohere", Some("CA")),
    provider("Perplexity", "perplexity", "perplexity", Some("US")),
    provider(
        "Black Forest Labs",
        "black-forest-labs",
        "black-forest-labs",
        Some("DE"),
    ),
    provider("Seed", "seed", "bytedance-seed", None),
    provider("ByteDance", "bytedance", "bytedance", None),
    provider("Moonshot AI", "moonshotai", "moonshotai", Some("CN")),
    provider("Recraft", "recraft", "recraft", Some("GB")),
    provider("Quiver", "quiver", "quiver", None),
    provider("Topaz", "topaz", "topaz", Some("US")),
    provider("DeepInfra", "deepinfra", "", Some("US")),
    provider("Together", "together", "", Some("US")),
    provider("Groq", "groq", "", Some("US")),
    provider("Fireworks", "fireworks", "", None),
    provider("Sandbox", "sandbox", "sandbox", None),
];

/// Who serves a model, the preferred one first; never empty.
pub(in super::super) fn providers_of(model: &Model) -> Vec<Provider> {
    let own = PROVIDERS
        .iter()
        .filter(|provider| provider.author == model.author());
    let mut serving: Vec<Provider> = own.copied().collect();
    let open_weights = model.hugging_face.is_some_and(|id| !id.is_empty());
    if open_weights || serving.is_empty() {
        let hosts: Vec<&Provider> = PROVIDERS
            .iter()
            .filter(|host| host.author.is_empty())
            .collect();
        let first = hash(&[model.id]).to_le_bytes()[0];
        let wanted = 1 + usize::from(first % 2);
        let rotated = hosts
            .iter()
            .cycle()
            .skip(usize::from(first / 2) % hosts.len());
        serving.extend(rotated.take(wanted).copied());
    }
    serving
}

/// Whether a provider slug names one of those who serve the model.
pub(in super::super) fn serves(slug: &str, model: &Model) -> bool {
    let base = slug.split_once('/').map_or(slug, |(base, _)| base);
    let serving = providers_of(model);
    serving
        .iter()
        .any(|provider| provider.slug == base || provider.name.eq_ignore_ascii_case(base))
}

/// `GET /providers`.
pub(super) async fn providers() -> Json<Value> {
    let list: Vec<Value> = PROVIDERS
        .iter()
        .map(|provider| {
            let known = provider.country.is_some();
            let page =
                |name: &str| known.then(|| format!("https://{}.example/{name}", provider.slug));
            json!({
                "name": provider.name,
                "slug": provider.slug,
                "privacy_policy_url": page("privacy"),
                "terms_of_service_url": page("terms"),
                "status_page_url": if provider.author.is_empty() { None } else { page("status") },
                "headquarters": provider.country,
                "datacenters": provider.country.map(|country| [country]),
            })
        })
        .collect();
    Json(json!({ "data": list }))
}

/// `GET /models/{author}/{slug}/endpoints`.
pub(super) async fn of_model(
    path: Path<(String, String)>,
    MaybeCaller(known): MaybeCaller,
) -> Result<Json<Value>, Refusal> {
    let (author, slug) = path.into_inner();
    let found = find(&format!("{author}/{slug}")).ok_or_else(Refusal::not_found)?;
    let model = if found.listed.is_router() {
        found.listed
    } else {
        found.model
    };
    // A router chooses other models' endpoints and has none of its own.
    let serving = if model.is_router() {
        Vec::new()
    } else {
        providers_of(model)
    };
    let endpoints: Vec<Value> = serving
        .iter()
        .map(|provider| endpoint(model, *provider, known))
        .collect();
    Ok(Json(json!({ "data": {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": model.described(),
        "architecture": model.architecture(),
        "endpoints": endpoints,
    } })))
}

/// `GET /endpoints/zdr`: the endpoints that keep no data.
pub(super) async fn zdr(MaybeCaller(known): MaybeCaller) -> Json<Value> {
    let mut list = Vec::new();
    for model in all()
        .iter()
        .filter(|model| !model.is_router() && model.fault.is_none())
    {
        for provider in providers_of(model) {
            if keeps_nothing(provider) {
                list.push(endpoint(model, provider, known));
            }
        }
    }
    Json(json!({ "data": list }))
}

fn keeps_nothing(provider: Provider) -> bool {
    ["azure", "amazon-bedrock", "google-vertex", "together"].contains(&provider.slug)
}

fn endpoint(model: &Model, provider: Provider, known: bool) -> Value {
    let [fast, steady, ..] = hash(&[model.id, provider.slug]).to_le_bytes();
    let latency = 250.0 + 8.0 * f64::from(fast);
    let throughput = 20.0 + f64::from(steady) / 2.0;
    let spread = |middle: f64, factor: f64| {
        known.then(|| {
            json!({
                "p50": middle,
                "p75": middle * factor,
                "p90": middle * factor * factor,
                "p99": middle * factor.powi(4),
            })
        })
    };
    // Hosts of open models often serve a smaller window than the model has.
    let context = if provider.author.is_empty() {
        model.context.map(|context| context.min(131_072))
    } else {
        model.top_context.or(model.context)
    };
    json!({
        "name": format!("{} | {}", provider.name, model.id),
        "model_id": model.id,
        "model_name": model.name,
        "context_length": context.unwrap_or(4_096),
        "pricing": model.pricing(),
        "provider_name": provider.name,
        "tag": if provider.slug == "deepinfra" { "deepinfra/fp8" } else { provider.slug },
        "quantization": match provider.slug {
            "deepinfra" => Some("fp8"),
            "together" => Some("unknown"),
            _ => None,
        },
        "max_completion_tokens": model.max_output,
        "max_prompt_tokens": null,
        "supported_parameters": model.parameters,
        "status": if model.expires.is_some() { -2 } else { 0 },
        "uptime_last_5m": (steady > 20).then_some(100.0),
        "uptime_last_30m": (steady > 10).then(|| 100.0 - f64::from(fast) / 400.0),
        "uptime_last_1d": 100.0 - f64::from(fast) / 200.0,
        "supports_implicit_caching": model.prices.iter().any(|(name, _)| *name == "input_cache_read"),
        "supports_voice_cloning": provider.slug == "mistral" && model.gives("speech"),
        "latency_last_30m": spread(latency, 1.4),
        "throughput_last_30m": spread(throughput, 0.85),
    })
}
