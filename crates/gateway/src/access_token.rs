//! Access tokens: what signing in gives, and what every request shows.
//!
//! EdDSA and nothing else, ours (`iss`, `aud`, `typ`) and nobody else's, ten minutes and no longer. A token names an account and the
//! session it came from; what the account may do is looked up, so that a role taken away is gone at once.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::AccountId;
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::secret;

/// How long a token is good, in seconds.
pub(crate) const LIFETIME_SECONDS: i64 = 600;
/// Who signs it.
pub(crate) const ISSUER: &str = "codementor";
/// Whom it is for: our public interface.
pub(crate) const AUDIENCE: &str = "codementor";
/// Its type (RFC 9068), so that no other token of ours passes for one.
const TYPE: &str = "at+jwt";
/// Clocks of gateways may differ by so much.
const LEEWAY_SECONDS: u64 = 5;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// Whose it is.
    pub sub: AccountId,
    /// The session it came from; absent when the operator made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// When it ends to be good.
    pub exp: i64,
    /// Tells it from others.
    pub jti: Uuid,
}

/// A private key with its name.
#[derive(Clone)]
pub(crate) struct SigningPair {
    /// The key's name, in each token's header.
    pub kid: String,
    key: SigningKey,
}

impl SigningPair {
    /// A new one.
    pub(crate) fn generate() -> Self {
        Self::from_seed(Uuid::now_v7().to_string(), &secret::random())
    }

    /// The stored one.
    pub(crate) fn from_seed(kid: String, seed: &[u8; 32]) -> Self {
        Self {
            kid,
            key: SigningKey::from_bytes(seed),
        }
    }

    /// What is stored.
    pub(crate) fn seed(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// What everybody may know.
    pub(crate) fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

/// Why a token cannot be signed: a key is broken, never the request.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The private key.
    #[error("the signing key cannot be used: {0}")]
    Key(#[from] ed25519_dalek::pkcs8::Error),
    /// The signature.
    #[error("cannot sign: {0}")]
    Signature(#[from] jsonwebtoken::errors::Error),
}

/// Signs with one key.
#[derive(Clone)]
pub(crate) struct Signer {
    kid: String,
    key: EncodingKey,
}

impl Signer {
    /// With this key.
    pub(crate) fn new(pair: &SigningPair) -> Result<Self, SignError> {
        let der = pair.key.to_pkcs8_der()?;
        Ok(Self {
            kid: pair.kid.clone(),
            key: EncodingKey::from_ed_der(der.as_bytes()),
        })
    }

    /// A token that is good from `now` on.
    pub(crate) fn sign(
        &self,
        account: AccountId,
        session: Option<Uuid>,
        now: OffsetDateTime,
    ) -> Result<String, SignError> {
        let iat = now.unix_timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account,
            sid: session,
            iat,
            exp: iat + LIFETIME_SECONDS,
            jti: Uuid::now_v7(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}

/// The public keys by name, as everybody may read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Jwks {
    /// One for each key that may have signed a token which is still good.
    pub keys: Vec<PublicKey>,
}

/// One Ed25519 public key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PublicKey {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The key's name.
    pub kid: String,
    /// The key, base64url.
    pub x: String,
}

/// All keys of one moment.
#[derive(Clone)]
pub(crate) struct KeyRing {
    signer: Option<Signer>,
    verifying: HashMap<String, DecodingKey>,
    /// What everybody may read.
    pub jwks: Arc<Jwks>,
}

/// Why a token was refused. The client learns no more than that it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It is no token, or one of another type or algorithm.
    #[error("not an access token of ours")]
    Foreign,
    /// Its key is not known (yet).
    #[error("signed with a key that is not known")]
    UnknownKey,
    /// Signature, audience, issuer or time.
    #[error("refused: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
}

impl KeyRing {
    /// `signing` signs; all `public` ones verify.
    pub(crate) fn new(
        signing: Option<&SigningPair>,
        public: &[(String, [u8; 32])],
    ) -> Result<Self, SignError> {
        let jwk = |(kid, key): &(String, [u8; 32])| PublicKey {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            kid: kid.clone(),
            x: URL_SAFE_NO_PAD.encode(key),
        };
        Ok(Self {
            signer: signing.map(Signer::new).transpose()?,
            verifying: public
                .iter()
                .map(|(kid, key)| (kid.clone(), DecodingKey::from_ed_der(key)))
                .collect(),
            jwks: Arc::new(Jwks {
                keys: public.iter().map(jwk).collect(),
            }),
        })
    }

    /// The one that signs today; `None` before set-up.
    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// What a token says, when it is one of ours and good now.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, Refused> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Foreign)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(Refused::Foreign);
        }
        let kid = header.kid.ok_or(Refused::Foreign)?;
        let key = self.verifying.get(&kid).ok_or(Refused::UnknownKey)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY_SECONDS;
        Ok(jsonwebtoken::decode::<Claims>(token, key, &rules)?.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(pair: &SigningPair) -> KeyRing {
        KeyRing::new(Some(pair), &[(pair.kid.clone(), pair.public())]).expect("a ring")
    }

    fn signed(pair: &SigningPair, header: &Header, claims: &serde_json::Value) -> String {
        let der = pair.key.to_pkcs8_der().expect("a key");
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(der.as_bytes()))
            .expect("a token")
    }

    fn header(pair: &SigningPair) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(pair.kid.clone());
        header
    }

