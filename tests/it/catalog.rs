//! The catalogue: models, their endpoints, providers, and the designer's dropdowns.

mod cache;
mod get_model;
mod list_author_choices;
mod list_model_choices;
mod list_model_endpoints;
mod list_models;
mod list_provider_choices;
mod list_providers;
mod list_slug_choices;
mod list_supported_parameters;
