//! What opens a service, and what must not.

use axum::{Router, extract::FromRef, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contract::{Account, AccountId, Locale, Role};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use serde_json::{Value, json};
use service::{
    config::{KeysConfig, TrustedKeysConfig},
    token::{Caller, KeyError, Minter, Principal, ServiceKey, TrustedKeys, Verifier, make_keys},
};
use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

use crate::support::{Server, http, problem, word};

#[derive(Clone, FromRef)]
struct State {
    verifier: Verifier,
}

fn router(keys: &Path) -> Router {
    let trusted = TrustedKeys::load(&keys.join("trusted.json")).expect("the keys were made");
    Router::new()
        .route("/caller", get(async |caller: Caller| caller.iss))
        .route(
            "/person",
            get(async |person: Principal| person.name.clone()),
        )
        .route(
            "/teacher",
            get(async |person: Principal| person.require_teacher()),
        )
        .route(
            "/admin",
            get(async |person: Principal| person.require_admin()),
        )
        .with_state(State {
            verifier: Verifier::new("question", trusted),
        })
}

struct World {
    keys: TempDir,
    server: Server,
}

impl World {
    async fn start() -> Self {
        let keys = TempDir::new().expect("a folder");
        make_keys(keys.path(), &["gateway", "execute"]).expect("keys are made");
        let server = Server::start(router(keys.path())).await;
        Self { keys, server }
    }

    fn minter(&self, name: &str) -> Minter {
        let path = self.keys.path().join(format!("{name}.pem"));
        Minter::new(ServiceKey::load(name, &path).expect("the key was made"))
    }

    async fn ask(&self, path: &str, authorization: Option<&str>) -> (u16, String) {
        let mut request = http(false).get(self.server.url(path));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        if status >= 400 {
            return (status, word(&problem(answer).await).to_owned());
        }
        (status, answer.text().await.expect("a body"))
    }

    async fn refuses(&self, token: &str) {
        let asked = self.ask("/caller", Some(&format!("Bearer {token}"))).await;
        assert_eq!(asked, (401, "unauthenticated".to_owned()), "{token}");
    }

    /// A token with these parts, signed with the key of `signer`.
    fn forge(&self, signer: &str, header: &Value, claims: &Value) -> String {
        let pem =
            std::fs::read_to_string(self.keys.path().join(format!("{signer}.pem"))).expect("a key");
        let key = SigningKey::from_pkcs8_pem(&pem).expect("a key");
        sign(&key, header, claims)
    }
}

fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}

fn header() -> Value {
    json!({"typ": "service+jwt", "alg": "EdDSA", "kid": "execute"})
}

fn claims() -> Value {
    let now = now();
    json!({"iss": "execute", "aud": "question", "iat": now, "exp": now + 60})
}

fn with(mut object: Value, field: &str, value: impl Into<Value>) -> Value {
    object[field] = value.into();
    object
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    since.as_secs().cast_signed()
}

fn account(role: Role) -> Account {
    Account {
        id: AccountId::new(),
        role,
        locale: Locale::Ko,
        name: "지수".to_owned(),
    }
}

#[tokio::test]
async fn a_token_of_a_trusted_service_opens() {
    let world = World::start().await;
    let token = world
        .minter("execute")
        .service("question")
        .expect("it can be signed");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let asked = world
            .ask("/caller", Some(&format!("{scheme} {token}")))
            .await;
        assert_eq!(asked, (200, "execute".to_owned()));
    }
    // What the forgeries below are variations of.
    let forged = world.forge("execute", &header(), &claims());
    assert_eq!(
        world
            .ask("/caller", Some(&format!("Bearer {forged}")))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn nothing_opens_without_a_token() {
    let world = World::start().await;
    for value in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Basic YTpi"),
        Some("Bearer x.y.z"),
    ] {
        assert_eq!(
            world.ask("/caller", value).await,
            (401, "unauthenticated".to_owned()),
            "{value:?}"
        );
    }
}

#[tokio::test]
async fn a_token_opens_the_called_service_only() {
    let world = World::start().await;
    world
        .refuses(
            &world
                .minter("execute")
                .service("gateway")
                .expect("it can be signed"),
        )
        .await;
    world
        .refuses(&world.forge("execute", &header(), &with(claims(), "aud", json!([]))))
        .await;
}

#[tokio::test]
async fn an_expired_token_is_refused_after_the_leeway() {
    let world = World::start().await;
    let expired = |ago: i64| with(claims(), "exp", now() - ago);
    assert_eq!(
        world
            .ask(
                "/caller",
                Some(&format!(
                    "Bearer {}",
                    world.forge("execute", &header(), &expired(2))
                ))
            )
            .await
            .0,
        200,
        "clocks may differ by some seconds"
    );
    world
        .refuses(&world.forge("execute", &header(), &expired(10)))
        .await;
}

