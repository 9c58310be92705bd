//! Pages that are not actions: health, the definition, the OpenAPI document, Swagger UI.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue, LOCATION},
    },
    route,
    web::{self, Data, ServiceConfig},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::document::OPERATIONS;
use crate::{
    config::WebAddress,
    endpoint::{BASE_PATH, PublicAddress, Services, json as json_answer},
    error::{Error, Kind},
};

/// The checked-in definition; a test holds it equal to what this build would write.
const DEFINITION: &str = include_str!("../../apiDefinition.swagger.json");

/// The checked-in OpenAPI document; a test holds it equal to what this build would write.
const OPENAPI: &str = include_str!("../../openapi/openapi.json");

/// Adds the pages.
pub(super) fn pages(config: &mut ServiceConfig) {
    let ui = Config::new(["/openapi.json"])
        .try_it_out_enabled(true)
        .display_request_duration(true)
        .default_models_expand_depth(-1);
    config
        .service(health)
        .service(ready)
        .service(definition)
        .service(openapi)
        .route("/", web::get().to(to_swagger_ui))
        .route("/swagger-ui", web::get().to(to_swagger_ui))
        .service(SwaggerUi::new("/swagger-ui/{_:.*}").config(ui));
}

/// Whether the process is alive.
#[route("/health", method = "GET", method = "HEAD")]
async fn health() -> impl Responder {
    json_answer(StatusCode::OK, r#"{"status":"alive"}"#.into())
}

/// Whether the service takes calls: it is not stopping, and its store can be reached.
#[route("/ready", method = "GET", method = "HEAD")]
async fn ready(services: Data<Services>) -> Result<HttpResponse, Error> {
    services.jobs.ready().await?;
    Ok(json_answer(StatusCode::OK, r#"{"status":"ready"}"#.into()))
}

/// The definition to import, naming the address at which this service is reached.
#[route("/apiDefinition.swagger.json", method = "GET", method = "HEAD")]
async fn definition(request: HttpRequest, public_url: Data<WebAddress>) -> HttpResponse {
    page(DEFINITION, |definition| {
        let Some(address) = PublicAddress::of(&request, &public_url) else {
            return;
        };
        definition["basePath"] = format!("{}{BASE_PATH}", address.prefix).into();
        definition["host"] = address.host.into();
        // Without a configured address, https: the platform imports nothing else.
        definition["schemes"] = json!([address.scheme.unwrap_or_else(|| "https".to_owned())]);
    })
}

/// The OpenAPI 3.1 document, for Swagger UI and other tools.
#[route("/openapi.json", method = "GET", method = "HEAD")]
async fn openapi(public_url: Data<WebAddress>) -> HttpResponse {
    page(OPENAPI, |document| {
        if !public_url.as_str().is_empty() {
            document["servers"] = json!([{"url": public_url.as_str()}]);
        }
    })
}

async fn to_swagger_ui() -> impl Responder {
    HttpResponse::Found()
        .insert_header((LOCATION, "/swagger-ui/"))
        .finish()
}

fn page(text: &str, change: impl FnOnce(&mut Value)) -> HttpResponse {
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    change(&mut document);
    let mut body = Vec::new();
    let spaces = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut body, spaces);
    match document.serialize(&mut writer) {
        Ok(()) => {
            let mut answer = json_answer(StatusCode::OK, body.into());
            // It names the host that was asked, so that no cache may hand it to others.
            let headers = answer.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(cause) => HttpResponse::from_error(
            Error::new(Kind::Internal, "The document could not be written.").because(cause),
        ),
    }
}

/// The answer for whatever is not there: a wrong method for a path that is, or nothing at all.
pub(super) async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Error> {
    let methods: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.fits(request.path()))
        .map(|operation| operation.method.as_str())
        .collect();
    if methods.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            "There is no such path; the definition at /apiDefinition.swagger.json names all.",
        ));
    }
    let allowed = methods.join(", ");
    let message = format!("This path takes {allowed} only.");
    Err(Error::new(Kind::MethodNotAllowed, message).allow(allowed))
}
