//! The lists of models, with the filters, orders and pages of the real ones.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::{Json, Path, Query};
use serde_json::{Value, json};

use super::super::errors::Refusal;
use super::super::incoming::{Caller, invalid};
use super::super::usage::{float, hash};
use super::{Model, all, endpoints, find};

/// Query parameters by name; unknown ones are ignored, as upstream does.
type Asked = Query<HashMap<String, String>>;

const MODALITIES: [&str; 9] = [
    "text",
    "image",
    "file",
    "audio",
    "video",
    "embeddings",
    "rerank",
    "speech",
    "transcription",
];

const CATEGORIES: [&str; 12] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
];

const SORTS: [&str; 12] = [
    "most-popular",
    "newest",
    "top-weekly",
    "pricing-low-to-high",
    "pricing-high-to-low",
    "context-high-to-low",
    "throughput-high-to-low",
    "latency-low-to-high",
    "intelligence-high-to-low",
    "coding-high-to-low",
    "agentic-high-to-low",
    "design-arena-elo-high-to-low",
];

/// The model that joins the lists while the process runs, so that lists can be seen to grow.
pub(super) const NEWCOMER: &str = "sandbox/newcomer";

/// How long after the first look at a list that model joins.
const NEWCOMER_AFTER: Duration = Duration::from_mins(1);

/// `GET /models`.
pub(super) async fn models(asked: Asked) -> Result<HttpResponse, Refusal> {
    let chosen = selected(&asked)?;
    if asked.contains_key("use_rss") {
        return Ok(rss(&chosen));
    }
    page("/api/v1/models", chosen, &asked).map(|body| HttpResponse::Ok().json(body))
}

/// `GET /models/count`.
pub(super) async fn count(asked: Asked) -> Result<Json<Value>, Refusal> {
    let mut count = 0;
    for model in all() {
        count += i32::from(is_there(model) && has_modalities(model, &asked)?);
    }
    Ok(Json(json!({ "data": { "count": count } })))
}

/// `GET /models/user`: without the free variants, as for an account that forbids training.
pub(super) async fn for_user(_: Caller, asked: Asked) -> Result<Json<Value>, Refusal> {
    let mut chosen = selected(&asked)?;
    chosen.retain(|model| !model.id.ends_with(":free"));
    page("/api/v1/models/user", chosen, &asked).map(Json)
}

/// `GET /embeddings/models`: the whole list, and nothing beside it.
pub(super) async fn embeddings() -> Json<Value> {
    let models: Vec<Value> = all()
        .iter()
        .filter(|model| model.gives("embeddings"))
        .map(Model::entry)
        .collect();
    Json(json!({ "data": models }))
}

/// `GET /model/{author}/{slug}`: aliases lead to the model they stand for.
pub(super) async fn model(path: Path<(String, String)>) -> Result<Json<Value>, Refusal> {
    let (author, slug) = path.into_inner();
    let found = find(&format!("{author}/{slug}"))
        .ok_or_else(|| Refusal::new(404, format!("Model {author}/{slug} not found")))?;
    let model = if found.listed.is_router() {
        found.listed
    } else {
        found.model
    };
    Ok(Json(json!({ "data": model.entry() })))
}

fn selected(asked: &Asked) -> Result<Vec<&'static Model>, Refusal> {
    let mut chosen = Vec::new();
    for model in all() {
        if is_there(model) && has_modalities(model, asked)? && matches(model, asked)? {
            chosen.push(model);
        }
    }
    sort(&mut chosen, asked)?;
    Ok(chosen)
}

fn is_there(model: &Model) -> bool {
    static FIRST_LOOK: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = FIRST_LOOK.elapsed();
    model.id != NEWCOMER || since >= NEWCOMER_AFTER
}

fn has_modalities(model: &Model, asked: &Asked) -> Result<bool, Refusal> {
    let wanted = asked
        .get("output_modalities")
        .map_or("text", String::as_str);
    if wanted == "all" {
        return Ok(true);
    }
    let wanted = words(wanted, "output_modalities", &MODALITIES)?;
    Ok(wanted.iter().any(|modality| model.gives(modality)))
}

