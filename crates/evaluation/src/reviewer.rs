//! Who reviews: our own rules, a language model, or nobody. A reviewer has no say in the verdict and never sees hidden tests.

pub(crate) mod builtin;
pub(crate) mod openai;

use contract::event::{Finding, ReviewDone, ReviewStarted};
use serde::{Deserialize, Serialize};

use self::openai::OpenAi;

/// One of three.
#[derive(Debug)]
pub(crate) enum Reviewer {
    /// Static rules.
    Builtin,
    /// An OpenAI-compatible language model.
    OpenAi(Box<OpenAi>),
    /// Reviews are switched off.
    Off,
}

impl Reviewer {
    /// How it is announced; `None` when nobody reviews.
    pub(crate) fn label(&self) -> Option<ReviewStarted> {
        match self {
            Self::Builtin => Some(ReviewStarted {
                reviewer: "builtin".into(),
                model: None,
            }),
            Self::OpenAi(openai) => Some(ReviewStarted {
                reviewer: "openai".into(),
                model: Some(openai.model().to_owned()),
            }),
            Self::Off => None,
        }
    }
}

/// A whole review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Review {
    /// In the order in which they were made.
    pub(crate) findings: Vec<Finding>,
    /// What the review says as a whole.
    pub(crate) done: ReviewDone,
}

/// Why there is no review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Skip {
    /// Nobody reviews.
    Off,
    /// The model cannot be reached, refuses our requests or broke off.
    Unavailable,
    /// The model took too long.
    Timeout,
    /// The model would not answer.
    Refused,
    /// What it answered is no review.
    InvalidAnswer,
    /// A predecessor began a paid call and did not finish: it is not paid again.
    Interrupted,
    /// The account has had its calls of the day.
    Budget,
    /// It comes too late.
    Deadline,
}

impl Skip {
    /// The stable word in `review.skipped`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::InvalidAnswer => "invalid_answer",
            Self::Interrupted => "interrupted",
            Self::Budget => "budget",
            Self::Deadline => "deadline",
        }
    }
}
