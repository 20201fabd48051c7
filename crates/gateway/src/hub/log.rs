//! Reading execute's event log: many streams that want it at about the same time share one request.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::internal::{LogPart, LogRead, LogRequest, LogResponse};
use service::{Client, ClientError, Problem};
use tokio::sync::{mpsc, oneshot};

/// The most that execute takes at once.
pub(super) const MOST_READS: usize = 1_000;
/// Whole logs are long: fewer of them at once.
const MOST_SHARED: usize = 250;
/// Reads within this time share a request. The first one does not wait.
const SHARED_WITHIN: Duration = Duration::from_millis(10);
const WAITING: usize = 1_024;

/// Why a log could not be read; told to each stream that shared the request.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unread(Arc<ClientError>);

impl From<Unread> for Problem {
    fn from(error: Unread) -> Self {
        tracing::warn!(error = %error.0, "cannot read the log");
        Self::unavailable("The stream cannot be shown just now. Connect again in a moment.")
    }
}

/// Reads logs. Cheap to clone.
#[derive(Clone)]
pub(super) struct LogReader {
    execute: Client,
    asks: mpsc::Sender<Ask>,
}

struct Ask {
    read: LogRead,
    answer: oneshot::Sender<Result<LogPart, Unread>>,
}

impl LogReader {
    /// Needs a runtime: its requests are made by a task that ends with the last clone.
    pub(super) fn new(execute: Client) -> Self {
        let (asks, waiting) = mpsc::channel(WAITING);
        tokio::spawn(share(execute.clone(), waiting));
        Self { execute, asks }
    }

    /// One log.
    pub(super) async fn read(&self, read: LogRead) -> Result<LogPart, Unread> {
        let (answer, answered) = oneshot::channel();
        if self.asks.send(Ask { read, answer }).await.is_ok()
            && let Ok(part) = answered.await
        {
            return part;
        }
        // The task has ended with its runtime; ask alone.
        let parts = self.read_many(vec![read]).await?;
        Ok(parts.into_iter().next().unwrap_or(LogPart {
            events: Vec::new(),
            position: None,
        }))
    }

    /// Many logs, in the order of the reads.
    pub(super) async fn read_many(&self, reads: Vec<LogRead>) -> Result<Vec<LogPart>, Unread> {
        request(&self.execute, reads)
            .await
            .map_err(|error| Unread(Arc::new(error)))
    }
}

async fn share(execute: Client, mut waiting: mpsc::Receiver<Ask>) {
    let mut last: Option<Instant> = None;
    while let Some(first) = waiting.recv().await {
        if let Some(rest) = last.and_then(|last| SHARED_WITHIN.checked_sub(last.elapsed())) {
            tokio::time::sleep(rest).await;
        }
        last = Some(Instant::now());
        let mut asks = VecDeque::from([first]);
        while asks.len() < MOST_SHARED
            && let Ok(ask) = waiting.try_recv()
        {
            asks.push_back(ask);
        }
        tokio::spawn(answer(execute.clone(), asks));
    }
}

async fn answer(execute: Client, asks: VecDeque<Ask>) {
    let reads = asks.iter().map(|ask| ask.read).collect();
    metrics::histogram!("codementor_log_reads_shared")
        .record(u32::try_from(asks.len()).unwrap_or(u32::MAX));
    match request(&execute, reads).await {
        Ok(parts) => {
            for (ask, part) in asks.into_iter().zip(parts) {
                // Whoever asked may have gone.
                let _ = ask.answer.send(Ok(part));
            }
        }
        Err(error) => {
            let error = Unread(Arc::new(error));
            for ask in asks {
                let _ = ask.answer.send(Err(error.clone()));
            }
        }
    }
}

async fn request(execute: &Client, reads: Vec<LogRead>) -> Result<Vec<LogPart>, ClientError> {
    let count = reads.len();
    let answer: LogResponse = execute
        .post("/internal/log")
        .body(&LogRequest { reads })
        .json()
        .await?;
    if answer.reads.len() == count {
        return Ok(answer.reads);
    }
    Err(ClientError::Broken {
        url: execute.base_url().to_owned(),
        source: format!("{count} logs were asked for, {} came", answer.reads.len()).into(),
    })
}