fn matches(model: &Model, asked: &Asked) -> Result<bool, Refusal> {
    let mut fits = true;
    if let Some(inputs) = asked.get("input_modalities") {
        let inputs = words(inputs, "input_modalities", &MODALITIES)?;
        fits &= inputs.iter().all(|modality| model.takes(modality));
    }
    if let Some(parameters) = asked.get("supported_parameters") {
        fits &= parameters
            .split(',')
            .all(|name| model.supports(name.trim()));
    }
    if let Some(category) = asked.get("category") {
        if !CATEGORIES.contains(&category.as_str()) {
            return Err(invalid("category", "Invalid option"));
        }
        // Which models lead a category is a matter of taste; here the name decides.
        fits &= hash(&[model.id, category]).is_multiple_of(3);
    }
    if let Some(query) = asked.get("q") {
        let query = query.trim().to_lowercase();
        fits &= model.id.contains(&query) || model.name.to_lowercase().contains(&query);
    }
    if let Some(authors) = asked.get("model_authors") {
        fits &= authors
            .split(',')
            .any(|author| author.trim() == model.author());
    }
    if let Some(providers) = asked.get("providers") {
        fits &= providers
            .split(',')
            .any(|slug| endpoints::serves(slug.trim(), model));
    }
    if let Some(context) = number(asked, "context", 1.0)? {
        fits &= model.context.is_some_and(|own| float(own) >= context);
    }
    for (low, high, price) in [
        ("min_price", "max_price", "prompt"),
        ("min_output_price", "max_output_price", "completion"),
    ] {
        if let Some(low) = number(asked, low, 0.0)? {
            fits &= model.per_million(price).is_some_and(|own| own >= low);
        }
        if let Some(high) = number(asked, high, 0.0)? {
            fits &= model.per_million(price).is_some_and(|own| own <= high);
        }
    }
    Ok(fits)
}

fn sort(models: &mut [&Model], asked: &Asked) -> Result<(), Refusal> {
    let Some(order) = asked.get("sort") else {
        return Ok(());
    };
    if !SORTS.contains(&order.as_str()) {
        return Err(invalid("sort", "Invalid option"));
    }
    match order.as_str() {
        "newest" => models.sort_by_key(|model| -model.created),
        "context-high-to-low" => {
            models.sort_by_key(|model| -model.context.unwrap_or(0).cast_signed());
        }
        // Models with no fixed price come last both ways.
        "pricing-low-to-high" => models.sort_by(|left, right| by_price(left, right, f64::INFINITY)),
        "pricing-high-to-low" => models.sort_by(|left, right| by_price(right, left, -1.0)),
        "most-popular" | "top-weekly" => {}
        measured => models.sort_by_key(|model| hash(&[model.id, measured])),
    }
    Ok(())
}

fn by_price(left: &Model, right: &Model, unknown: f64) -> Ordering {
    let price = |model: &Model| model.per_million("prompt").unwrap_or(unknown);
    price(left).total_cmp(&price(right))
}

fn page(path: &str, models: Vec<&Model>, asked: &Asked) -> Result<Value, Refusal> {
    let total = models.len();
    let paged = asked.contains_key("offset") || asked.contains_key("limit");
    let offset = whole(asked, "offset", 0, usize::MAX)?.unwrap_or(0);
    let limit = whole(asked, "limit", 1, 1_000)?.unwrap_or(if paged { 500 } else { total });
    let end = offset.saturating_add(limit);
    let next = (end < total).then(|| format!("{path}?offset={end}&limit={limit}"));
    let entries = models
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(Model::entry);
    Ok(json!({
        "data": entries.collect::<Vec<_>>(),
        "total_count": total,
        "links": { "next": next },
    }))
}

fn rss(models: &[&Model]) -> HttpResponse {
    let mut feed = String::from(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>OpenRouter models</title>",
    );
    for model in models {
        feed.push_str("<item><guid>");
        feed.push_str(model.id);
        feed.push_str("</guid></item>");
    }
    feed.push_str("</channel></rss>");
    HttpResponse::Ok()
        .content_type("application/rss+xml")
        .body(feed)
}

fn words<'a>(list: &'a str, field: &str, known: &[&str]) -> Result<Vec<&'a str>, Refusal> {
    let words: Vec<&str> = list.split(',').map(str::trim).collect();
    match words.iter().find(|word| !known.contains(word)) {
        Some(word) => Err(invalid(field, &format!("Invalid option: {word}"))),
        None => Ok(words),
    }
}

fn number(asked: &Asked, field: &str, low: f64) -> Result<Option<f64>, Refusal> {
    let Some(text) = asked.get(field) else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(number) if number >= low => Ok(Some(number)),
        _ => Err(invalid(
            field,
            &format!("Invalid input: expected a number of at least {low}"),
        )),
    }
}

fn whole(asked: &Asked, field: &str, low: usize, high: usize) -> Result<Option<usize>, Refusal> {
    let Some(text) = asked.get(field) else {
        return Ok(None);
    };
    match text.parse::<usize>() {
        Ok(number) if (low..=high).contains(&number) => Ok(Some(number)),
        _ => Err(invalid(
            field,
            "Invalid input: expected a whole number within bounds",
        )),
    }
}
