//! The query and the path of a request, read as leniently and checked as strictly as a body.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

use super::{
    body::{check, read},
    lenient::Lenient,
};
use crate::error::{Error, Result};

/// The query of a request as `T`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned + Validate>(query: &str) -> Result<T> {
    let mut parameters = Map::new();
    for (name, value) in reqwest::Url::parse("http://query/")
        .map(|mut url| {
            url.set_query(Some(query));
            url
        })
        .iter()
        .flat_map(reqwest::Url::query_pairs)
    {
        if parameters
            .insert(name.to_string(), Value::String(value.into_owned()))
            .is_some()
        {
            return Err(Error::invalid(
                name.clone(),
                format!("{name} stands twice."),
            ));
        }
    }
    let input = read(Lenient::query(parameters))?;
    check(&input)?;
    Ok(input)
}

/// The parts of a request's path as `T`.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Path<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parts = request
            .match_info()
            .iter()
            .map(|(name, part)| (name.to_owned(), Value::String(decoded(part))))
            .collect();
        ready(read(Lenient::query(parts)).and_then(|input| {
            check(&input)?;
            Ok(Self(input))
        }))
    }
}

/// A part of the path without its escapes; the router leaves those of reserved characters.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        search: Option<String>,
        #[serde(default)]
        free: Option<bool>,
        #[serde(default)]
        #[validate(range(min = 1, max = 10))]
        limit: Option<u32>,
    }

    #[test]
    fn parameters_are_read_by_type() {
        let sample: Sample = parse("search=a%20b%2Bc&free=TRUE&limit=3&x-extra=1").unwrap();
        assert_eq!(sample.search.as_deref(), Some("a b+c"));
        assert_eq!((sample.free, sample.limit), (Some(true), Some(3)));
        let blank: Sample = parse("search=&free=&limit=").unwrap();
        assert_eq!((blank.search, blank.free, blank.limit), (None, None, None));
    }

    #[test]
    fn faults_name_the_parameter() {
        for (query, field) in [
            ("limit=many", "limit"),
            ("limit=0", "limit"),
            ("limit=1&limit=2", "limit"),
            ("free=perhaps", "free"),
            ("serch=x", "serch"),
        ] {
            let error = parse::<Sample>(query).unwrap_err();
            assert_eq!(error.field(), Some(field), "{query}");
        }
        let error = parse::<Sample>("serch=x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "There is no field serch. Did you mean search?"
        );
    }
}
