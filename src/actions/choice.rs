//! The entries of a dropdown, whatever fills it.

use serde::Serialize;
use utoipa::ToSchema;

/// The entries of a dropdown.
#[derive(Debug, Serialize, ToSchema)]
pub struct Choices {
    /// Value
    ///
    /// The entries.
    pub value: Vec<ChoiceRow>,
}

/// An entry of a dropdown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceRow {
    /// ID
    ///
    /// What is sent.
    pub id: String,
    /// Name
    ///
    /// What is shown.
    pub name: String,
}
