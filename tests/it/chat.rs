//! Conversations and texts.

mod ask;
mod attachments;
mod chat_completion;
mod completion;
mod get_ask_schema;
mod options;
mod structured;
