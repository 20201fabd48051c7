//! Serving: HTTP/1 and HTTP/2 on the API's socket, probes on the other, and an end that waits for no stream for ever.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::{
    Listeners, Ops, Shutdown,
    layers::{self, HttpRequest},
};

/// What hyper reads of headers at most before it gives up without a word; up to here we answer with a problem.
const HEADER_BUFFER: usize = 2 << 20;

/// How long a client may take to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// Serves until the end: at the soft end no connection is accepted and idle ones are closed, at the hard end the rest is
/// dropped. Then waits for all that `shutdown` tracks; probes answer until then.
pub async fn serve(
    listeners: Listeners,
    router: Router,
    ops: Ops,
    shutdown: Shutdown,
) -> io::Result<()> {
    let probes = tokio::spawn(serve_probes(listeners.ops, ops, shutdown.clone()));
    let upkeep = tokio::spawn(Ops::upkeep());
    let router = layers::around(router);
    let connections = TaskTracker::new();
    let builder = builder();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listeners.api.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    after_failed_accept(&error).await;
                    continue;
                }
            },
            () = shutdown.soft().cancelled() => break,
        };
        let connection = answer(
            builder.clone(),
            stream,
            peer,
            router.clone(),
            shutdown.clone(),
        );
        connections.spawn(connection);
    }
    drop(listeners.api);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = shutdown.hard().cancelled() => {}
    }
    shutdown.finished().await;
    probes.abort();
    upkeep.abort();
    Ok(())
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BUFFER)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEADER_BUFFER).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(20)));
    builder
}

async fn answer(
    builder: Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: Shutdown,
) {
    // An event must not wait for the acknowledgement of the one before it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn off Nagle's algorithm");
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: HttpRequest = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.soft().cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = shutdown.hard().cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        // Clients hang up all the time.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Out of descriptors, mostly: others must end first, so there is nothing to do but wait.
async fn after_failed_accept(error: &io::Error) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    ) {
        return;
    }
    tracing::error!(%error, "cannot accept connections: {error}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn serve_probes(listener: TcpListener, ops: Ops, shutdown: Shutdown) {
    if let Err(error) = axum::serve(listener, ops.router(&shutdown)).await {
        tracing::error!(%error, "probes ended");
    }
}
