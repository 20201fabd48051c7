//! What is no credential: forged, foreign, expired, in the wrong place, or of another kind.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{Account, Locale, Role};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};
use service::token::{Minter, ServiceKey};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::{Person, World, body, problem, send, text};

struct Forger {
    kid: String,
    key: SigningKey,
}

impl Forger {
    /// With the gateway's own key, which no forger has.
    async fn with_our_key(world: &World) -> Self {
        let (kid, seed): (String, Vec<u8>) = sqlx::query_as(
            "select kid, private_key from gateway.signing_key where retired_at is null",
        )
        .fetch_one(&world.db)
        .await
        .expect("a key");
        let seed: [u8; 32] = seed.try_into().expect("32 bytes");
        Self {
            kid,
            key: SigningKey::from_bytes(&seed),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut made = Header::new(Algorithm::EdDSA);
        made.typ = header["typ"].as_str().map(str::to_owned);
        made.kid = header["kid"].as_str().map(str::to_owned);
        let der = self.key.to_pkcs8_der().expect("a key");
        jsonwebtoken::encode(&made, claims, &EncodingKey::from_ed_der(der.as_bytes()))
            .expect("a token")
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "kid": self.kid })
    }
}

fn claims(person: &Person) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({ "iss": "codementor", "aud": "codementor", "sub": person.id, "jti": Uuid::now_v7(), "iat": now, "exp": now + 600 })
}

async fn refuse(world: &World, token: &str) {
    for path in ["/api/v1/me", "/api/v1/questions", "/api/v1/submissions"] {
        let answer = send(
            world
                .get(path)
                .bearer_auth(token)
                .header("x-test", "refused"),
        )
        .await;
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{token}");
        problem(answer, 401, "unauthenticated").await;
    }
    assert!(
        world.execute.asked("refused").is_empty() && world.question.asked("refused").is_empty()
    );
}

