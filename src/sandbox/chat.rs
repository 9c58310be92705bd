//! `POST /chat/completions` and the legacy `POST /completions`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::Value;

use super::errors::Refusal;
use super::generations::{Facts, new_id};
use super::incoming::{App, InferenceCaller, JsonBody, invalid};
use super::misbehaviour::{Fault, json_after};
use super::{State, lock};

mod compose;
mod render;
mod request;
mod routing;
mod tools;

use render::Kind;
use request::Conversation;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/chat/completions", web::post().to(chat))
        .route("/completions", web::post().to(completion));
}

async fn chat(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    answer(Kind::Chat, &app, &body, &state)
}

async fn completion(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    body.text("prompt")?;
    if body.contains_key("messages") {
        return Err(invalid("messages", "belongs to chat/completions"));
    }
    answer(Kind::Text, &app, &body, &state)
}

fn answer(kind: Kind, app: &App, body: &JsonBody, state: &State) -> Result<HttpResponse, Refusal> {
    request::check_ranges(body)?;
    let conversation = Conversation::read(body)?;
    let route = routing::route(body, &conversation)?;
    if let Some(fault) = route.model.fault
        && let Some(failure) = fault.instead_of_answer(&conversation.prompt)?
    {
        return Ok(failure);
    }
    let answer = compose::compose(body, &conversation, &route)?;
    let id = new_id("gen");
    let streamed = body.get("stream") == Some(&Value::Bool(true));
    let session = body
        .get("session_id")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let app = App {
        session: session.or_else(|| app.session.clone()),
        ..app.clone()
    };
    let facts = Facts {
        id: &id,
        api_type: "completions",
        model: route.model,
        provider: route.provider,
        used: answer.used,
        cost: answer.used.cost(route.model),
        app: &app,
        finish: Some((answer.finish, render::native(answer.finish, &route))),
        streamed,
        router: route.router(),
        user: body.get("user").and_then(Value::as_str),
        media_in: conversation.attachments.len(),
    };
    lock(&state.generations).remember(&id, facts.record());
    if streamed {
        return Ok(render::stream(kind, &id, &answer, &route, app.explain));
    }
    let body = render::body(kind, &id, &answer, &route, app.explain);
    let delay = route.model.fault.and_then(Fault::delay);
    Ok(json_after(delay, &id, &body))
}

#[cfg(test)]
mod tests;
