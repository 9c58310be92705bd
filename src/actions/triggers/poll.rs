//! What a polled trigger answers: the events, if there are any, and where to look next.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
};
use serde::Serialize;
use utoipa::IntoResponses;

use crate::{
    endpoint::{BASE_PATH, PublicAddress, json, written},
    error::seconds_up,
};

/// The query parameter that holds what a trigger remembers.
const STATE: &str = "state";

/// The answer to one look: `200` with the events, or `202` if there are none.
#[derive(Debug)]
pub struct Poll<T> {
    /// What has happened since the last look.
    pub events: Vec<T>,
    /// What the next look must know, in characters that an address may have.
    pub state: String,
    /// How long to wait until the next look.
    pub wait: Duration,
}

/// The answer to a look that finds nothing.
#[derive(Debug, IntoResponses)]
#[response(
    status = 202,
    description = "Nothing new.",
    headers(
        ("Location" = String, description = "The address of the next look."),
        ("Retry-After" = i32, description = "Seconds until the next look."),
    )
)]
pub struct NothingNew;

impl<T: Serialize> Responder for Poll<T> {
    type Body = BoxBody;

    fn respond_to(self, http: &HttpRequest) -> HttpResponse {
        let mut answer = if self.events.is_empty() {
            HttpResponse::new(StatusCode::ACCEPTED)
        } else {
            match written(&self.events) {
                Ok(body) => json(StatusCode::OK, body),
                Err(error) => return HttpResponse::from_error(error),
            }
        };
        let headers = answer.headers_mut();
        headers.insert(RETRY_AFTER, seconds_up(self.wait).into());
        if let Ok(address) = next_look(http, &self.state).try_into() {
            headers.insert(LOCATION, address);
        }
        answer
    }
}

/// The address that was asked, with whatever the maker set and the new state.
fn next_look(http: &HttpRequest, state: &str) -> String {
    let path = http.path().strip_prefix(BASE_PATH).unwrap_or_default();
    let query = form_urlencoded::parse(http.query_string().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query.filter(|(name, _)| name != STATE))
        .append_pair(STATE, state)
        .finish();
    format!("{}{path}?{query}", PublicAddress::base(http))
}

#[cfg(test)]
mod tests {
    use actix_web::{test::TestRequest, web::Data};

    use super::*;
    use crate::config::WebAddress;

    #[test]
    fn the_next_look_has_what_was_asked_and_the_new_state() {
        let url = WebAddress::try_from("https://gw.example.com/models".to_owned()).unwrap();
        let http = TestRequest::with_uri(
            "/api/v1/triggers/models?search=a%26b+%C3%A9&state=old&min_context=5",
        )
        .app_data(Data::new(url))
        .to_http_request();
        assert_eq!(
            next_look(&http, "new_1-"),
            "https://gw.example.com/models/api/v1/triggers/models?search=a%26b+%C3%A9&min_context=5&state=new_1-"
        );
    }
}
