//! `POST /embeddings` and `POST /rerank`: likeness by the words two texts share.

use std::collections::HashSet;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::catalogue::{Model, find_for, providers_of};
use super::errors::Refusal;
use super::generations::{Facts, new_id};
use super::incoming::{App, InferenceCaller, JsonBody, invalid};
use super::misbehaviour::{Fault, json_after};
use super::usage::{Used, count, float, hash, rounded, tokens};
use super::{State, lock};

/// The length of the vectors of models that are no embedding models and were asked all the same.
const DEFAULT_DIMENSIONS: usize = 256;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/embeddings", web::post().to(embed))
        .route("/rerank", web::post().to(rerank));
}

async fn embed(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let name = body.text("model")?;
    let model = find_for(name, "embeddings", "embeddings")?;
    let inputs = inputs(&body)?;
    let dimensions = dimensions(&body, model)?;
    let coded = body.word("encoding_format", &["float", "base64"])? == Some("base64");
    let longest = inputs.iter().map(|input| tokens(input)).max().unwrap_or(0);
    if let Some(window) = model.context.filter(|window| longest > *window) {
        let message = format!(
            "This model's maximum context length is {window} tokens, however you requested {longest} tokens."
        );
        return Err(Refusal::new(400, message).kind("context_length_exceeded"));
    }
    if let Some(fault) = model.fault
        && let Some(failure) = fault.instead_of_answer(&inputs.concat())?
    {
        return Ok(failure);
    }
    // Some providers do not know base64 and answer with nothing at all, under status 200.
    let nothing = (coded && model.author() == "baai")
        || matches!(
            model.fault,
            Some(Fault::Empty | Fault::EmptyChoice | Fault::ErrorAfterText)
        );
    let shown = if nothing { &[] } else { inputs.as_slice() };
    let data: Vec<Value> = shown
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(input, dimensions);
            let embedding = if coded {
                packed(&vector)
            } else {
                listed(&vector)
            };
            json!({ "object": "embedding", "embedding": embedding, "index": index })
        })
        .collect();
    let used = Used {
        prompt: inputs.iter().map(|input| tokens(input)).sum(),
        ..Used::default()
    };
    let cost = used.cost(model);
    let id = new_id("gen");
    let facts = Facts {
        user: body.get("user").and_then(Value::as_str),
        ..Facts::of(&id, "embeddings", model, used, cost, &app)
    };
    lock(&state.generations).remember(&id, facts.record());
    let answer = json!({
        "id": id,
        "object": "list",
        "data": data,
        "model": model.id,
        "provider": providers_of(model)[0].name,
        "usage": { "prompt_tokens": used.prompt, "total_tokens": used.prompt, "cost": cost },
    });
    Ok(json_after(model.fault.and_then(Fault::delay), &id, &answer))
}

/// The texts to embed, whichever way they were given; tokens count as words.
fn inputs(body: &JsonBody) -> Result<Vec<String>, Refusal> {
    let wrong = || invalid("input", "expected a string, strings, tokens or contents");
    let inputs = match body.get("input") {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) if items.iter().all(Value::is_number) && !items.is_empty() => {
            vec![spelled(items)]
        }
        Some(Value::Array(items)) => {
            let mut inputs = Vec::new();
            for item in items {
                inputs.push(match item {
                    Value::String(text) => text.clone(),
                    Value::Array(tokens) if tokens.iter().all(Value::is_number) => spelled(tokens),
                    Value::Object(_) => contents(item).ok_or_else(wrong)?,
                    _ => return Err(wrong()),
                });
            }
            inputs
        }
        None | Some(Value::Null) => return Err(invalid("input", "Required")),
        Some(_) => return Err(wrong()),
    };
    if inputs.is_empty() || inputs.iter().any(String::is_empty) {
        return Err(invalid("input", "cannot be empty"));
    }
    Ok(inputs)
}

