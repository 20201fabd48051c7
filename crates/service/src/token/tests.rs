//! What service tokens open, and what they must not.

use contract::{Account, AccountId, Locale, Role};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use time::{Duration, OffsetDateTime};

use super::*;

fn account() -> Account {
    Account {
        id: AccountId::new(),
        role: Role::Learner,
        locale: Locale::Ko,
        name: "학생".to_owned(),
    }
}

fn claims() -> Claims {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Claims {
        iss: "gateway".to_owned(),
        aud: "execute".to_owned(),
        iat: now,
        exp: now + 60,
        account: Some(account()),
        blobs: None,
    }
}

fn sign(header: &Header, claims: &Claims, key: &ServiceKey) -> String {
    encode(header, claims, key.encoding()).expect("it can be signed")
}

fn header() -> Header {
    Header {
        typ: Some(TYPE.to_owned()),
        kid: Some("gateway".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    }
}

#[test]
fn opens_the_called_service_only() {
    let key = ServiceKey::generate("gateway");
    let trusted = TrustedKeys::of(&[&key]);
    let minter = Minter::new(key);
    let token = minter.for_account("execute", &account());
    assert!(
        Verifier::new("execute", trusted.clone())
            .verify(&token)
            .is_ok()
    );
    assert_eq!(
        Verifier::new("question", trusted).verify(&token),
        Err(BadToken)
    );
}

#[test]
fn carries_the_account_and_the_blobs() {
    let key = ServiceKey::generate("evaluation");
    let verifier = Verifier::new("question", TrustedKeys::of(&[&key]));
    let minter = Minter::new(key);
    let who = account();
    let token = minter.for_account("question", &who);
    assert_eq!(verifier.verify(&token).expect("valid").account, Some(who));
    let hour = OffsetDateTime::now_utc() + Duration::hours(1);
    let token = minter.for_blobs("question", vec!["ab".to_owned()], hour);
    assert_eq!(
        verifier.verify(&token).expect("valid").blobs,
        Some(vec!["ab".to_owned()])
    );
}

#[test]
fn keeps_a_token_while_it_is_young() {
    let minter = Minter::new(ServiceKey::generate("gateway"));
    let who = account();
    assert_eq!(
        minter.for_account("execute", &who),
        minter.for_account("execute", &who)
    );
    assert_ne!(
        minter.for_account("execute", &who),
        minter.service("execute")
    );
}

#[test]
fn refuses_forged_expired_and_foreign_tokens() {
    let (key, stranger) = (
        ServiceKey::generate("gateway"),
        ServiceKey::generate("gateway"),
    );
    let verifier = Verifier::new("execute", TrustedKeys::of(&[&key]));
    let good = sign(&header(), &claims(), &key);
    assert!(verifier.verify(&good).is_ok());

    let forged = sign(&header(), &claims(), &stranger);
    let expired = Claims {
        exp: claims().iat - 10,
        ..claims()
    };
    let early = Claims {
        iat: claims().iat + 60,
        exp: claims().exp + 60,
        ..claims()
    };
    let impostor = Claims {
        iss: "evaluation".to_owned(),
        ..claims()
    };
    let user = Header {
        typ: Some("JWT".to_owned()),
        ..header()
    };
    let unknown = Header {
        kid: Some("nobody".to_owned()),
        ..header()
    };
    let bare = Header {
        kid: None,
        ..header()
    };
    for (what, token) in [
        ("forged", forged),
        ("expired", sign(&header(), &expired, &key)),
        ("from the future", sign(&header(), &early, &key)),
        ("another's name", sign(&header(), &impostor, &key)),
        ("a user's type", sign(&user, &claims(), &key)),
        ("an unknown key", sign(&unknown, &claims(), &key)),
        ("no key", sign(&bare, &claims(), &key)),
        ("cut", good[..good.len() - 2].to_owned()),
        ("empty", String::new()),
    ] {
        assert_eq!(verifier.verify(&token), Err(BadToken), "{what}");
    }
}

#[test]
fn refuses_other_algorithms() {
    let key = ServiceKey::generate("gateway");
    let verifier = Verifier::new("execute", TrustedKeys::of(&[&key]));
    let symmetric = Header {
        alg: Algorithm::HS256,
        ..header()
    };
    let token = encode(
        &symmetric,
        &claims(),
        &EncodingKey::from_secret(b"public key"),
    );
    assert_eq!(
        verifier.verify(&token.expect("it can be signed")),
        Err(BadToken)
    );
    let good = sign(&header(), &claims(), &key);
    let payload = good.split('.').nth(1).expect("three parts");
    // {"alg":"none","typ":"service+jwt","kid":"gateway"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoic2VydmljZStqd3QiLCJraWQiOiJnYXRld2F5In0";
    assert_eq!(
        verifier.verify(&format!("{none}.{payload}.")),
        Err(BadToken)
    );
}

#[test]
fn keys_are_made_once_and_read_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_keys(folder.path(), &["gateway", "execute"]).expect("they can be made");
    let path = folder.path().join("gateway.pem");
    let before = std::fs::read(&path).expect("it is there");
    make_keys(folder.path(), &["gateway", "execute"]).expect("they are there");
    assert_eq!(std::fs::read(&path).expect("it is there"), before);

    let minter = Minter::new(ServiceKey::load("gateway", &path).expect("a key"));
    let trusted = TrustedKeys::load(&folder.path().join("trusted.json")).expect("keys");
    let token = minter.service("execute");
    assert!(Verifier::new("execute", trusted).verify(&token).is_ok());
    assert!(ServiceKey::load("gateway", &folder.path().join("nothing.pem")).is_err());
}
