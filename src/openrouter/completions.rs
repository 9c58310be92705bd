//! `/completions`: the legacy text completion, which OpenRouter serves but does not document.

use serde::Serialize;

use super::{
    ApiKey, Client,
    chat::{ChatResponse, Options},
    client::Call,
    error::NO_SUCH_PATH,
};
use crate::error::Result;

/// A text to be continued.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CompletionRequest {
    /// The model's id.
    pub model: String,
    /// The text.
    pub prompt: String,
    /// Everything else.
    #[serde(flatten)]
    pub options: Options,
}

impl Client {
    /// Continues a text; `None` if upstream has no such path any more.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses, and an answer with nothing in it.
    pub async fn complete(
        &self,
        key: &ApiKey,
        request: &CompletionRequest,
    ) -> Result<Option<ChatResponse>> {
        let call = Call::post("/completions", key, request)?;
        match self.ask::<ChatResponse>(call).await {
            Ok(answer) => answer.not_empty().map(Some),
            Err(error) if error.upstream_code() == Some(NO_SUCH_PATH) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