fn spelled(tokens: &[Value]) -> String {
    let words: Vec<String> = tokens.iter().map(|token| format!("t{token}")).collect();
    words.join(" ")
}

fn contents(item: &Value) -> Option<String> {
    let parts = item.get("content")?.as_array()?;
    let texts = parts.iter().map(|part| match part.get("text") {
        Some(Value::String(text)) => text.clone(),
        // Pictures and the like are told apart by what they are made of.
        _ => format!("media{:x}", hash(&[&part.to_string()])),
    });
    Some(texts.collect::<Vec<_>>().join(" "))
}

fn dimensions(body: &JsonBody, model: &Model) -> Result<usize, Refusal> {
    let own = if model.dimensions == 0 {
        DEFAULT_DIMENSIONS
    } else {
        model.dimensions
    };
    let wanted = match body.get("dimensions") {
        None | Some(Value::Null) => return Ok(own),
        Some(wanted) => wanted
            .as_u64()
            .and_then(|wanted| usize::try_from(wanted).ok()),
    };
    match wanted {
        Some(wanted) if (1..=own).contains(&wanted) => {
            if model.author() == "baai" && wanted != own {
                return Err(invalid("dimensions", "this model has one length only"));
            }
            Ok(wanted)
        }
        _ => Err(invalid(
            "dimensions",
            &format!("expected a whole number from 1 to {own}"),
        )),
    }
}

/// A vector of length one. Each word pushes it a fixed way, and each run of three letters a little,
/// so that texts with the same words are near each other, and similar words not far.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    let mut push = |feature: &str, weight: f32| {
        let seed = hash(&[feature]);
        // Several places for each word: with one, two words could meet by chance.
        for turn in 0..8 {
            let mixed = seed
                .rotate_left(turn * 7)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                >> 16;
            let place = usize::try_from(mixed).unwrap_or(0) % dimensions;
            vector[place] += if mixed >> 40 & 1 == 1 {
                -weight
            } else {
                weight
            };
        }
    };
    for word in words(text) {
        push(&word, 1.0);
        let letters: Vec<char> = word.chars().collect();
        for run in letters.windows(3) {
            push(&run.iter().collect::<String>(), 0.3);
        }
    }
    push("every text has this in common", 0.5);
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    if length > 0.0 {
        for part in &mut vector {
            *part /= length;
        }
    } else {
        // With very few dimensions the pushes can cancel each other out.
        vector[0] = 1.0;
    }
    vector
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|letter: char| !letter.is_alphanumeric());
    split
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn listed(vector: &[f32]) -> Value {
    vector
        .iter()
        .map(|part| (f64::from(*part) * 1e9).round() / 1e9)
        .collect()
}

fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
    BASE64.encode(&bytes).into()
}

async fn rerank(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let model = find_for(body.text("model")?, "rerank", "rerank")?;
    let query = body.text("query")?;
    let documents = documents(&body)?;
    let most = match body.get("top_n") {
        None | Some(Value::Null) => documents.len(),
        Some(most) => match most.as_u64().and_then(|most| usize::try_from(most).ok()) {
            Some(most) if most > 0 => most,
            _ => return Err(invalid("top_n", "Too small: expected number to be >=1")),
        },
    };
    if let Some(fault) = model.fault
        && let Some(failure) = fault.instead_of_answer(query)?
    {
        return Ok(failure);
    }
    let asked: HashSet<String> = words(query).into_iter().collect();
    let mut ranked: Vec<(usize, f64)> = documents
        .iter()
        .enumerate()
        .map(|(index, (text, _))| (index, relevance(&asked, text)))
        .collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1));
    ranked.truncate(most);
    if matches!(
        model.fault,
        Some(Fault::Empty | Fault::EmptyChoice | Fault::ErrorAfterText)
    ) {
        ranked.clear();
    }
    let results: Vec<Value> = ranked
        .iter()
        .map(|(index, score)| {
            json!({ "index": index, "relevance_score": score, "document": documents[*index].1 })
        })
        .collect();
    let read: u64 = documents.iter().map(|(text, _)| tokens(text)).sum();
    let used = Used {
        prompt: tokens(query) + read,
        ..Used::default()
    };
    // One search takes a hundred documents.
    let searches = count(documents.len().div_ceil(100));
    let cost = rounded(float(searches) * model.price("request"));
    let id = new_id("gen-rerank");
    let facts = Facts::of(&id, "rerank", model, used, cost, &app);
    lock(&state.generations).remember(&id, facts.record());
    let answer = json!({
        "id": id,
        "model": model.id,
        "provider": providers_of(model)[0].name,
        "results": results,
        "usage": { "search_units": searches, "total_tokens": used.prompt, "cost": cost },
    });
    Ok(json_after(model.fault.and_then(Fault::delay), &id, &answer))
}

