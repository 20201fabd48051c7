//! The bodies of tests: files named by the SHA-256 of what they hold, in one folder.
//!
//! ```text
//! {folder}/staging/…        being written; whatever a crash left is removed after a day
//! {folder}/ab/ab12…         complete, on disk for good, never changed
//! ```
//! A blob is staged, synced and only then renamed to its name: a name stands for the whole content or does not exist. Every
//! read is checked against the name, so a rotten disk is an error, never a wrong verdict. The only module that knows that
//! blobs are files. Never deletes a blob: a version may refer to it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use contract::manifest::BlobRef;
use futures::Stream;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::{io::AsyncReadExt, task::spawn_blocking};

const STAGING: &str = "staging";
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);
/// From this many on, one sync of the whole file system is cheaper than one of each file.
const MANY: usize = 16;
const CHUNK_BYTES: usize = 256 << 10;

/// A body could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is larger than it may be.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is allowed.
        limit: u64,
    },
    /// Its content is not what its name says.
    #[error("blob {sha256} is damaged on disk")]
    Damaged {
        /// Its name.
        sha256: String,
    },
    /// There is none of this name.
    #[error("blob {sha256} is missing")]
    Missing {
        /// Its name.
        sha256: String,
    },
    /// The disk failed, or is full.
    #[error("the disk failed")]
    Disk(#[from] io::Error),
}

/// The folder of blobs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: Arc<Path>,
}

/// A blob that is complete but not yet kept: it is gone when this is dropped.
#[derive(Debug)]
pub struct Staged {
    /// Its name and size.
    pub blob: BlobRef,
    path: TempPath,
}

/// A blob while it is being written. All calls block.
#[derive(Debug)]
pub struct Staging {
    file: NamedTempFile,
    hash: Sha256,
    size: u64,
    limit: u64,
}

impl Blobs {
    /// Opens the folder, makes it where it is missing, and removes what earlier crashes left half-written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let staging = folder.join(STAGING);
        fs::create_dir_all(&staging)?;
        for entry in fs::read_dir(&staging)? {
            let entry = entry?;
            let age = SystemTime::now().duration_since(entry.metadata()?.modified()?);
            if age.is_ok_and(|age| age > FORGOTTEN) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self {
            folder: folder.into(),
        })
    }

    /// Begins a blob of at most `limit` bytes. Blocks.
    pub fn stage(&self, limit: u64) -> io::Result<Staging> {
        Ok(Staging {
            file: NamedTempFile::new_in(self.folder.join(STAGING))?,
            hash: Sha256::new(),
            size: 0,
            limit,
        })
    }

    /// Stages a body that is in memory. Blocks.
    pub fn stage_bytes(&self, bytes: &[u8], limit: u64) -> Result<Staged, BlobError> {
        let mut staging = self.stage(limit)?;
        staging.write(bytes)?;
        Ok(staging.finish()?)
    }

    /// Keeps them for good. When this returns they survive a power cut; what is there already is replaced by the same.
    pub async fn keep(&self, staged: Vec<Staged>) -> Result<(), BlobError> {
        let blobs = self.clone();
        blocking(move || blobs.keep_blocking(staged)).await
    }

    /// The whole of a small blob.
    pub async fn read(&self, blob: &BlobRef) -> Result<Bytes, BlobError> {
        let path = self.path(&blob.sha256);
        let sha256 = blob.sha256.clone();
        blocking(move || {
            let bytes = fs::read(path).map_err(|error| missing(error, &sha256))?;
            if hex::encode(Sha256::digest(&bytes)) == sha256 {
                Ok(bytes.into())
            } else {
                Err(BlobError::Damaged { sha256 })
            }
        })
        .await
    }

    /// A blob of any size, and its length. The last chunk is held back until the content has proved right: a damaged blob
    /// ends in an error and is never delivered whole.
    pub async fn stream(
        &self,
        sha256: &str,
    ) -> Result<(u64, impl Stream<Item = Result<Bytes, BlobError>> + use<>), BlobError> {
        let sha256 = sha256.to_owned();
        let file = tokio::fs::File::open(self.path(&sha256))
            .await
            .map_err(|error| missing(error, &sha256))?;
        let size = file.metadata().await?.len();
        let reading = Reading {
            file,
            hash: Sha256::new(),
            rest: size,
            sha256,
        };
        Ok((size, futures::stream::try_unfold(Some(reading), next_chunk)))
    }

    fn keep_blocking(&self, staged: Vec<Staged>) -> Result<(), BlobError> {
        let many = staged.len() >= MANY;
        if many {
            rustix::fs::syncfs(File::open(&self.folder)?).map_err(io::Error::from)?;
        }
        for Staged { blob, path } in staged {
            if !many {
                File::open(&path)?.sync_all()?;
            }
            let target = self.path(&blob.sha256);
            let parent = target.parent().unwrap_or(&self.folder);
            fs::create_dir_all(parent)?;
            path.persist(&target).map_err(|error| error.error)?;
            if !many {
                File::open(parent)?.sync_all()?;
                File::open(&self.folder)?.sync_all()?;
            }
        }
        if many {
            rustix::fs::syncfs(File::open(&self.folder)?).map_err(io::Error::from)?;
        }
        Ok(())
    }

    fn path(&self, sha256: &str) -> PathBuf {
        self.folder
            .join(sha256.get(..2).unwrap_or_default())
            .join(sha256)
    }
}

