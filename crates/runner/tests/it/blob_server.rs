//! A server of blobs that counts what it is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use contract::manifest::BlobRef;
use contract::runner_api::{BlobSource, BlobToken};
use sha2::{Digest, Sha256};

use crate::support::lock;

/// What opens it.
const BLOB_TOKEN: &str = "blob-token";

/// A server of blobs that counts what it is asked for.
#[derive(Clone)]
pub(crate) struct BlobServer {
    pub(crate) url: String,
    held: Arc<Mutex<HashMap<String, Blob>>>,
}

#[derive(Default)]
struct Blob {
    bytes: Vec<u8>,
    asked: usize,
}

impl BlobServer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = Self {
            url,
            held: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/internal/blobs/{sha256}", get(blob))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// Keeps these bytes and names them.
    pub(crate) fn add(&self, bytes: &[u8]) -> BlobRef {
        let sha256 = hex::encode(Sha256::digest(bytes));
        lock(&self.held).entry(sha256.clone()).or_default().bytes = bytes.to_vec();
        BlobRef {
            sha256,
            size: bytes.len() as u64,
        }
    }

    /// Answers with these bytes for that name from now on.
    pub(crate) fn corrupt(&self, blob: &BlobRef, bytes: &[u8]) {
        lock(&self.held)
            .entry(blob.sha256.clone())
            .or_default()
            .bytes = bytes.to_vec();
    }

    /// How often a blob was asked for.
    pub(crate) fn asked(&self, blob: &BlobRef) -> usize {
        lock(&self.held)
            .get(&blob.sha256)
            .map_or(0, |held| held.asked)
    }

    /// As evaluation names it.
    pub(crate) fn source(&self) -> BlobSource {
        BlobSource {
            url: self.url.clone(),
            tokens: vec![BlobToken {
                first: String::new(),
                token: BLOB_TOKEN.to_owned(),
            }],
        }
    }
}

async fn blob(
    State(server): State<BlobServer>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Result<Vec<u8>, StatusCode> {
    let expected = format!("Bearer {BLOB_TOKEN}");
    if headers
        .get("authorization")
        .is_none_or(|given| given != expected.as_str())
    {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut held = lock(&server.held);
    let found = held.get_mut(&sha256).ok_or(StatusCode::NOT_FOUND)?;
    found.asked += 1;
    Ok(found.bytes.clone())
}