/// The documents: their text, and how each is given back.
fn documents(body: &JsonBody) -> Result<Vec<(String, Value)>, Refusal> {
    let list = match body.get("documents") {
        Some(Value::Array(list)) if !list.is_empty() => list,
        None | Some(Value::Null) => return Err(invalid("documents", "Required")),
        Some(_) => return Err(invalid("documents", "expected at least 1 document")),
    };
    let mut documents = Vec::new();
    for (index, document) in list.iter().enumerate() {
        let text = match document {
            Value::String(text) => text.clone(),
            Value::Object(parts) if parts.contains_key("text") || parts.contains_key("image") => {
                parts
                    .get("text")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            }
            _ => {
                return Err(invalid(
                    &format!("documents.{index}"),
                    "expected a string or {text, image}",
                ));
            }
        };
        let back = if document.is_string() {
            json!({ "text": text })
        } else {
            document.clone()
        };
        documents.push((text, back));
    }
    Ok(documents)
}

/// How much of the question is in the document, and a little for how much else is not.
fn relevance(asked: &HashSet<String>, document: &str) -> f64 {
    let found: HashSet<String> = words(document).into_iter().collect();
    let shared = found.iter().filter(|word| asked.contains(*word)).count();
    let share = |of: usize| float(count(shared)) / float(count(of.max(1)));
    let score = 0.02 + 0.8 * share(asked.len()) + 0.17 * share(found.len());
    (score * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(left: &str, right: &str) -> f32 {
        let (left, right) = (vector(left, 1_536), vector(right, 1_536));
        left.iter()
            .zip(&right)
            .map(|(left, right)| left * right)
            .sum()
    }

    #[test]
    fn vectors_have_length_one() {
        for text in ["", "one", "The quick brown fox", "日本語", "?!"] {
            for dimensions in [1, 2, 256, 3_072] {
                let vector = vector(text, dimensions);
                assert_eq!(vector.len(), dimensions);
                let length: f32 = vector.iter().map(|part| part * part).sum();
                assert!((length - 1.0).abs() < 1e-4, "{text} {dimensions}: {length}");
            }
        }
    }

    #[test]
    fn similar_texts_are_nearer() {
        let same = likeness("The cat sat on the mat", "the cat sat on the mat!");
        let near = likeness("The cat sat on the mat", "A cat sits on a mat");
        let far = likeness(
            "The cat sat on the mat",
            "Quarterly revenue grew by nine percent",
        );
        assert!((same - 1.0).abs() < 1e-4);
        assert!(near > 0.3 && near > far + 0.2, "{near} {far}");
        assert!(likeness("invoice", "invoices") > likeness("invoice", "bicycle"));
    }

    #[test]
    fn documents_with_the_words_asked_for_come_first() {
        let asked: HashSet<String> = words("capital of France").into_iter().collect();
        let paris = relevance(&asked, "Paris is the capital of France.");
        let berlin = relevance(&asked, "Berlin is the capital of Germany.");
        let soup = relevance(&asked, "Soup is eaten with a spoon.");
        assert!(1.0 > paris && paris > berlin && berlin > soup && soup > 0.0);
    }
}
