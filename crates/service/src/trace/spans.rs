//! Spans for a collector: what was done when, as part of which trace, by OTLP (protobuf over HTTP) where
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names one.
//!
//! A span has the ids of its scope's `traceparent`, so what went over HTTP and through Kafka is one trace. A process that holds
//! several services reports each by its own name. Spans wait in memory, in bounds; those beyond are dropped: nobody's
//! submission ever waits for a collector.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId, Value,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
    },
};

use super::Traceparent;
use crate::config::Collector;

/// Spans are sent at the latest after so long.
const EVERY: Duration = Duration::from_secs(2);
/// A collector that is slower is given up for this batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an ending process waits for the last batch.
const LAST_WORDS: Duration = Duration::from_secs(3);

static REPORTS: OnceLock<Reports> = OnceLock::new();

struct Reports {
    to: Collector,
    services: Mutex<HashMap<String, BatchSpanProcessor>>,
}

/// Begins to report; once a process.
pub(crate) fn begin(to: Collector) -> Result<(), ExporterBuildError> {
    // Whether the address is one is said now, not with the first span.
    exporter(&to)?;
    REPORTS.get_or_init(|| Reports {
        to,
        services: Mutex::default(),
    });
    Ok(())
}

/// Sends what is left, and ends reporting.
pub(crate) fn end() {
    let Some(reports) = REPORTS.get() else {
        return;
    };
    let services = std::mem::take(&mut *reports.services());
    for (service, processor) in services {
        if let Err(error) = processor.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(service, %error, "the last spans were not sent");
        }
    }
}

fn exporter(to: &Collector) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder()
        .with_http()
        .with_endpoint(&to.traces)
        .with_timeout(PATIENCE)
        .build()
}

impl Reports {
    fn services(&self) -> std::sync::MutexGuard<'_, HashMap<String, BatchSpanProcessor>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, service: &str, span: SpanData) {
        let mut services = self.services();
        if let Some(processor) = services.get(service) {
            processor.on_end(span);
            return;
        }
        match exporter(&self.to) {
            Ok(exporter) => {
                let batches = BatchConfigBuilder::default().with_scheduled_delay(EVERY);
                let mut processor = BatchSpanProcessor::builder(exporter)
                    .with_batch_config(batches.build())
                    .build();
                let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
                let resource = Resource::builder()
                    .with_service_name(format!("codementor-{service}"))
                    .with_attribute(version);
                processor.set_resource(&resource.build());
                processor.on_end(span);
                services.insert(service.to_owned(), processor);
            }
            Err(error) => tracing::warn!(service, %error, "spans cannot be reported"),
        }
    }
}

/// What is being done; reported when it is dropped.
pub(crate) struct Span {
    service: String,
    name: Cow<'static, str>,
    kind: SpanKind,
    own: Traceparent,
    /// The span that asked for it.
    parent: Option<Traceparent>,
    begun: SystemTime,
    attributes: Vec<KeyValue>,
    status: Status,
}

impl Span {
    /// `None` where nobody collects, or not this trace.
    pub(crate) fn open(
        service: &str,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
        (own, parent): (Traceparent, Option<Traceparent>),
    ) -> Option<Self> {
        let reports = REPORTS.get()?;
        reports.to.wants(own.trace_id).then(|| Self {
            service: service.to_owned(),
            name: name.into(),
            kind,
            own,
            parent,
            begun: SystemTime::now(),
            attributes: vec![],
            status: Status::Unset,
        })
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(name, value));
    }

    /// It went wrong, and not by a mistake of whoever asked.
    pub(crate) fn failed(&mut self) {
        self.status = Status::error("");
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(reports) = REPORTS.get() else {
            return;
        };
        let span_id = |of: Traceparent| SpanId::from(of.span_id);
        let data = SpanData {
            span_context: SpanContext::new(
                TraceId::from(self.own.trace_id),
                span_id(self.own),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: self.parent.map_or(SpanId::INVALID, span_id),
            parent_span_is_remote: self.parent.is_some(),
            span_kind: self.kind.clone(),
            name: self.name.clone(),
            start_time: self.begun,
            end_time: SystemTime::now(),
            attributes: std::mem::take(&mut self.attributes),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: self.status.clone(),
            instrumentation_scope: InstrumentationScope::builder("codementor").build(),
        };
        reports.take(&self.service, data);
    }
}
