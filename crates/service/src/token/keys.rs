//! The keys: a service's own private one, and the public ones of all that it trusts.
//!
//! A key's name is the service's. Files are written whole or not at all; private ones only for their owner's eyes.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use crate::config::{KeysConfig, TrustedKeysConfig};

/// A service's own private key.
#[derive(Clone)]
pub struct ServiceKey {
    name: String,
    signing: SigningKey,
    encoding: EncodingKey,
}

/// The public keys of the services that are trusted, by name. Clones are the same.
#[derive(Clone)]
pub struct TrustedKeys {
    keys: Arc<HashMap<String, Trusted>>,
}

struct Trusted {
    bytes: [u8; 32],
    decoding: DecodingKey,
}

/// A key could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}, which `codementor setup --keys` makes")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the key file {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold {expected}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The own key is not the one that others trust.
    #[error(
        "the key of {0} is not the one in the file of trusted keys: run `codementor setup --keys` again"
    )]
    Untrusted(String),
}

/// RFC 8037, as far as it concerns Ed25519.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    kid: String,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

impl ServiceKey {
    /// A new key for the service of that name.
    pub fn generate(name: &str) -> Self {
        Self::new(name, SigningKey::from_bytes(&rand::random()))
    }

    /// The key of the service of that name from its file (PKCS#8, PEM).
    pub fn load(name: &str, path: &Path) -> Result<Self, KeyError> {
        match SigningKey::from_pkcs8_pem(&read(path)?) {
            Ok(signing) => Ok(Self::new(name, signing)),
            Err(_) => Err(KeyError::Malformed {
                path: path.to_owned(),
                expected: "an Ed25519 private key in PEM",
            }),
        }
    }

    fn new(name: &str, signing: SigningKey) -> Self {
        Self {
            name: name.to_owned(),
            encoding: EncodingKey::from_ed_der(&pkcs8(&signing)),
            signing,
        }
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    fn public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    fn save(&self, path: &Path) -> Result<(), KeyError> {
        let text = BASE64_STANDARD.encode(pkcs8(&self.signing));
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        write(path, pem.as_bytes(), 0o600)
    }
}

/// Shows whose it is, never what it is.
impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl TrustedKeys {
    /// The keys in a file (JWKS; `kid` is the service's name).
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_jwks(&read(path)?).ok_or_else(|| KeyError::Malformed {
            path: path.to_owned(),
            expected: "a JWKS of Ed25519 public keys with names",
        })
    }

    /// The public halves of these keys.
    pub fn from_keys<'a>(keys: impl IntoIterator<Item = &'a ServiceKey>) -> Self {
        let keys = keys
            .into_iter()
            .map(|key| (key.name.clone(), Trusted::new(key.public())));
        Self {
            keys: Arc::new(keys.collect()),
        }
    }

    fn from_jwks(text: &str) -> Option<Self> {
        let jwks: Jwks = serde_json::from_str(text).ok()?;
        let mut keys = HashMap::new();
        for jwk in jwks.keys {
            if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
                return None;
            }
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&jwk.x).ok()?;
            keys.insert(jwk.kid, Trusted::new(bytes.try_into().ok()?));
        }
        Some(Self {
            keys: Arc::new(keys),
        })
    }

    pub(super) fn key(&self, name: &str) -> Option<&DecodingKey> {
        self.keys.get(name).map(|trusted| &trusted.decoding)
    }

    fn trusts(&self, key: &ServiceKey) -> bool {
        self.keys
            .get(&key.name)
            .is_some_and(|trusted| trusted.bytes == key.public())
    }
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.keys.keys().collect();
        names.sort();
        f.debug_tuple("TrustedKeys").field(&names).finish()
    }
}

impl Trusted {
    fn new(bytes: [u8; 32]) -> Self {
        Self {
            bytes,
            decoding: DecodingKey::from_ed_der(&bytes),
        }
    }
}

impl KeysConfig {
    /// The own key of the service of that name, and those that it trusts, which must include its own.
    pub fn load(&self, name: &str) -> Result<(ServiceKey, TrustedKeys), KeyError> {
        let own = ServiceKey::load(name, &self.service_key)?;
        let trusted = self.trusted.load()?;
        if !trusted.trusts(&own) {
            return Err(KeyError::Untrusted(name.to_owned()));
        }
        Ok((own, trusted))
    }
}

impl TrustedKeysConfig {
    /// The keys that are trusted.
    pub fn load(&self) -> Result<TrustedKeys, KeyError> {
        TrustedKeys::load(&self.trusted_keys)
    }
}

/// Makes `<name>.pem` for each name that has none yet, and `trusted.json` with the public keys of all of them anew.
pub fn make_keys(folder: &Path, names: &[&str]) -> Result<(), KeyError> {
    fs::create_dir_all(folder).map_err(|source| KeyError::Write {
        path: folder.to_owned(),
        source,
    })?;
    let mut keys = Vec::new();
    for name in names {
        let path = folder.join(format!("{name}.pem"));
        let key = if path.exists() {
            ServiceKey::load(name, &path)?
        } else {
            let key = ServiceKey::generate(name);
            key.save(&path)?;
            key
        };
        keys.push(Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: BASE64_URL_SAFE_NO_PAD.encode(key.public()),
            kid: key.name,
            alg: Some("EdDSA".to_owned()),
            usage: Some("sig".to_owned()),
        });
    }
    let path = folder.join("trusted.json");
    let text = serde_json::to_vec_pretty(&Jwks { keys }).map_err(|error| KeyError::Write {
        path: path.clone(),
        source: error.into(),
    })?;
    write(&path, &text, 0o644)
}

/// RFC 8410: a key of Ed25519 is its 32 bytes behind a fixed head.
fn pkcs8(key: &SigningKey) -> Vec<u8> {
    const HEAD: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    [&HEAD[..], key.as_bytes()].concat()
}

fn read(path: &Path) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Whole or not at all: beside it first, then in its place.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        fs::remove_file(&beside).ok();
        KeyError::Write {
            path: path.to_owned(),
            source,
        }
    })
}
