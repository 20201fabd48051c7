//! W3C trace context: one trace from the click through Kafka to the runner.
//!
//! A service takes the caller's context or begins one, carries it with all it asks of others, and puts its id on its logs.

use std::{fmt, future::Future, str::FromStr};

use rand::Rng;

tokio::task_local! {
    static CURRENT: Traceparent;
}

/// The header's name in HTTP and Kafka.
pub const HEADER: &str = "traceparent";

/// Which trace a piece of work belongs to, and which span of it is the parent of what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    trace: u128,
    span: u64,
    sampled: bool,
}

/// A text that is no trace context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a trace context")]
pub struct BadTraceparent;

impl Traceparent {
    /// The beginning of a new trace.
    pub fn begin() -> Self {
        let mut random = rand::rng();
        Self {
            trace: random.random_range(1..=u128::MAX),
            span: random.random_range(1..=u64::MAX),
            sampled: true,
        }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            span: rand::rng().random_range(1..=u64::MAX),
            ..self
        }
    }

    /// That of the task that runs, if it has one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| *current).ok()
    }

    /// Runs `work` with this as the current one.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The trace's id, for logs.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }
}

impl FromStr for Traceparent {
    type Err = BadTraceparent;

    fn from_str(text: &str) -> Result<Self, BadTraceparent> {
        let hex = |part: Option<&str>, length: usize| {
            let part = part.filter(|part| part.len() == length)?;
            let plain = part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            plain.then(|| u128::from_str_radix(part, 16).ok()).flatten()
        };
        let mut parts = text.split('-');
        let version = hex(parts.next(), 2).ok_or(BadTraceparent)?;
        let trace = hex(parts.next(), 32).ok_or(BadTraceparent)?;
        let span = hex(parts.next(), 16).ok_or(BadTraceparent)?;
        let flags = hex(parts.next(), 2).ok_or(BadTraceparent)?;
        let more = parts.next().is_some();
        if version == 0xff || (version == 0 && more) || trace == 0 || span == 0 {
            return Err(BadTraceparent);
        }
        Ok(Self {
            trace,
            span: u64::try_from(span).map_err(|_| BadTraceparent)?,
            sampled: flags & 1 == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let context = Traceparent::begin();
        assert_eq!(context.to_string().parse(), Ok(context));
        assert_eq!(context.child().trace_id(), context.trace_id());
    }

    #[test]
    fn refuses_what_is_none() {
        for bad in [
            "",
            "00-0-0-00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(bad.parse::<Traceparent>(), Err(BadTraceparent), "{bad}");
        }
    }

    #[tokio::test]
    async fn is_known_within_its_scope() {
        assert_eq!(Traceparent::current(), None);
        let context = Traceparent::begin();
        let seen = context.scope(async { Traceparent::current() }).await;
        assert_eq!(seen, Some(context));
    }
}
