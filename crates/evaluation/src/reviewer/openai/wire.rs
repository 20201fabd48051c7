//! Chat Completions as it goes over the wire: the request, the chunks of a streamed answer, and errors.
//!
//! Only what is used here; whatever else a server sends is ignored.

use contract::event::Tokens;
use serde::{Deserialize, Serialize};

/// `POST {base}/chat/completions`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: [Message<'a>; 2],
    pub(super) stream: bool,
    pub(super) stream_options: StreamOptions,
    pub(super) max_completion_tokens: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// One `data:` of a streamed answer: a piece, the usage at the end, or an error in the middle.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) delta: Delta,
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta {
    pub(super) content: Option<String>,
    pub(super) refusal: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            prompt: usage.prompt_tokens,
            completion: usage.completion_tokens,
        }
    }
}

/// The body of an answer that is no success.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) error: ErrorText,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorText {
    /// A word such as `insufficient_quota`; some servers send a number.
    #[serde(default)]
    pub(super) code: serde_json::Value,
}

impl ErrorBody {
    /// Whether trying again is of no use before somebody pays.
    pub(super) fn is_out_of_credit(&self) -> bool {
        self.error
            .code
            .as_str()
            .is_some_and(|code| code == "insufficient_quota" || code.contains("credit"))
    }
}
