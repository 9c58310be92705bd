//! The files that links lead to.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, Header, IF_RANGE, Range,
        },
    },
    route,
    web::{self, Bytes, Data},
};

use crate::{endpoint::Services, error::Result, links::File};

/// Kinds that a browser shows without running anything in them.
const SHOWN: [&str; 6] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "audio/",
    "video/",
];

/// The file of a link; no key is needed, since the address itself is one.
#[route("/api/v1/files/{id}/{name}", method = "GET", method = "HEAD")]
pub(super) async fn linked_file(
    http: HttpRequest,
    services: Data<Services>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let file = services.links.get(&path.0).await?;
    Ok(send(&http, file))
}

fn send(http: &HttpRequest, file: File) -> HttpResponse {
    let content = Bytes::from(file.content);
    let whole = content.len() as u64;
    let Ok(part) = wanted_range(http, whole) else {
        return HttpResponse::RangeNotSatisfiable()
            .insert_header((CONTENT_RANGE, format!("bytes */{whole}")))
            .finish();
    };
    let shown = SHOWN.iter().any(|kind| file.mime_type.starts_with(kind));
    let how = if shown { "inline" } else { "attachment" };
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, file.mime_type))
        .insert_header((CONTENT_DISPOSITION, format!("{how}; filename=\"{}\"", quotable(&file.name))))
        .insert_header((CACHE_CONTROL, "private, max-age=300, immutable"))
        // What a model wrote runs nothing and reaches nothing.
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'"))
        .insert_header((ACCEPT_RANGES, "bytes"));
    let content = match part {
        Some((first, last)) => {
            answer
                .status(StatusCode::PARTIAL_CONTENT)
                .insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{whole}")));
            let end = usize::try_from(last).map_or(content.len(), |last| last + 1);
            content.slice(usize::try_from(first).unwrap_or_default()..end)
        }
        None => content,
    };
    if http.method() == Method::HEAD {
        let length = content.len() as u64;
        return answer
            .no_chunking(length)
            .body(actix_web::body::SizedStream::new(
                length,
                futures_util::stream::empty::<std::io::Result<Bytes>>(),
            ));
    }
    answer.body(content)
}

/// The first and the last byte that are asked for; an error if there are no such bytes. Several
/// ranges at once are answered with the whole file, as RFC 9110 allows.
fn wanted_range(http: &HttpRequest, whole: u64) -> std::result::Result<Option<(u64, u64)>, ()> {
    if http.headers().contains_key(IF_RANGE) {
        return Ok(None);
    }
    match Range::parse(http) {
        Ok(Range::Bytes(parts)) => match parts.as_slice() {
            [part] => part.to_satisfiable_range(whole).map(Some).ok_or(()),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// A name that can stand between quotation marks in a header.
fn quotable(name: &str) -> String {
    let safe =
        |letter: char| (letter.is_ascii_graphic() || letter == ' ') && !"\"\\".contains(letter);
    name.chars()
        .map(|letter| if safe(letter) { letter } else { '_' })
        .collect()
}
