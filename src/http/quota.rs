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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, limits::Limits, openrouter::ApiKey, store::Store};

    #[tokio::test]
    async fn a_call_is_served_until_its_body_is_dropped() {
        let variables = [
            ("OPENROUTER_CONNECTOR__STORE__URL", "sqlite::memory:"),
            ("OPENROUTER_CONNECTOR__LIMITS__IN_FLIGHT", "1"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = config::load(None, variables.into_iter(), Vec::new()).unwrap();
        let store = Store::open(&config.store).await.unwrap();
        let limits = Limits::new(store, &config.limits);
        let key = ApiKey::new("sk-or-1").unwrap();
        let admitted = limits.admit(&key).await.ok().unwrap();
        let body = InFlight::new(BoxBody::new("answer"), admitted.flight);
        assert_eq!(body.size(), BodySize::Sized(6));
        let body = body.boxed();
        assert!(limits.admit(&key).await.is_err());
        drop(body);
        assert!(limits.admit(&key).await.is_ok());
    }

    #[test]
    fn what_is_left_is_told_in_whole_seconds() {
        let mut headers = HeaderMap::new();
        let policy = Some((100, Duration::from_millis(59_500)));
        let standing = |wait| {
            Some(Standing {
                admitted: true,
                left: 37,
                wait: Duration::from_millis(wait),
            })
        };
        tell(&mut headers, None, standing(1));
        assert!(headers.is_empty());
        tell(&mut headers, policy, None);
        assert_eq!(headers.get(POLICY).unwrap(), "\"connection\";q=100;w=60");
        assert!(!headers.contains_key(STANDING));
        tell(&mut headers, policy, standing(11_001));
        assert_eq!(headers.get(STANDING).unwrap(), "\"connection\";r=37;t=12");
        tell(&mut headers, policy, standing(0));
        assert_eq!(headers.get(STANDING).unwrap(), "\"connection\";r=37");
    }
}
