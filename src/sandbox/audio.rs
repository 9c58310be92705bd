//! `POST /audio/speech` and `POST /audio/transcriptions`: a tone for each word, and what was heard.

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use data_encoding::BASE64;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::catalogue::{Model, find_for};
use super::errors::Refusal;
use super::generations::{Facts, new_id};
use super::incoming::{App, InferenceCaller, JsonBody, invalid, number_in};
use super::misbehaviour::{Fault, json_after};
use super::usage::{Used, float, rounded, tokens};
use super::{State, lock};

pub(super) mod measure;
mod mp3;
pub(super) mod tones;

/// The longest text that is read aloud, in characters.
const LONGEST_TEXT: usize = 4_096;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/audio/speech", web::post().to(speak))
        .route("/audio/transcriptions", web::post().to(transcribe));
}

async fn speak(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let model = find_for(body.text("model")?, "speech", "audio/speech")?;
    let input = body.text("input")?;
    let characters = input.chars().count();
    if characters > LONGEST_TEXT {
        let message = format!("input: {characters} characters, at most {LONGEST_TEXT} are allowed");
        return Err(Refusal::new(400, message).kind("string_too_long"));
    }
    let format = body
        .word("response_format", &["mp3", "pcm"])?
        .unwrap_or("pcm");
    let speed = number_in(&body, "speed", 0.25, 4.0)?.unwrap_or(1.0);
    let voice = voice(&body, model)?;
    if let Some(failure) = failure(model, input)? {
        return Ok(failure);
    }
    let notes = tones::melody(input, voice, speed);
    let (mut sound, media_type) = match format {
        "mp3" => (mp3::encode(&notes), "audio/mpeg"),
        _ => (tones::pcm(&notes), "audio/pcm"),
    };
    if matches!(model.fault, Some(Fault::Empty | Fault::EmptyChoice)) {
        sound.clear();
    }
    let id = new_id("gen");
    let used = Used {
        prompt: tokens(input),
        ..Used::default()
    };
    // Speech is charged by the character, and the list price is per character.
    let cost = rounded(float(super::usage::count(characters)) * model.price("prompt"));
    let facts = Facts::of(&id, "tts", model, used, cost, &app);
    lock(&state.generations).remember(&id, facts.record());
    if let Some(delay) = model.fault.and_then(Fault::delay) {
        tokio::time::sleep(delay).await;
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header(("X-Generation-Id", id))
        .content_type(media_type);
    if model.fault == Some(Fault::ErrorAfterText) {
        sound.truncate(sound.len() / 2);
        return Ok(response.streaming(breaking_off(sound)));
    }
    Ok(response.body(sound))
}

/// The voice, which models that have voices want to be told.
fn voice<'a>(body: &'a JsonBody, model: &Model) -> Result<&'a str, Refusal> {
    let voice = body.get("voice").and_then(Value::as_str);
    if model.voices.is_empty() {
        return Ok(voice.unwrap_or_default());
    }
    match voice {
        Some(voice) if model.voices.contains(&voice) => Ok(voice),
        Some(voice) => {
            let known = model.voices.join(", ");
            Err(invalid("voice", &format!("{voice} is not one of {known}")))
        }
        None => Err(invalid("voice", "Required")),
    }
}

/// What comes in place of sound or text when the model fails altogether.
fn failure(model: &Model, prompt: &str) -> Result<Option<HttpResponse>, Refusal> {
    match model.fault {
        Some(fault) => fault.instead_of_answer(prompt),
        None => Ok(None),
    }
}

fn breaking_off(start: Vec<u8>) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    let broken = async {
        // The first part must have left before the end comes.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    stream::iter([Ok(Bytes::from(start))]).chain(stream::once(broken))
}

