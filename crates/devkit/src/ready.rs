//! Waiting for a server that was just started: until it answers, has ended, or has had long enough.

use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    DevkitError,
    folder::{Folder, NEEDED_MIB},
    port,
    process::Process,
};

/// Asks again and again until the server answers, has ended, or the time is up.
pub(crate) async fn wait_until_ready<T, E>(
    server: &'static str,
    process: &Process,
    folder: &Folder,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, DevkitError> {
    let deadline = Instant::now() + limit;
    let mut ended = std::pin::pin!(process.ended());
    loop {
        let answer = tokio::select! {
            answer = time::timeout(Duration::from_secs(5), ask()) => answer,
            ended = &mut ended => {
                ended?;
                return Err(explain(server, folder));
            }
        };
        if let Ok(Ok(answer)) = answer {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(DevkitError::NotReady {
                server,
                limit,
                log: folder.log_tail(),
            });
        }
        time::sleep(Duration::from_millis(20)).await;
    }
}

/// Why a server ended while it was starting.
fn explain(server: &'static str, folder: &Folder) -> DevkitError {
    let log = folder.log_tail();
    if log.contains("No space left on device") {
        return DevkitError::DiskFull {
            path: folder.path.clone(),
            needed_mib: NEEDED_MIB,
        };
    }
    DevkitError::Ended { server, log }
}

/// A restart that failed because its port has gone says so.
pub(crate) fn taken_port(error: DevkitError, server: &'static str, port: u16) -> DevkitError {
    match error {
        DevkitError::Ended { .. } if !port::is_free(port) => {
            DevkitError::PortTaken { server, port }
        }
        error => error,
    }
}
