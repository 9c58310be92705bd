//! The HTTP side: routes, the OpenAPI document made from them, middleware, and the pages for
//! operators and developers.

pub mod document;
mod files;
mod middleware;
mod ops;
mod quota;
mod routes;

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};
use utoipa_actix_web::AppExt;

use crate::{
    config::WebAddress,
    endpoint::{BodyLimit, Services},
};

/// The whole application of one worker; `limit` bounds a request's body in bytes.
pub fn app(
    services: Services,
    limit: usize,
    public_url: WebAddress,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        // Before the actions, whose scope asks for a key.
        .service(files::linked_file)
        .into_utoipa_app()
        .configure(routes::actions)
        .into_app()
        .app_data(web::Data::new(services))
        .app_data(web::Data::new(BodyLimit(limit)))
        .app_data(web::PayloadConfig::new(limit))
        .app_data(web::Data::new(public_url))
        .configure(ops::pages)
        .default_service(web::to(ops::nothing_here))
        .wrap(from_fn(middleware::observe))
}
