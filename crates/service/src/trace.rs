//! Traces across services: the W3C `traceparent` of the work that is being done, carried over HTTP and through Kafka.
//!
//! A request or a job runs in a scope that knows its trace; calls and messages made in the scope carry it on. A header that is
//! not well-formed is replaced, never refused. What each scope did goes to a collector of spans, where there is one ([`spans`]).

pub(crate) mod spans;

use std::{fmt, str::FromStr};

use opentelemetry::trace::SpanKind;
use tracing::Instrument;
use uuid::Uuid;

use spans::Span;

/// The name of the header, in HTTP and in Kafka.
pub const HEADER: &str = "traceparent";

/// The header that names a request, in and out.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Where in which trace (<https://www.w3.org/TR/trace-context/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traceparent {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// The text is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTraceparent;

/// What a scope knows.
#[derive(Debug, Clone, Copy)]
struct Scope {
    traceparent: Traceparent,
    request_id: Option<Uuid>,
}

tokio::task_local! {
    static SCOPE: Scope;
}

impl Traceparent {
    /// The beginning of a new trace.
    pub fn new() -> Self {
        Self {
            // Zero means "none" in both.
            trace_id: rand::random::<u128>() | 1,
            span_id: rand::random::<u64>() | 1,
            flags: 1,
        }
    }

    /// That of the scope in which this is called; outside of any, the beginning of a new trace.
    ///
    /// A spawned task is outside: take it before and continue it inside with [`continued`].
    pub fn current() -> Self {
        SCOPE
            .try_with(|scope| scope.traceparent)
            .unwrap_or_default()
    }

    /// A step further in the same trace.
    fn child(self) -> Self {
        Self {
            span_id: Self::new().span_id,
            ..self
        }
    }

    /// The step after what a header says, and that; or the beginning of a new trace.
    pub(crate) fn following(header: Option<&str>) -> (Self, Option<Self>) {
        let before: Option<Self> = header.and_then(|header| header.parse().ok());
        (before.map_or_else(Self::new, Self::child), before)
    }

    /// The trace's id as in logs: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl Default for Traceparent {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

impl FromStr for Traceparent {
    type Err = NoTraceparent;

    /// Later versions may have more behind the four fields.
    fn from_str(text: &str) -> Result<Self, NoTraceparent> {
        let mut fields = text.split('-');
        let mut next = |digits| hex(fields.next(), digits);
        let version = next(2)?;
        let trace_id = next(32)?;
        let span_id = u64::try_from(next(16)?).map_err(|_| NoTraceparent)?;
        let flags = u8::try_from(next(2)?).map_err(|_| NoTraceparent)?;
        let more = fields.next().is_some();
        if version == 0xff || (version == 0 && more) || trace_id == 0 || span_id == 0 {
            return Err(NoTraceparent);
        }
        Ok(Self {
            trace_id,
            span_id,
            flags,
        })
    }
}

/// Exactly so many lower-case hexadecimal digits.
fn hex(field: Option<&str>, digits: usize) -> Result<u128, NoTraceparent> {
    let field = field.ok_or(NoTraceparent)?;
    let well_formed = field.len() == digits
        && field
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !well_formed {
        return Err(NoTraceparent);
    }
    u128::from_str_radix(field, 16).map_err(|_| NoTraceparent)
}

/// Does a service's work as a part of the trace that a message's header names, or of a new one; logs inside carry the trace's id.
pub async fn continued<F: Future>(
    service: &str,
    work: &'static str,
    header: Option<&str>,
    future: F,
) -> F::Output {
    let (traceparent, before) = Traceparent::following(header);
    let _reported = Span::open(service, SpanKind::Internal, work, (traceparent, before));
    let span = tracing::info_span!("work", work, trace_id = traceparent.trace_id());
    let scope = Scope {
        traceparent,
        request_id: None,
    };
    SCOPE.scope(scope, future).instrument(span).await
}

/// Does the work of a request.
pub(crate) async fn in_request<F: Future>(
    traceparent: Traceparent,
    request_id: Uuid,
    future: F,
) -> F::Output {
    let scope = Scope {
        traceparent,
        request_id: Some(request_id),
    };
    SCOPE.scope(scope, future).await
}

/// The id of the request that is being answered.
pub fn current_request_id() -> Option<Uuid> {
    SCOPE.try_with(|scope| scope.request_id).ok().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    proptest! {
        #[test]
        fn reads_what_it_writes(trace_id in 1_u128.., span_id in 1_u64.., flags: u8) {
            let traceparent = Traceparent { trace_id, span_id, flags };
            prop_assert_eq!(traceparent.to_string().parse(), Ok(traceparent));
        }

        #[test]
        fn never_panics_on_any_text(text in ".*") {
            let _ = text.parse::<Traceparent>();
        }
    }

    #[test]
    fn reads_the_example_of_the_standard() {
        let read: Traceparent = EXAMPLE.parse().expect("well-formed");
        assert_eq!(read.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(read.to_string(), EXAMPLE);
    }

    #[test]
    fn refuses_what_the_standard_refuses() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<Traceparent>(), Err(NoTraceparent), "{text}");
        }
    }

    #[test]
    fn accepts_a_later_version_with_more_fields() {
        let later = EXAMPLE.replacen("00", "01", 1) + "-more";
        assert!(later.parse::<Traceparent>().is_ok());
    }

    #[tokio::test]
    async fn work_continues_the_trace_of_its_message() {
        let inside = continued("test", "work", Some(EXAMPLE), async {
            Traceparent::current()
        })
        .await;
        assert_eq!(inside.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(inside.to_string(), EXAMPLE, "it is a step further");
        assert_eq!(current_request_id(), None);
    }

    #[tokio::test]
    async fn work_without_a_header_begins_a_trace_that_stays_the_same_inside() {
        let (first, second) = continued("test", "work", None, async {
            (Traceparent::current(), Traceparent::current())
        })
        .await;
        assert_eq!(first, second);
        assert_ne!(Traceparent::current(), first);
    }
}