#[tokio::test]
async fn accepts_what_the_tests_sign_rightly() {
    let world = &World::shared().await;
    let (person, forger) = (
        world.sign_in_as(Role::Learner).await,
        Forger::with_our_key(world).await,
    );
    let token = forger.sign(&forger.header(), &claims(&person));
    assert_eq!(
        send(world.get("/api/v1/me").bearer_auth(token))
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn refuses_expired_and_foreign_claims() {
    let world = &World::shared().await;
    let (person, forger) = (
        world.sign_in_as(Role::Learner).await,
        Forger::with_our_key(world).await,
    );
    let past = OffsetDateTime::now_utc().unix_timestamp() - 10;
    for (claim, value) in [
        ("exp", json!(past)),
        ("exp", Value::Null),
        ("aud", json!("execute")),
        ("iss", json!("elsewhere")),
        ("sub", json!(Uuid::now_v7())),
        ("sid", json!(Uuid::now_v7())),
    ] {
        let mut claims = claims(&person);
        claims[claim] = value;
        refuse(world, &forger.sign(&forger.header(), &claims)).await;
    }
}

#[tokio::test]
async fn refuses_forged_signatures_and_other_algorithms() {
    let world = &World::shared().await;
    let (person, ours) = (
        world.sign_in_as(Role::Learner).await,
        Forger::with_our_key(world).await,
    );
    let forger = Forger {
        kid: ours.kid.clone(),
        key: SigningKey::from_bytes(&[7; 32]),
    };
    refuse(world, &forger.sign(&forger.header(), &claims(&person))).await;
    refuse(
        world,
        &forger.sign(
            &json!({ "typ": "at+jwt", "kid": "another" }),
            &claims(&person),
        ),
    )
    .await;
    for header in [
        json!({ "typ": "JWT", "kid": ours.kid }),
        json!({ "typ": "service+jwt", "kid": ours.kid }),
        json!({ "kid": ours.kid }),
    ] {
        refuse(world, &ours.sign(&header, &claims(&person))).await;
    }

    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "NONE", "nOnE"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": ours.kid });
        refuse(
            world,
            &format!("{}.{}.", part(&header), part(&claims(&person))),
        )
        .await;
    }
    let public = ours.key.verifying_key().to_bytes();
    let mut symmetric = Header::new(Algorithm::HS256);
    (symmetric.typ, symmetric.kid) = (Some("at+jwt".to_owned()), Some(ours.kid.clone()));
    let token = jsonwebtoken::encode(
        &symmetric,
        &claims(&person),
        &EncodingKey::from_secret(&public),
    )
    .expect("a token");
    refuse(world, &token).await;
    let good = ours.sign(&ours.header(), &claims(&person));
    refuse(world, &good[..good.len() - 4]).await;
    let (head, rest) = good.split_once('.').expect("three parts");
    let (_, signature) = rest.split_once('.').expect("three parts");
    let mut other = claims(&person);
    other["sub"] = json!(world.sign_in_as(Role::Admin).await.id);
    refuse(world, &format!("{head}.{}.{signature}", part(&other))).await;
}

#[tokio::test]
async fn refuses_service_tokens() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Admin).await;
    let account = Account {
        id: person.id,
        role: Role::Admin,
        locale: Locale::En,
        name: "x".to_owned(),
    };
    for name in ["gateway", "execute"] {
        let key =
            ServiceKey::load(name, &world.keys.path().join(format!("{name}.pem"))).expect("a key");
        let minter = Minter::new(key);
        for audience in ["codementor", "gateway", "execute"] {
            refuse(world, &minter.service(audience).expect("a token")).await;
            refuse(
                world,
                &minter.for_account(audience, &account).expect("a token"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_token_counts_in_one_header_only() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let token = &person.token;
    for path in [
        format!("/api/v1/me?access_token={token}"),
        format!("/api/v1/me?token={token}"),
        format!("/api/v1/questions?authorization=Bearer%20{token}"),
        format!(
            "/api/v1/submissions/{}/events?access_token={token}",
            Uuid::now_v7()
        ),
    ] {
        problem(send(world.get(&path)).await, 401, "unauthenticated").await;
    }
    let me = || world.get("/api/v1/me");
    for request in [
        me().header(
            "cookie",
            format!(
                "access_token={token}; codementor_refresh={}",
                person.refresh
            ),
        ),
        me().header("authorization", token),
        me().header("authorization", format!("Basic {token}")),
        me().header("authorization", "Bearer"),
        me().header("authorization", "Bearer "),
        me().header("authorization", format!("Bearer {}", "x".repeat(10_000))),
        me().bearer_auth(token)
            .header("authorization", format!("Bearer {token}")),
        me().header("x-access-token", token),
    ] {
        problem(send(request).await, 401, "unauthenticated").await;
    }
    assert_eq!(
        send(me().header("authorization", format!("bearer {token}")))
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_rotated_key_proves_what_it_signed_and_signs_no_more() {
    let world = World::start(&[]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let keys = async || body(send(world.get("/.well-known/jwks.json")).await).await;
    let before = keys().await;
    assert_eq!(before["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(before["keys"][0]["crv"], "Ed25519");
    assert!(
        before["keys"][0].get("d").is_none(),
        "the private part stays here"
    );

    gateway::setup::rotate_signing_key(&world.db)
        .await
        .expect("it is rotated");
    let newer = gateway::mint_access_token(&world.db, &gateway::Owner::Account(person.id))
        .await
        .expect("a token");
    crate::support::until("the new key is known", async || {
        let answer = send(world.get("/api/v1/me").bearer_auth(&newer)).await;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(
        send(world.get("/api/v1/me").bearer_auth(&person.token))
            .await
            .status(),
        StatusCode::OK
    );
    let after = keys().await;
    assert_eq!(after["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["keys"][1], before["keys"][0]);
}

#[tokio::test]
async fn internal_and_ops_paths_are_nobodys() {
    let world = &World::shared().await;
    let admin = world.sign_in_as(Role::Admin).await;
    for path in [
        "/internal/log",
        "/internal/streams/1",
        "/metrics",
        "/readyz",
        "/livez",
        "/api/v1/../../internal/log",
        "/api/v1/submissions/..%2f..%2f..%2finternal/log",
        "/api/v1/questions/%2e%2e/%2e%2e/%2e%2e/internal/log",
        "/api/v1/questions/%2E%2E%2F",
        "/api/v1/internal/log",
    ] {
        // Written by hand: client libraries tidy such paths up.
        let answer = raw(
            world,
            &format!(
                "GET {path} HTTP/1.1\r\nauthorization: Bearer {}\r\n",
                admin.token
            ),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("problems/not-found"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn headers_may_be_long_but_not_endless() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let with = |length: usize| {
        send(
            world
                .get("/api/v1/me")
                .bearer_auth(&person.token)
                .header("x-long", "a".repeat(length)),
        )
    };
    assert_eq!(with(15_000).await.status(), StatusCode::OK);
    let head = format!(
        "GET /api/v1/me HTTP/1.1\r\nx-long: {}\r\n",
        "a".repeat(1_000_000)
    );
    let answer = raw(world, &head).await;
    assert!(
        answer.starts_with("HTTP/1.1 431"),
        "{}",
        answer.get(..200).unwrap_or(&answer)
    );
    assert!(answer.contains("problems/payload-too-large"), "{answer}");
}

#[tokio::test]
async fn the_front_page_is_ours_and_runs_nothing_of_others() {
    let world = &World::shared().await;
    let answer = send(world.get("/")).await;
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    // Built with the page or without it.
    let page = text(answer).await;
    assert!(page.contains("<title>CodeMentor</title>"), "{page}");
    assert!(!page.contains("<script>"), "{page}");
}

/// Sends a head as it is and answers with all that comes back.
async fn raw(world: &World, head: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let address = world.url.strip_prefix("http://").expect("an address");
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    let request = format!("{head}host: test\r\nconnection: close\r\n\r\n");
    // The server may answer and close before it has read all.
    let _ = socket.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let reading = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(crate::support::PATIENCE, reading)
        .await
        .expect("an answer in time");
    String::from_utf8_lossy(&answer).into_owned()
}
