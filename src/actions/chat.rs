//! Conversations and texts.

pub mod answer;
pub mod chat_completion;
pub mod completion;
pub mod message;
pub mod options;
pub(crate) mod structured;
