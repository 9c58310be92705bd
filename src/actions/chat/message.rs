//! The turns of a conversation, and the files that join them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    actions::file::{FileInput, Placed},
    endpoint::Overlay,
    error::{Error, Result},
    openrouter::{
        chat::{Content, Message, Part},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[Overlay {
    at: crate::endpoint::overlay::At::Schema("Role"),
    set: &[crate::endpoint::overlay::Set::Names(&[
        ("system", "System"),
        ("user", "User"),
        ("assistant", "Assistant"),
    ])],
}];

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions to the model.
    System,
    /// The one who asks.
    #[default]
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The role's name upstream.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// An earlier turn of the conversation.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EarlierMessage {
    /// Role
    ///
    /// Who said it: system, user or assistant.
    pub role: Role,
    /// Content
    ///
    /// What was said.
    pub content: String,
}

/// A message of text alone.
#[must_use]
pub fn text(role: Role, content: impl Into<String>) -> Message {
    Message {
        role: role.name().to_owned(),
        content: Content::Text(content.into()),
    }
}

/// A message with files. What the model cannot take is left out and named in `warnings`.
///
/// # Errors
///
/// `400` with the path of a file that cannot be read, or of the first one if nothing of the
/// message is left for the model.
pub fn with_files(
    role: Role,
    content: String,
    path: &str,
    files: Vec<FileInput>,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<Message> {
    if files.is_empty() {
        return Ok(text(role, content));
    }
    let mut parts = Vec::new();
    if !content.is_empty() {
        parts.push(Part::Text { text: content });
    }
    for (index, file) in files.into_iter().enumerate() {
        match file
            .load(&format!("{path}[{index}]"))?
            .into_part(model, warnings)?
        {
            Placed::Part(part) => parts.push(part),
            Placed::LeftOut(warning) => warnings.push(warning),
        }
    }
    if parts.is_empty() {
        return Err(Error::invalid(
            path.to_owned(),
            format!(
                "The model {} cannot take any of the files, and there is no text.",
                model
                    .and_then(|model| model.id.as_deref())
                    .unwrap_or_default()
            ),
        ));
    }
    Ok(Message {
        role: role.name().to_owned(),
        content: Content::Parts(parts),
    })
}

/// The bytes of text in a message; what files cost in tokens only the model's provider knows.
#[must_use]
pub fn text_bytes(message: &Message) -> usize {
    match &message.content {
        Content::Text(text) => text.len(),
        Content::Parts(parts) => parts
            .iter()
            .map(|part| {
                if let Part::Text { text } = part {
                    text.len()
                } else {
                    0
                }
            })
            .sum(),
    }
}
