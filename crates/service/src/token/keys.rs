//! Keys of services: one Ed25519 key each, made once by `codementor setup`; the public ones together as a JWK set.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rand::RngCore;
use serde::{Deserialize, Serialize};

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("cannot use the key file {path}: `codementor setup --keys DIR` makes keys", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no key.
    #[error("{path} holds no Ed25519 key: make it anew with `codementor setup --keys DIR`", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
    },
    /// The name of the key's owner is not known to others.
    #[error("the key of {name} is not among the trusted ones: all services need the same set")]
    Untrusted {
        /// Whose key.
        name: String,
    },
}

/// A service's own private key.
#[derive(Clone)]
pub struct ServiceKey {
    name: Arc<str>,
    key: SigningKey,
    encoding: EncodingKey,
}

impl std::fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ServiceKey {
    /// A new one.
    pub fn generate(name: &str) -> Self {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        Self::from_key(name, SigningKey::from_bytes(&secret))
    }

    /// That of the service `name`, from a PKCS#8 PEM file.
    pub fn load(name: &str, path: &Path) -> Result<Self, KeyError> {
        let pem = read(path)?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| KeyError::Content {
            path: path.to_owned(),
        })?;
        Ok(Self::from_key(name, key))
    }

    fn from_key(name: &str, key: SigningKey) -> Self {
        // PKCS#8 of an Ed25519 key: a fixed beginning, then the 32 bytes.
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        der.extend_from_slice(&key.to_bytes());
        Self {
            name: name.into(),
            encoding: EncodingKey::from_ed_der(&der),
            key,
        }
    }

    /// Whose it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    fn public(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            kid: self.name.to_string(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            x: URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes()),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    kid: String,
    alg: String,
    #[serde(rename = "use")]
    usage: String,
    x: String,
}

/// The public keys of all services. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TrustedKeys {
    keys: Arc<HashMap<String, DecodingKey>>,
}

impl TrustedKeys {
    /// From a file that holds a JWK set.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let content = || KeyError::Content {
            path: path.to_owned(),
        };
        let set: JwkSet = serde_json::from_str(&read(path)?).map_err(|_| content())?;
        Self::from_set(set).ok_or_else(content)
    }

    /// Those of these services.
    pub fn of(keys: &[&ServiceKey]) -> Self {
        let keys = keys.iter().map(|key| key.public()).collect();
        // Keys that are there have public halves that decode.
        Self::from_set(JwkSet { keys }).unwrap_or_else(|| Self {
            keys: Arc::default(),
        })
    }

    fn from_set(set: JwkSet) -> Option<Self> {
        let keys = set
            .keys
            .into_iter()
            .map(|jwk| {
                let fits = jwk.kty == "OKP" && jwk.crv == "Ed25519";
                let key = DecodingKey::from_ed_components(&jwk.x).ok()?;
                fits.then_some((jwk.kid, key))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            keys: Arc::new(keys),
        })
    }

    pub(super) fn key(&self, name: &str) -> Option<&DecodingKey> {
        self.keys.get(name)
    }
}

/// Makes `<name>.pem` for each service that has none in `folder`, and writes all public keys to `trusted.json`.
pub fn make_keys(folder: &Path, names: &[&str]) -> Result<(), KeyError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| KeyError::File { path, source }
    };
    fs::DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(folder)
        .map_err(failed(folder))?;
    let mut set = JwkSet { keys: vec![] };
    for name in names {
        let path = folder.join(format!("{name}.pem"));
        let key = if path.exists() {
            ServiceKey::load(name, &path)?
        } else {
            let key = ServiceKey::generate(name);
            let pem = key.key.to_pkcs8_pem(LineEnding::LF);
            let pem = pem.map_err(|_| KeyError::Content { path: path.clone() })?;
            write_private(&path, pem.as_bytes()).map_err(failed(&path))?;
            key
        };
        set.keys.push(key.public());
    }
    let path = folder.join("trusted.json");
    let text = serde_json::to_string_pretty(&set).map_err(|error| failed(&path)(error.into()))?;
    write_private(&path, text.as_bytes()).map_err(failed(&path))
}

/// Whole or not at all, and for the owner only.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn read(path: &Path) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}