impl Staging {
    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(BlobError::TooLarge { limit: self.limit });
        }
        self.hash.update(bytes);
        Ok(self.file.write_all(bytes)?)
    }

    /// The blob is complete.
    pub fn finish(self) -> io::Result<Staged> {
        Ok(Staged {
            blob: BlobRef {
                sha256: hex::encode(self.hash.finalize()),
                size: self.size,
            },
            path: self.file.into_temp_path(),
        })
    }
}

/// Whether this is a blob's name: nothing else may become part of a path.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

struct Reading {
    file: tokio::fs::File,
    hash: Sha256,
    rest: u64,
    sha256: String,
}

async fn next_chunk(
    reading: Option<Reading>,
) -> Result<Option<(Bytes, Option<Reading>)>, BlobError> {
    let Some(mut reading) = reading else {
        return Ok(None);
    };
    let length = usize::try_from(reading.rest).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
    let mut chunk = BytesMut::zeroed(length);
    reading.file.read_exact(&mut chunk).await?;
    reading.hash.update(&chunk);
    reading.rest -= length as u64;
    if reading.rest > 0 {
        return Ok(Some((chunk.freeze(), Some(reading))));
    }
    if hex::encode(reading.hash.finalize()) != reading.sha256 {
        return Err(BlobError::Damaged {
            sha256: reading.sha256,
        });
    }
    Ok(Some((chunk.freeze(), None)))
}

fn missing(error: io::Error, sha256: &str) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound {
        BlobError::Missing {
            sha256: sha256.to_owned(),
        }
    } else {
        error.into()
    }
}

