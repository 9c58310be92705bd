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
pub mod jobs;
pub mod media;
pub mod triggers;
pub mod vectors;

use tokio::runtime::Handle;

use crate::{
    endpoint::{
        Overlay, Services,
        generate::{Runners, runner},
    },
    hooks::Hooks,
    jobs::JobView,
    openrouter::ApiKey,
};

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
        triggers::when_a_model_is_added::OVERLAY,
        triggers::when_credits_run_low::OVERLAY,
        vectors::create_embeddings::OVERLAY,
        vectors::rerank::OVERLAY,
    ]
    .into_iter()
    .flatten()
}

/// How each generation is begun anew after the process that ran it went away.
#[must_use]
pub(crate) fn runners(services: &Services) -> Runners {
    Runners::from([
        runner::<chat::ask::Ask>(services),
        runner::<chat::chat_completion::ChatCompletion>(services),
        runner::<chat::completion::Completion>(services),
        runner::<media::create_image::CreateImage>(services),
        runner::<media::create_speech::CreateSpeech>(services),
        runner::<media::create_transcription::CreateTranscription>(services),
        runner::<media::create_video::CreateVideo>(services),
        runner::<vectors::create_embeddings::CreateEmbeddings>(services),
        runner::<vectors::rerank::Rerank>(services),
    ])
}

/// Tells who waits for jobs of `key` that the job `id` has ended.
pub(crate) fn tell(hooks: &Hooks, key: &ApiKey, id: &str, view: &JobView) {
    let status = jobs::view::JobStatus::of(id.to_owned(), view);
    let event = triggers::when_a_job_finishes::JobEvent::of(status).into_json();
    // Outside a runtime the process is ending.
    if let (Ok(event), Ok(runtime)) = (event, Handle::try_current()) {
        let (hooks, key) = (hooks.clone(), key.clone());
        runtime.spawn(async move { hooks.notify(&key, event).await });
    }
}
