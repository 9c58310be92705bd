//! What answers say of the limit of calls, and how long a call counts as being served.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    web::Bytes,
};

use crate::{
    error::seconds_up,
    limits::{Flight, Standing},
};

/// The fields of draft-ietf-httpapi-ratelimit-headers, in its form since the 9th draft.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Tells the limit, the calls that are left, and in how many seconds there will be more.
pub(super) fn tell(
    headers: &mut HeaderMap,
    policy: Option<(u32, Duration)>,
    standing: Option<Standing>,
) {
    let Some((calls, window)) = policy else {
        return;
    };
    let window = seconds_up(window);
    set(
        headers,
        POLICY,
        &format!("\"connection\";q={calls};w={window}"),
    );
    let Some(Standing { left, wait, .. }) = standing else {
        return;
    };
    let until = if wait.is_zero() {
        String::new()
    } else {
        format!(";t={}", seconds_up(wait))
    };
    set(
        headers,
        STANDING,
        &format!("\"connection\";r={left}{until}"),
    );
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The body of an answer whose call counts as being served until it is dropped.
pub(super) struct InFlight {
    body: BoxBody,
    _flight: Flight,
}

impl InFlight {
    pub(super) fn new(body: BoxBody, flight: Flight) -> Self {
        Self {
            body,
            _flight: flight,
        }
    }
}

impl MessageBody for InFlight {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
