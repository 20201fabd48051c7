//! Tests' inputs and expected outputs, fetched by hash from whoever has them and kept on disk.
//!
//! A blob is what its hash says or it is not taken. Many judgements that need the same one fetch it once. The folder is
//! disposable: bounded, least recently used ones go first, and what an earlier run left is found again at the start.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use contract::manifest::BlobRef;
use contract::runner_api::BlobSource;
use futures::{StreamExt, TryStreamExt, stream};
use service::{Client, ClientError};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::lru::Lru;

/// Blobs fetched at a time for one judgement.
const AT_ONCE: usize = 8;
/// A source that sends nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(15);
/// Tries to fetch a blob, with growing pauses between them.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The blobs that are on this machine's disk, and the way to the others.
#[derive(Debug)]
pub(crate) struct Blobs {
    folder: PathBuf,
    /// For the source that was asked last, which is nearly always the same.
    client: Mutex<Option<Client>>,
    known: Mutex<Lru<String, Arc<OnceCell<()>>>>,
}

/// Why there is no blob.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// The source did not give it.
    #[error("blob {sha256} cannot be fetched")]
    Unavailable {
        /// Which blob.
        sha256: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// The source broke off, or fell silent.
    #[error("the source of blob {sha256} broke off")]
    BrokenOff {
        /// Which blob.
        sha256: String,
    },
    /// What came is not what its hash or size says.
    #[error("blob {sha256} came with other bytes than its name says")]
    Mismatch {
        /// Which blob.
        sha256: String,
    },
    /// The folder could not be used.
    #[error("the blob folder cannot be used")]
    Folder(#[from] io::Error),
}

impl Blobs {
    /// Blobs below `folder`, at most so many bytes of them; what is there already is taken over.
    pub(crate) fn open(folder: PathBuf, max_bytes: u64) -> Result<Self, BlobError> {
        fs::create_dir_all(&folder)?;
        // Hidden tests lie here.
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let mut known = Lru::new(usize::MAX, max_bytes);
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (name, meta) = (entry.file_name(), entry.metadata()?);
            match name.to_str().filter(|name| is_hash(name)) {
                Some(name) => found.push((
                    meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    name.to_owned(),
                    meta.len(),
                )),
                // A download that never ended.
                None => fs::remove_file(entry.path())?,
            }
        }
        found.sort();
        for (_, name, bytes) in found {
            let cell: Arc<OnceCell<()>> = known.touch(&name);
            // Nobody else has this cell yet.
            let _ = cell.set(());
            for gone in known.weigh(&name, bytes) {
                fs::remove_file(folder.join(gone))?;
            }
        }
        Ok(Self {
            folder,
            client: Mutex::new(None),
            known: Mutex::new(known),
        })
    }

    /// Makes sure that all of these are on disk.
    pub(crate) async fn fetch_all(
        &self,
        blobs: &[&BlobRef],
        source: &BlobSource,
    ) -> Result<(), BlobError> {
        let mut fetches = Vec::with_capacity(blobs.len());
        for blob in blobs {
            fetches.push(self.ensure(blob, source));
        }
        stream::iter(fetches)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// An open blob, at its beginning.
    pub(crate) async fn file(
        &self,
        blob: &BlobRef,
        source: &BlobSource,
    ) -> Result<File, BlobError> {
        self.ensure(blob, source).await?;
        let path = self.folder.join(&blob.sha256);
        match File::open(&path) {
            // It had to go in between: fetch it once more.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lock().remove(&blob.sha256);
                self.ensure(blob, source).await?;
                Ok(File::open(&path)?)
            }
            other => Ok(other?),
        }
    }

    /// All bytes of a blob.
    pub(crate) async fn bytes(
        &self,
        blob: &BlobRef,
        source: &BlobSource,
    ) -> Result<Vec<u8>, BlobError> {
        let mut file = self.file(blob, source).await?;
        let capacity = usize::try_from(blob.size).unwrap_or_default();
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(capacity);
            file.read_to_end(&mut bytes).map(|_| bytes)
        });
        Ok(read.await.map_err(io::Error::other)??)
    }

    async fn ensure(&self, blob: &BlobRef, source: &BlobSource) -> Result<(), BlobError> {
        let cell = self.lock().touch(&blob.sha256);
        let mut fetched = false;
        let done = cell
            .get_or_try_init(async || {
                fetched = true;
                self.fetch(blob, source).await
            })
            .await;
        if let Err(error) = done {
            self.lock().remove(&blob.sha256);
            return Err(error);
        }
        if fetched {
            let gone = self.lock().weigh(&blob.sha256, blob.size);
            for name in gone {
                match fs::remove_file(self.folder.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(error.into());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn fetch(&self, blob: &BlobRef, source: &BlobSource) -> Result<(), BlobError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.fetch_once(blob, source).await {
                Err(error) if error.may_pass() => {
                    tracing::info!(%error, "trying again to fetch a blob");
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                }
                other => return other,
            }
        }
        self.fetch_once(blob, source).await
    }

    async fn fetch_once(&self, blob: &BlobRef, source: &BlobSource) -> Result<(), BlobError> {
        let sha256 = || blob.sha256.clone();
        let unavailable = |source| BlobError::Unavailable {
            sha256: sha256(),
            source,
        };
        let client = self.client(&source.url).map_err(unavailable)?;
        let request = client.get(&format!("/internal/blobs/{}", blob.sha256));
        let token = source.token(&blob.sha256).unwrap_or_default();
        let request = request.bearer(token).timeout(SILENCE);
        let mut answer = request.send().await.map_err(unavailable)?;
        let mut beside = tempfile::NamedTempFile::new_in(&self.folder)?;
        let (mut hash, mut left) = (Sha256::new(), blob.size);
        loop {
            let chunk = match tokio::time::timeout(SILENCE, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(_)) | Err(_) => return Err(BlobError::BrokenOff { sha256: sha256() }),
            };
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| BlobError::Mismatch { sha256: sha256() })?;
            hash.update(&chunk);
            beside.write_all(&chunk)?;
        }
        if left != 0 || hex::encode(hash.finalize()) != blob.sha256 {
            return Err(BlobError::Mismatch { sha256: sha256() });
        }
        beside
            .persist(self.folder.join(&blob.sha256))
            .map_err(|error| error.error)?;
        Ok(())
    }

    fn client(&self, url: &str) -> Result<Client, ClientError> {
        // A client is replaced as a whole.
        let mut last = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = last.as_ref().filter(|client| client.base_url() == url) {
            return Ok(client.clone());
        }
        let client = Client::without_key(url, "question")?;
        *last = Some(client.clone());
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, Lru<String, Arc<OnceCell<()>>>> {
        // The map is whole between any two of its own calls.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlobError {
    /// Whether the next moment may be better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable { source, .. } => source.is_transient(),
            Self::BrokenOff { .. } | Self::Mismatch { .. } => true,
            Self::Folder(_) => false,
        }
    }
}

