//! The catalogue: models, their endpoints, providers, and the designer's dropdowns.

pub mod choices;
pub mod filter;
pub mod get_model;
pub mod list_model_endpoints;
pub mod list_models;
pub mod list_providers;
pub mod row;
