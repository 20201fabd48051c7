//! Serves a service's two listeners until it ends: HTTP/1 and HTTP/2 without TLS, within limits.
//!
//! ```text
//! soft end ─► accept no more, finish what is being answered, close idle connections
//!   │ all closed, or the grace time is over, or hard end
//!   └─► close the rest (open streams, too) ─► the probes' listener last
//! ```
//! Never waits for ever: neither for a client that sends nothing, nor for one that never stops reading.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    Listeners, Ops, Problem, Shutdown,
    layers::{HANDLER_LIMIT, Layers},
    metrics, ops,
    socket::{Progress, Socket},
    trace,
};

/// All headers of a request together, with its first line.
const HEADER_LIMIT: usize = 64 * 1024;

/// With HTTP/2 larger ones are still read, so that they can be refused with a problem; beyond this they are refused without.
const HTTP2_HEADER_LIMIT: u32 = 2 * 1024 * 1024;

/// How long a connection may be idle before its first or next request has come. Longer than clients keep idle connections, also
/// spare ones that were never used (load balancers 60 s, the usual HTTP libraries 90 s): else a request now and then meets a
/// connection that is just being closed.
const IDLE_LIMIT: Duration = Duration::from_secs(100);

/// How often an idle HTTP/2 client is asked whether it still is there.
const HTTP2_PING: Duration = Duration::from_secs(20);

/// What came while a service was starting is answered at once.
const START_GRACE: Duration = Duration::from_secs(1);

/// How often the registry forgets what is past.
const UPKEEP: Duration = Duration::from_secs(5);

/// After an error that is not the client's (no file descriptors left): time for others to close some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves requests with `api` and the operator with `ops` until `shutdown`, and then ends within its grace time.
pub async fn serve(
    listeners: Listeners,
    api: Router,
    ops: Ops,
    shutdown: Shutdown,
) -> io::Result<()> {
    let addresses = listeners.local_addrs()?;
    let service = ops.service().to_owned();
    let api = Layers {
        service: service.clone(),
        limit: HANDLER_LIMIT,
        counted: true,
    }
    .around(api);
    let probes = Layers {
        service: service.clone(),
        limit: HANDLER_LIMIT,
        counted: false,
    }
    .around(ops::router(ops, shutdown.soft().clone()));

    // The probes answer until everything else has ended.
    let probes_end = CancellationToken::new();
    let _probes_end_with_this = probes_end.clone().drop_guard();
    let upkeep = tokio::spawn(upkeep(probes_end.clone()));
    let probes = tokio::spawn(accept(
        listeners.ops,
        probes,
        Ending {
            soft: probes_end.clone(),
            hard: shutdown.hard().clone(),
            grace: Duration::ZERO,
        },
    ));
    tracing::info!(service, api = %addresses.api, ops = %addresses.ops, "{service} listens on {}", addresses.api);
    accept(
        listeners.api,
        api,
        Ending {
            soft: shutdown.soft().clone(),
            hard: shutdown.hard().clone(),
            grace: shutdown.grace(),
        },
    )
    .await;
    probes_end.cancel();
    for task in [probes, upkeep] {
        task.await.map_err(io::Error::other)?;
    }
    tracing::info!(service, "{service} takes no more requests");
    Ok(())
}

/// Serves a service that is starting, until `end`: probes as ever, and requests with `api`. Returns at once.
pub(crate) fn serve_start(
    listeners: Listeners,
    api: Router,
    ops: &Ops,
    shutdown: &Shutdown,
    end: &CancellationToken,
) -> [JoinHandle<()>; 2] {
    let probes = ops::router(ops.clone(), shutdown.soft().clone());
    [(listeners.api, api), (listeners.ops, probes)].map(|(listener, router)| {
        let layers = Layers {
            service: ops.service().to_owned(),
            limit: HANDLER_LIMIT,
            counted: false,
        };
        let ending = Ending {
            soft: end.clone(),
            hard: shutdown.hard().clone(),
            grace: START_GRACE,
        };
        shutdown
            .tracker()
            .spawn(accept(listener, layers.around(router), ending))
    })
}

/// When to end.
#[derive(Debug, Clone)]
struct Ending {
    soft: CancellationToken,
    hard: CancellationToken,
    grace: Duration,
}

