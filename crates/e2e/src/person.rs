//! Somebody who uses the product over HTTP: a learner, a teacher, an admin, or nobody.

use reqwest::{Client, Method, RequestBuilder, Response, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Frame, Transcript};

/// Somebody with a token, or without.
#[derive(Debug, Clone)]
pub struct Person {
    http: Client,
    /// The public address.
    pub url: String,
    /// The access token; empty for nobody.
    pub token: String,
    /// The account's id; empty for nobody.
    pub id: String,
}

impl Person {
    /// Somebody without an account.
    pub fn nobody(url: &str) -> Self {
        prepare_tls();
        Self {
            http: Client::new(),
            url: url.to_owned(),
            token: String::new(),
            id: String::new(),
        }
    }

    /// Registers a learner with an address of its own, and signs in.
    pub async fn register(url: &str, name: &str) -> Self {
        let email = format!("{}@example.org", Uuid::now_v7().simple());
        let password = "correct horse battery";
        let body = json!({"email": email, "password": password, "name": name, "locale": "en"});
        let answer = Self::nobody(url).post("/auth/register", &body).await;
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
        Self::sign_in(url, &email, password).await
    }

    /// Signs in.
    pub async fn sign_in(url: &str, email: &str, password: &str) -> Self {
        let mut person = Self::nobody(url);
        let body = json!({"email": email, "password": password});
        let answer = person.post("/auth/login", &body).await;
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        let body: Value = answer.json().await.expect("JSON");
        person.token = body["access_token"].as_str().expect("a token").to_owned();
        let me = person.get_json("/me").await;
        me["id"].as_str().expect("an id").clone_into(&mut person.id);
        person
    }

    /// A request with the token, to a path below `/api/v1`, or to a whole address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/api/v1{path}", self.url)
        };
        let request = self.http.request(method, url);
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Response {
        let request = self.request(Method::GET, path);
        request.send().await.expect("the server answers")
    }

    /// GET that must succeed.
    pub async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::POST, path).json(body);
        request.send().await.expect("the server answers")
    }

    /// POST of JSON that must succeed.
    pub async fn post_json(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "POST {path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Submits; the submission's id.
    pub async fn submit(&self, question: &str, language: &str, code: &str) -> String {
        let body = json!({"question": question, "language": language, "code": code});
        let receipt = self.post_json("/submissions", &body).await;
        receipt["id"].as_str().expect("an id").to_owned()
    }

    /// Submits and follows the stream that the answer is to its end.
    pub async fn submit_and_follow(
        &self,
        question: &str,
        language: &str,
        code: &str,
    ) -> Transcript {
        let body = json!({"question": question, "language": language, "code": code});
        self.stream("/submissions", &body).await
    }

    /// Posts, and follows the stream that the answer is to its end.
    pub async fn stream(&self, path: &str, body: &Value) -> Transcript {
        let request = self.request(Method::POST, path).json(body);
        Transcript::read(open(request).await).await
    }

    /// Follows a submission to its end, from its beginning or after an event.
    pub async fn follow(&self, submission: &str, after: Option<&str>) -> Transcript {
        Transcript::read(self.open_events(submission, after).await).await
    }

    /// Opens a submission's stream.
    pub async fn open_events(&self, submission: &str, after: Option<&str>) -> Response {
        let path = format!("/submissions/{submission}/events");
        let mut request = self.request(Method::GET, &path);
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        open(request).await
    }

    /// Reads the first frames of a submission's stream and hangs up.
    pub async fn peek(&self, submission: &str, frames: usize) -> Vec<Frame> {
        crate::stream::first(self.open_events(submission, None).await, frames).await
    }
}

/// The HTTP client wants a provider of cryptography even where no connection is encrypted.
pub fn prepare_tls() {
    // A second installation changes nothing.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
}

async fn open(request: RequestBuilder) -> Response {
    let request = request.header(header::ACCEPT, "text/event-stream");
    let answer = request.send().await.expect("the server answers");
    let answer = match answer.error_for_status_ref() {
        Ok(_) => answer,
        Err(error) => panic!("no stream: {error} {:?}", answer.text().await),
    };
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    assert!(kind.starts_with("text/event-stream"), "{kind}");
    answer
}