/// Work that waits for the disk, off the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    spawn_blocking(work)
        .await
        .map_err(|error| io::Error::other(error).into())
        .flatten()
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn folder() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = Blobs::open(folder.path()).expect("it is writable");
        (folder, blobs)
    }

    async fn keep(blobs: &Blobs, bytes: &[u8]) -> BlobRef {
        let staged = blobs.stage_bytes(bytes, 1 << 30).expect("there is room");
        let blob = staged.blob.clone();
        blobs.keep(vec![staged]).await.expect("there is room");
        blob
    }

    async fn streamed(blobs: &Blobs, sha256: &str) -> Result<Vec<u8>, BlobError> {
        let (size, stream) = blobs.stream(sha256).await?;
        let chunks: Vec<Bytes> = stream.try_collect().await?;
        assert_eq!(
            chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>(),
            size
        );
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn keeps_by_content_and_gives_back_the_same() {
        let (_folder, blobs) = folder();
        let hello = keep(&blobs, b"hello").await;
        assert_eq!((hello.sha256.as_str(), hello.size), (HELLO, 5));
        assert_eq!(keep(&blobs, b"hello").await, hello);
        let large: Vec<u8> = (0..CHUNK_BYTES * 3 + 7).map(|n| (n % 251) as u8).collect();
        for bytes in [b"".as_slice(), &large, &large[..CHUNK_BYTES]] {
            let blob = keep(&blobs, bytes).await;
            assert_eq!(blobs.read(&blob).await.expect("it is there"), bytes);
            assert_eq!(
                streamed(&blobs, &blob.sha256).await.expect("it is there"),
                bytes
            );
        }
    }

    #[tokio::test]
    async fn many_are_kept_together() {
        let (_folder, blobs) = folder();
        let staged: Vec<_> = (0..MANY * 3)
            .map(|n| {
                blobs
                    .stage_bytes(n.to_string().as_bytes(), 9)
                    .expect("there is room")
            })
            .collect();
        let names: Vec<_> = staged.iter().map(|staged| staged.blob.clone()).collect();
        blobs.keep(staged).await.expect("there is room");
        for (n, blob) in names.iter().enumerate() {
            assert_eq!(blobs.read(blob).await.expect("it is there"), n.to_string());
        }
    }

    #[tokio::test]
    async fn what_is_not_kept_leaves_nothing() {
        let (folder, blobs) = folder();
        let staged = blobs.stage_bytes(b"hello", 5).expect("there is room");
        assert!(matches!(
            blobs.stage_bytes(b"hello!", 5),
            Err(BlobError::TooLarge { limit: 5 })
        ));
        drop(staged);
        let left = fs::read_dir(folder.path().join(STAGING))
            .expect("it exists")
            .count();
        assert_eq!(left, 0);
        assert!(matches!(
            blobs
                .read(&BlobRef {
                    sha256: HELLO.to_owned(),
                    size: 5
                })
                .await,
            Err(BlobError::Missing { .. })
        ));
    }

    #[tokio::test]
    async fn damage_is_an_error_and_a_new_upload_heals_it() {
        let (_folder, blobs) = folder();
        let large = vec![7; CHUNK_BYTES * 2];
        for bytes in [b"hello".as_slice(), &large] {
            let blob = keep(&blobs, bytes).await;
            let mut damaged = bytes.to_vec();
            damaged[0] ^= 1;
            fs::write(blobs.path(&blob.sha256), damaged).expect("it is writable");
            assert!(matches!(
                blobs.read(&blob).await,
                Err(BlobError::Damaged { .. })
            ));
            assert!(matches!(
                streamed(&blobs, &blob.sha256).await,
                Err(BlobError::Damaged { .. })
            ));
            keep(&blobs, bytes).await;
            assert_eq!(blobs.read(&blob).await.expect("it is healed"), bytes);
        }
    }

    #[test]
    fn what_a_crash_left_is_removed_when_it_is_old() {
        let (folder, _blobs) = folder();
        let old = folder.path().join(STAGING).join("old");
        let young = folder.path().join(STAGING).join("young");
        for path in [&old, &young] {
            fs::write(path, "x").expect("it is writable");
        }
        let long_ago = SystemTime::now() - FORGOTTEN * 2;
        File::open(&old)
            .and_then(|file| file.set_modified(long_ago))
            .expect("it is ours");
        Blobs::open(folder.path()).expect("it is writable");
        assert!(!old.exists());
        assert!(young.exists());
    }

    #[test]
    fn only_hashes_are_names() {
        assert!(is_sha256(HELLO));
        for name in [
            "",
            "..",
            &HELLO[1..],
            &HELLO.to_uppercase(),
            &format!("../{}", &HELLO[3..]),
        ] {
            assert!(!is_sha256(name));
        }
    }
}
