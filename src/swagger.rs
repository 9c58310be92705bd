//! The connector's definition: the service's `OpenAPI` 3.1 document lowered to the Swagger 2.0 that
//! Power Platform imports, linted by the platform's rules, and written the same way every time.

mod canonical;
mod fields;
mod lint;
mod lower;
mod operation;
mod parameter;
#[cfg(test)]
mod proptests;
mod response;
mod schema;

pub use canonical::canonical;
pub use lint::{Finding, lint};
pub use lower::lower;

/// Where the connector finds the service. It replaces the 3.1 document's `servers`, which name the
/// address the document was served from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Bare host name, with `:port` when it is not the scheme's own.
    pub host: String,
    /// What every path of the document starts with, such as `/api`.
    pub base_path: String,
    /// `https`; anything else is for local tries.
    pub scheme: String,
}

/// Something in the 3.1 document that Swagger 2.0 or Power Platform cannot say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct LowerError {
    /// RFC 6901 JSON pointer into the 3.1 document.
    pub pointer: String,
    /// What cannot be said, and what to write instead where there is one answer.
    pub message: String,
}

impl LowerError {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// The pointer to the member `key` of what `at` points to, escaped as RFC 6901 wants.
fn join(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::{LowerError, join};

    #[test]
    fn a_pointer_escapes_tilde_before_slash() {
        assert_eq!(join("/paths", "/a~b"), "/paths/~1a~0b");
    }

    #[test]
    fn an_error_reads_pointer_first() {
        let error = LowerError::new("/info", "no title");
        assert_eq!(error.to_string(), "/info: no title");
    }
}
