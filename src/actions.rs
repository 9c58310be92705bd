//! The connector: a folder per area, a file per action.
//!
//! An action file holds what goes in, what comes out, the handler with its annotations, and the
//! mapping between them and OpenRouter. An action imports no other action.

pub mod account;
pub mod catalog;
pub mod chat;
pub mod choice;
pub mod facts;
pub mod file;
pub mod media;
pub mod triggers;
pub mod vectors;

use crate::endpoint::Overlay;

/// What the definition says beyond the types, of all actions.
pub(crate) fn overlays() -> impl Iterator<Item = &'static Overlay> {
    [
        chat::options::OVERLAY,
        chat::ask::OVERLAY,
        chat::chat_completion::OVERLAY,
        chat::completion::OVERLAY,
        chat::message::OVERLAY,
        catalog::filter::OVERLAY,
        catalog::get_model::OVERLAY,
        catalog::list_model_endpoints::OVERLAY,
        catalog::list_models::OVERLAY,
        file::OVERLAY,
        media::create_image::OVERLAY,
        media::create_speech::OVERLAY,
        media::create_transcription::OVERLAY,
        media::create_video::OVERLAY,
        media::languages::OVERLAY,
        triggers::when_a_job_finishes::OVERLAY,
        vectors::create_embeddings::OVERLAY,
        vectors::rerank::OVERLAY,
    ]
    .into_iter()
    .flatten()
}