    fn claims() -> serde_json::Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        serde_json::json!({
            "iss": "codementor", "aud": "codementor", "sub": Uuid::now_v7(), "jti": Uuid::now_v7(), "iat": now, "exp": now + 600,
        })
    }

    #[test]
    fn accepts_its_own() {
        let pair = SigningPair::generate();
        let (account, session) = (AccountId::new(), Uuid::now_v7());
        let signer = Signer::new(&pair).expect("a signer");
        let token = signer
            .sign(account, Some(session), OffsetDateTime::now_utc())
            .expect("a token");
        let claims = ring(&pair).verify(&token).expect("it is ours");
        assert_eq!((claims.sub, claims.sid), (account, Some(session)));
        assert_eq!(claims.exp - claims.iat, 600);
        ring(&pair)
            .verify(&signed(&pair, &header(&pair), &self::claims()))
            .expect("the tests' own claims are good");
    }

    #[test]
    fn refuses_any_claim_that_is_not_right() {
        let pair = SigningPair::generate();
        let past = OffsetDateTime::now_utc().unix_timestamp() - 60;
        for (claim, value) in [
            ("iss", serde_json::json!("someone")),
            ("aud", serde_json::json!("execute")),
            ("aud", serde_json::json!(null)),
            ("sub", serde_json::json!("root")),
            ("exp", serde_json::json!(past)),
            ("nbf", serde_json::json!(past + 600)),
        ] {
            let mut claims = claims();
            claims[claim] = value.clone();
            let token = signed(&pair, &header(&pair), &claims);
            assert!(ring(&pair).verify(&token).is_err(), "{claim} {value}");
            claims.as_object_mut().expect("an object").remove(claim);
            if claim != "nbf" {
                assert!(
                    ring(&pair)
                        .verify(&signed(&pair, &header(&pair), &claims))
                        .is_err(),
                    "without {claim}"
                );
            }
        }
    }

    #[test]
    fn refuses_other_types_keys_and_algorithms() {
        let (pair, other) = (SigningPair::generate(), SigningPair::generate());
        let mut service = header(&pair);
        service.typ = Some("service+jwt".to_owned());
        let mut untyped = header(&pair);
        untyped.typ = None;
        let mut nameless = header(&pair);
        nameless.kid = None;
        for header in [service, untyped, nameless] {
            assert!(matches!(
                ring(&pair).verify(&signed(&pair, &header, &claims())),
                Err(Refused::Foreign)
            ));
        }
        let foreign = signed(&other, &header(&other), &claims());
        assert!(matches!(
            ring(&pair).verify(&foreign),
            Err(Refused::UnknownKey)
        ));
        let forged = signed(&other, &header(&pair), &claims());
        assert!(matches!(
            ring(&pair).verify(&forged),
            Err(Refused::Invalid(_))
        ));

        // The public key as the secret of a symmetric signature: the oldest trick.
        let mut symmetric = Header::new(Algorithm::HS256);
        (symmetric.typ, symmetric.kid) = (Some(TYPE.to_owned()), Some(pair.kid.clone()));
        let token = jsonwebtoken::encode(
            &symmetric,
            &claims(),
            &EncodingKey::from_secret(&pair.public()),
        )
        .expect("a token");
        assert!(matches!(ring(&pair).verify(&token), Err(Refused::Foreign)));

        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for alg in ["none", "None", "NONE", "EdDSA"] {
            let head = part(serde_json::json!({ "alg": alg, "typ": TYPE, "kid": pair.kid }));
            for signature in ["", "AAAA"] {
                let token = format!("{head}.{}.{signature}", part(claims()));
                assert!(ring(&pair).verify(&token).is_err(), "{alg} {signature:?}");
            }
        }
        for text in ["", ".", "..", "a.b.c", "null"] {
            assert!(ring(&pair).verify(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_older_key_still_proves_what_it_signed() {
        let (old, new) = (SigningPair::generate(), SigningPair::generate());
        let token = Signer::new(&old)
            .expect("a signer")
            .sign(AccountId::new(), None, OffsetDateTime::now_utc())
            .expect("a token");
        let keys = [
            (old.kid.clone(), old.public()),
            (new.kid.clone(), new.public()),
        ];
        let both = KeyRing::new(Some(&new), &keys).expect("a ring");
        both.verify(&token).expect("it is known");
        assert_eq!(both.jwks.keys.len(), 2);
    }
}