#[tokio::test]
async fn a_token_of_the_future_or_without_an_end_is_refused() {
    let world = World::start().await;
    world
        .refuses(&world.forge("execute", &header(), &with(claims(), "iat", now() + 30)))
        .await;
    let mut endless = claims();
    endless.as_object_mut().expect("an object").remove("exp");
    world
        .refuses(&world.forge("execute", &header(), &endless))
        .await;
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let world = World::start().await;
    let foreign = SigningKey::from_bytes(&[7; 32]);
    world.refuses(&sign(&foreign, &header(), &claims())).await;
    // One trusted service in the name of another.
    world
        .refuses(&world.forge("gateway", &header(), &claims()))
        .await;
    let own_key = with(header(), "kid", "gateway");
    world
        .refuses(&world.forge("gateway", &own_key, &claims()))
        .await;
    // A part exchanged after signing.
    let token = world.forge("execute", &header(), &claims());
    let parts: Vec<_> = token.split('.').collect();
    let other = BASE64_URL_SAFE_NO_PAD.encode(with(claims(), "exp", now() + 6000).to_string());
    world
        .refuses(&format!("{}.{other}.{}", parts[0], parts[2]))
        .await;
}

#[tokio::test]
async fn another_algorithm_is_refused() {
    let world = World::start().await;
    for algorithm in ["none", "None", "HS256", "RS256", "ES256"] {
        let header = with(header(), "alg", algorithm);
        let token = world.forge("execute", &header, &claims());
        world.refuses(&token).await;
        let unsigned = token.rsplit_once('.').expect("three parts").0;
        world.refuses(&format!("{unsigned}.")).await;
    }
}

#[tokio::test]
async fn a_users_token_is_refused_even_if_a_service_signed_it() {
    let world = World::start().await;
    world
        .refuses(&world.forge("execute", &with(header(), "typ", "JWT"), &claims()))
        .await;
    let mut untyped = header();
    untyped.as_object_mut().expect("an object").remove("typ");
    world
        .refuses(&world.forge("execute", &untyped, &claims()))
        .await;
    let mut unnamed = header();
    unnamed.as_object_mut().expect("an object").remove("kid");
    world
        .refuses(&world.forge("execute", &unnamed, &claims()))
        .await;
}

#[tokio::test]
async fn a_person_may_do_what_the_role_allows() {
    let world = World::start().await;
    let minter = world.minter("gateway");
    let expected = [
        (Role::Learner, [200, 403, 403]),
        (Role::Teacher, [200, 200, 403]),
        (Role::Admin, [200, 200, 200]),
    ];
    for (role, statuses) in expected {
        let token = minter
            .for_account("question", &account(role))
            .expect("it can be signed");
        for (path, status) in ["/person", "/teacher", "/admin"].into_iter().zip(statuses) {
            let asked = world.ask(path, Some(&format!("Bearer {token}"))).await;
            assert_eq!(asked.0, status, "{role:?} {path}: {}", asked.1);
        }
    }
}

#[tokio::test]
async fn a_service_is_no_person() {
    let world = World::start().await;
    let token = world
        .minter("execute")
        .service("question")
        .expect("it can be signed");
    let asked = world.ask("/person", Some(&format!("Bearer {token}"))).await;
    assert_eq!(asked, (403, "forbidden".to_owned()));
}

#[test]
fn keys_are_made_once_and_kept_from_others() {
    let keys = TempDir::new().expect("a folder");
    make_keys(keys.path(), &["gateway"]).expect("keys are made");
    let read = |name: &str| std::fs::read_to_string(keys.path().join(name)).expect("it is there");
    let first = read("gateway.pem");
    make_keys(keys.path(), &["gateway", "execute"]).expect("keys are made");
    assert_eq!(read("gateway.pem"), first);
    let trusted: Value = serde_json::from_str(&read("trusted.json")).expect("JSON");
    let names: Vec<_> = trusted["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| &key["kid"])
        .collect();
    assert_eq!(names, ["gateway", "execute"]);
    assert!(trusted["keys"][0].get("d").is_none(), "only public halves");
    for name in ["gateway.pem", "execute.pem"] {
        let mode = std::fs::metadata(keys.path().join(name))
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_missing_broken_or_foreign_key_is_named() {
    let keys = TempDir::new().expect("a folder");
    make_keys(keys.path(), &["gateway"]).expect("keys are made");
    let config = |key: &str| KeysConfig {
        service_key: keys.path().join(key),
        trusted: TrustedKeysConfig {
            trusted_keys: keys.path().join("trusted.json"),
        },
    };
    assert!(config("gateway.pem").load("gateway").is_ok());
    assert!(matches!(
        config("none.pem").load("gateway"),
        Err(KeyError::Read { .. })
    ));
    assert!(matches!(
        config("trusted.json").load("gateway"),
        Err(KeyError::Malformed { .. })
    ));
    assert!(matches!(
        config("gateway.pem").load("execute"),
        Err(KeyError::Untrusted(_))
    ));
    let key = ServiceKey::generate("gateway");
    assert!(
        !format!("{key:?}").contains("secret"),
        "a key does not show itself"
    );
}
