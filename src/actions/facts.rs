//! What every answer but a chat's carries: who answered, what it cost, what was ignored.

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::telemetry;

/// Who answered, what it cost, what was ignored.
#[skip_serializing_none]
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct CallFacts {
    /// ID
    ///
    /// The id of the generation; Get generation takes it.
    pub id: Option<String>,
    /// Model
    ///
    /// The model that answered.
    pub model: Option<String>,
    /// Cost
    ///
    /// What the call cost, in USD.
    pub cost: Option<f64>,
    /// Warnings
    ///
    /// What was ignored, adjusted or is not supported by the model; empty if nothing.
    pub warnings: Vec<String>,
    /// Status
    ///
    /// The state of the call: completed, or running while it goes on in the background.
    pub status: String,
    /// Job ID
    ///
    /// The id of the background job, if the call goes on in the background.
    pub job_id: Option<String>,
}

impl CallFacts {
    /// What is known while the job `job_id` goes on.
    #[must_use]
    pub fn running(job_id: String) -> Self {
        Self {
            status: "running".to_owned(),
            job_id: Some(job_id),
            ..Self::default()
        }
    }

    /// The facts of an answer that is complete.
    #[must_use]
    pub fn completed(
        id: Option<String>,
        model: String,
        cost: Option<f64>,
        warnings: Vec<String>,
    ) -> Self {
        telemetry::note_model(&model);
        telemetry::note(|call| call.cost = cost);
        if let Some(id) = &id {
            telemetry::note_generation(id);
        }
        let status = "completed".to_owned();
        Self {
            id,
            model: Some(model),
            cost,
            warnings,
            status,
            job_id: None,
        }
    }
}
