//! OpenRouter's models as ordinary actions of Power Automate, Logic Apps, Power Apps and Copilot
//! Studio: one service, and the connector definition that it generates from its own types.
//!
//! The house, from the street inwards; an arrow goes down this list only:
//!
//! - [`cli`] reads the command line; [`app`] builds and runs the service.
//! - [`http`] has the routes, the OpenAPI document, middleware and pages.
//! - [`actions`] is the connector: a folder per area, a file per action.
//! - [`endpoint`] is what action files are made of: key, input, answer, overlay.
//! - [`catalog`] is the cached list of models.
//! - [`openrouter`] is the upstream client and its types.
//! - [`jobs`] are calls that outlive their caller.
//! - [`limits`] says how much a connection may ask for.
//! - [`links`] lead to the files of answers for a while.
//! - [`hooks`] keeps who waits to be told of something; [`callbacks`] is the client that tells them.
//! - [`store`] keeps, sealed, what must outlive a call.
//! - [`telemetry`], [`config`] and [`error`] serve all of them.
//!
//! Beside the house stand [`swagger`], which turns the OpenAPI document into the connector's
//! Swagger 2.0 definition, and [`sandbox`], a simulated OpenRouter.

pub mod actions;
pub mod app;
pub mod callbacks;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod endpoint;
pub mod error;
pub mod hooks;
pub mod http;
pub mod jobs;
pub mod limits;
pub mod links;
pub mod openrouter;
pub mod sandbox;
pub mod store;
pub mod swagger;
pub mod telemetry;
