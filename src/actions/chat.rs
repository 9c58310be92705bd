//! Conversations and texts.

pub mod answer;
pub mod ask;
pub mod chat_completion;
pub mod completion;
pub mod get_ask_schema;
pub mod message;
pub mod options;
pub mod structured;
