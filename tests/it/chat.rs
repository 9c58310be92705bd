//! Conversations and texts.

mod attachments;
mod chat_completion;
mod completion;
mod options;
