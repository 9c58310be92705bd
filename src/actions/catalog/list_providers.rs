//! List providers: the companies that run the models.

use actix_web::{get, web::Data};
use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::{
    endpoint::{ActionErrors, Answer, Services},
    error::Result,
    openrouter::{ApiKey, models::Provider},
};

/// The providers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListProvidersResponse {
    /// Data
    ///
    /// The providers.
    pub data: Vec<ProviderRow>,
}

/// A company that runs models.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderRow {
    /// Provider Name
    ///
    /// The provider's name.
    pub name: Option<String>,
    /// Provider Slug
    ///
    /// The short name to use in Provider Order, Provider Only and Provider Ignore.
    pub slug: Option<String>,
    /// Privacy Policy URL
    ///
    /// The address of the privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Terms of Service URL
    ///
    /// The address of the terms of service.
    pub terms_of_service_url: Option<String>,
    /// Status Page URL
    ///
    /// The address of the status page.
    pub status_page_url: Option<String>,
    /// Headquarters
    ///
    /// The country of the company, as a code of two letters.
    pub headquarters: Option<String>,
    /// Datacenters
    ///
    /// The countries of the data centers, as codes of two letters.
    pub datacenters: Vec<String>,
}

/// List providers
///
/// Returns the companies that run the models, with their policies and locations.
#[utoipa::path(
    operation_id = "ListProviders", tag = "Models",
    responses((status = 200, description = "The providers.", body = ListProvidersResponse), ActionErrors)
)]
#[get("/providers")]
pub(crate) async fn list_providers(
    services: Data<Services>,
    key: ApiKey,
) -> Result<Answer<ListProvidersResponse>> {
    let providers = services.openrouter.providers(&key).await?;
    Ok(Answer(ListProvidersResponse {
        data: providers
            .into_iter()
            .map(ProviderRow::from_upstream)
            .collect(),
    }))
}

impl ProviderRow {
    fn from_upstream(provider: Provider) -> Self {
        Self {
            name: provider.name,
            slug: provider.slug,
            privacy_policy_url: provider.privacy_policy_url,
            terms_of_service_url: provider.terms_of_service_url,
            status_page_url: provider.status_page_url,
            headquarters: provider.headquarters,
            datacenters: provider.datacenters,
        }
    }
}