async fn accept(listener: TcpListener, router: Router, ending: Ending) {
    let connections = TaskTracker::new();
    let server = Arc::new(http_server());
    // Cancelled when connections must close, whatever they do.
    let close = ending.hard.child_token();
    let take = |(stream, peer): (TcpStream, SocketAddr)| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let connection = Connection {
            server: server.clone(),
            router: router.clone(),
            soft: ending.soft.clone(),
            close: close.clone(),
        };
        connections.spawn(connection.serve(stream, peer));
    };
    loop {
        let accepted = tokio::select! {
            () = ending.soft.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => take(accepted),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // The kernel has accepted these for us already, and would reset them.
    while let Some(Ok(accepted)) = listener.accept().now_or_never() {
        take(accepted);
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => return,
        () = ending.hard.cancelled() => {}
        () = tokio::time::sleep(ending.grace) => {}
    }
    let left = connections.len();
    tracing::info!(
        left,
        "closing {left} connections that did not end by themselves"
    );
    close.cancel();
    connections.wait().await;
}

fn http_server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(HEADER_LIMIT);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HTTP2_HEADER_LIMIT)
        .keep_alive_interval(HTTP2_PING);
    server
}

/// One accepted connection.
struct Connection {
    server: Arc<auto::Builder<TokioExecutor>>,
    router: Router,
    soft: CancellationToken,
    close: CancellationToken,
}

impl Connection {
    async fn serve<S>(self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let progress = Arc::new(Progress::default());
        let socket = TokioIo::new(Socket::new(stream, progress.clone()));
        let service = hyper::service::service_fn(|request| {
            answer(self.router.clone(), request, peer, progress.clone())
        });
        let mut connection = pin!(self.server.serve_connection(socket, service));
        let mut first_request = pin!(tokio::time::sleep(IDLE_LIMIT));
        let (mut is_ending, mut is_waiting) = (false, true);
        loop {
            tokio::select! {
                // First of all what the client has sent already.
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection broke");
                    }
                    return;
                }
                () = self.close.cancelled() => return,
                () = self.soft.cancelled(), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                // hyper's own limit begins with the first byte only.
                () = first_request.as_mut(), if is_waiting => {
                    if progress.begun() == 0 {
                        return;
                    }
                    is_waiting = false;
                }
            }
        }
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    progress: Arc<Progress>,
) -> Result<Response, Infallible> {
    let open = progress.begin();
    let mut request = request.map(|body| progress.request_body(body));
    let response = if size(request.uri(), request.headers()) > HEADER_LIMIT {
        refuse_headers(&request)
    } else {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.oneshot(request).await?
    };
    Ok(response.map(|body| open.until_end_of(body)))
}

/// Too large headers, of HTTP/2 only: with HTTP/1 they never get here.
fn refuse_headers(request: &Request<Body>) -> Response {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let request_id = uuid::Uuid::now_v7().to_string();
    let mut response = match Problem::for_status(status, None) {
        Some(problem) => problem
            .about(request.uri().path(), &request_id)
            .into_response(),
        None => status.into_response(),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response
            .headers_mut()
            .insert(trace::REQUEST_ID_HEADER, value);
    }
    response
}

/// As HTTP/2 counts it (RFC 9113, 6.5.2).
fn size(uri: &http::Uri, headers: &HeaderMap) -> usize {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32);
    path + fields.sum::<usize>()
}

/// The client was gone before we looked.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Keeps what the registry remembers of histograms bounded.
async fn upkeep(end: CancellationToken) {
    let registry = metrics::install_once();
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = ticks.tick() => registry.run_upkeep(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// The client's end of a connection that is being served.
    fn connect() -> DuplexStream {
        let (client, server) = duplex(64 * 1024);
        let connection = Connection {
            server: Arc::new(http_server()),
            router: Router::new().route("/", axum::routing::get(async || "hello")),
            soft: CancellationToken::new(),
            close: CancellationToken::new(),
        };
        tokio::spawn(connection.serve(server, SocketAddr::from(([127, 0, 0, 1], 1))));
        client
    }

    async fn get(client: &mut DuplexStream) -> String {
        let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
        client.write_all(request).await.expect("open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            let read = client.read_buf(&mut answer).await.expect("readable");
            assert_ne!(read, 0, "closed after {:?}", String::from_utf8(answer));
        }
        String::from_utf8(answer).expect("text")
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_outlives_its_clients_idle_pool_before_its_first_request_and_the_next() {
        const KEPT_BY_CLIENTS: Duration = Duration::from_secs(90);
        let mut client = connect();
        for _ in 0..3 {
            tokio::time::sleep(KEPT_BY_CLIENTS).await;
            let answer = get(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_any_request_is_closed_in_the_end() {
        let mut client = connect();
        let mut nothing = Vec::new();
        let ended = tokio::time::timeout(2 * IDLE_LIMIT, client.read_to_end(&mut nothing)).await;
        assert_eq!(ended.expect("closed").expect("not broken"), 0);
    }
}