async fn transcribe(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let model = find_for(body.text("model")?, "transcription", "audio/transcriptions")?;
    let (sound, format) = recording(&body)?;
    body.number("temperature", 0.0, 1.0)?;
    let verbose = body.word("response_format", &["json", "verbose_json"])? == Some("verbose_json");
    if verbose && !["openai", "sandbox"].contains(&model.author()) {
        let complaint = "verbose_json is not supported by this provider";
        return Err(invalid("response_format", complaint));
    }
    let language = language(&body)?;
    if let Some(failure) = failure(model, "(recording)")? {
        return Ok(failure);
    }
    let seconds = measure::seconds(&sound, format);
    let text = match model.fault {
        Some(Fault::Empty | Fault::EmptyChoice) => String::new(),
        Some(Fault::ErrorAfterText) => {
            return Err(Refusal::new(502, "Provider returned error").kind("provider_unavailable"));
        }
        _ => format!(
            "This is the simulated transcript of a recording of {seconds} seconds in {format}, \
             {}. The language is “{}”.",
            super::answers::bytes(sound.len()),
            language.unwrap_or("en"),
        ),
    };
    let used = Used {
        prompt: measure::tokens(seconds),
        completion: tokens(&text),
        ..Used::default()
    };
    let cost = rounded(seconds * model.price("audio"));
    let id = new_id("gen");
    let facts = Facts {
        media_in: 1,
        ..Facts::of(&id, "stt", model, used, cost, &app)
    };
    lock(&state.generations).remember(&id, facts.record());
    let mut answer = json!({ "text": text, "usage": { "seconds": seconds, "cost": cost } });
    // Whisper counts seconds only; the others count tokens as well.
    if !model.id.contains("whisper") {
        answer["usage"]["input_tokens"] = used.prompt.into();
        answer["usage"]["output_tokens"] = used.completion.into();
        answer["usage"]["total_tokens"] = (used.prompt + used.completion).into();
    }
    if verbose {
        tell_everything(&mut answer, &body, &text, seconds, language.unwrap_or("en"));
    }
    Ok(json_after(model.fault.and_then(Fault::delay), &id, &answer))
}

fn recording(body: &JsonBody) -> Result<(Vec<u8>, &str), Refusal> {
    let word = |key: &str| {
        let value = body.get("input_audio").and_then(|audio| audio.get(key));
        let missing = || invalid(&format!("input_audio.{key}"), "Required");
        value
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(missing)
    };
    let (data, format) = (word("data")?, word("format")?);
    let sound = BASE64.decode(data.as_bytes()).map_err(|_| {
        // A data URL ends here as well: its head is not base64.
        invalid("input_audio.data", "is not raw base64")
    })?;
    Ok((sound, format))
}

fn language(body: &JsonBody) -> Result<Option<&str>, Refusal> {
    match body.get("language").and_then(Value::as_str) {
        Some(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            Ok(Some(code))
        }
        Some(_) => Err(invalid("language", "expected a code of two letters")),
        None => Ok(None),
    }
}

/// Adds what `verbose_json` tells: the language, the length, and when each part was said.
fn tell_everything(answer: &mut Value, body: &JsonBody, text: &str, seconds: f64, language: &str) {
    answer["task"] = "transcribe".into();
    answer["language"] = language.into();
    answer["duration"] = seconds.into();
    let middle = rounded(seconds / 2.0);
    let cut = text.find(". ").map_or(text.len(), |end| end + 1);
    let (first, second) = text.split_at(cut);
    let parts = [(first, 0.0, middle), (second, middle, seconds)];
    let segments = parts.iter().enumerate().map(|(id, (text, start, end))| {
        json!({
            "id": id,
            "seek": 0,
            "start": start,
            "end": end,
            "text": text,
            "tokens": [],
            "temperature": 0,
            "avg_logprob": -0.25,
            "compression_ratio": 1.1,
            "no_speech_prob": 0.01,
        })
    });
    answer["segments"] = segments.collect();
    let by_word = body
        .get("timestamp_granularities")
        .and_then(Value::as_array);
    if by_word.is_some_and(|wanted| wanted.iter().any(|one| one == "word")) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let step = seconds / float(super::usage::count(words.len().max(1)));
        let at = |place: usize| rounded(float(super::usage::count(place)) * step);
        let timed = words
            .iter()
            .enumerate()
            .map(|(place, word)| json!({ "word": word, "start": at(place), "end": at(place + 1) }));
        answer["words"] = timed.collect();
    }
}

#[cfg(test)]
mod tests;