/// Whether this is a SHA-256 as 64 lower-case hexadecimal digits: nothing else becomes a file name.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The first bytes of a file, one more than `limit` where there are so many.
pub(crate) fn beginning(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; limit + 1];
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// Where blobs lie below the work folder.
pub(crate) fn folder(work_dir: &Path) -> PathBuf {
    work_dir.join("blobs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn takes_over_what_is_there_and_keeps_to_its_bound() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::now();
        for (digit, age) in [('a', 30), ('b', 20), ('c', 10)] {
            let path = folder.path().join(name(digit));
            fs::write(&path, [0; 100]).expect("writes");
            let file = File::options().write(true).open(&path).expect("opens");
            let modified = now - Duration::from_secs(age);
            file.set_modified(modified).expect("sets the time");
        }
        fs::write(folder.path().join("unfinished"), b"x").expect("writes");
        let blobs = Blobs::open(folder.path().to_owned(), 250).expect("opens");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("lists")
            .map(|entry| {
                entry
                    .expect("lists")
                    .file_name()
                    .into_string()
                    .expect("is text")
            })
            .collect();
        left.sort();
        assert_eq!(left, [name('b'), name('c')]);
        let mode = fs::metadata(folder.path())
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "hidden tests are nobody else's");
        drop(blobs);
    }

    #[test]
    fn only_hashes_become_file_names() {
        assert!(is_hash(&name('a')) && is_hash(&name('0')));
        for bad in [
            "",
            "../../etc/passwd",
            &name('A'),
            &name('g'),
            &"a".repeat(63),
        ] {
            assert!(!is_hash(bad), "{bad}");
        }
    }

    #[test]
    fn reads_the_beginning_and_one_byte_more() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"abcdef").expect("writes");
        assert_eq!(beginning(&file, 3).expect("reads"), b"abcd");
        assert_eq!(beginning(&file, 100).expect("reads"), b"abcdef");
    }
}
