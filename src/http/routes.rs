//! The one page that names every action and its place.

use actix_web::middleware::from_fn;
use utoipa_actix_web::{scope, service_config::ServiceConfig};

use super::middleware::require_key;
use crate::actions::{
    account::{get_credits::get_credits, get_generation::get_generation, get_key::get_key},
    catalog::{
        choices::{
            list_author_choices, list_model_choices, list_provider_choices, list_slug_choices,
            list_supported_parameters,
        },
        get_model::get_model,
        list_model_endpoints::list_model_endpoints,
        list_models::list_models,
        list_providers::list_providers,
    },
    chat::{
        ask::ask, chat_completion::chat_completion, completion::completion,
        get_ask_schema::get_ask_schema,
    },
    jobs::{cancel_job::cancel_job, get_job::get_job, get_job_result::get_job_result},
    media::{
        create_image::create_image, create_speech::create_speech,
        create_transcription::create_transcription, create_video::create_video,
        get_video::get_video, list_voice_choices::list_voice_choices,
    },
    triggers::{
        delete_job_hook::delete_job_hook, when_a_job_finishes::when_a_job_finishes,
        when_a_model_is_added::when_a_model_is_added, when_credits_run_low::when_credits_run_low,
    },
    vectors::{create_embeddings::create_embeddings, rerank::rerank},
};

/// Every action.
pub(super) fn actions(config: &mut ServiceConfig) {
    config.service(
        scope::scope("/api/v1")
            .wrap(from_fn(require_key))
            .service(ask)
            .service(chat_completion)
            .service(completion)
            .service(create_image)
            .service(create_speech)
            .service(create_transcription)
            .service(create_video)
            .service(get_video)
            .service(create_embeddings)
            .service(rerank)
            .service(get_job)
            .service(cancel_job)
            .service(get_job_result)
            .service(list_models)
            .service(get_model)
            .service(list_model_endpoints)
            .service(list_providers)
            .service(get_credits)
            .service(get_key)
            .service(get_generation)
            .service(when_a_model_is_added)
            .service(when_credits_run_low)
            .service(when_a_job_finishes)
            .service(delete_job_hook)
            .service(list_model_choices)
            .service(list_author_choices)
            .service(list_slug_choices)
            .service(list_provider_choices)
            .service(list_supported_parameters)
            .service(list_voice_choices)
            .service(get_ask_schema),
    );
}
