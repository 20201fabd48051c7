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
    collections::BTreeSet,
    error::Error,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use contract::manifest::BlobRef;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::{io::AsyncReadExt, task::spawn_blocking};

const STAGING: &str = "staging";
const FORGOTTEN: Duration = Duration::from_hours(24);
const SYNC_THREADS: usize = 8;
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

/// A body that was being staged while it arrived has failed.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It could not be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// It did not arrive.
    #[error("the body was cut off")]
    Cut(#[source] Box<dyn Error + Send + Sync>),
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
        Ok(staging.finish())
    }

    /// Stages a body while it arrives.
    pub async fn stage_stream<E: Error + Send + Sync + 'static>(
        &self,
        stream: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<Staged, StreamError> {
        let mut stream = std::pin::pin!(stream);
        let folder = self.clone();
        let mut staging = blocking(move || Ok(folder.stage(limit)?)).await?;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| StreamError::Cut(Box::new(error)))?;
            staging = blocking(move || {
                staging.write(&chunk)?;
                Ok(staging)
            })
            .await?;
        }
        Ok(staging.finish())
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

    /// Whether there is a blob of this name.
    pub fn has(&self, sha256: &str) -> bool {
        is_sha256(sha256) && self.path(sha256).is_file()
    }

    /// Copies all blobs into another folder, and says how many they are. A damaged one is an error. When this returns, the copies
    /// survive a power cut.
    pub async fn copy_to(&self, other: &Self) -> Result<usize, BlobError> {
        let (from, to) = (self.clone(), other.clone());
        blocking(move || {
            let mut count = 0;
            for entry in fs::read_dir(&from.folder)? {
                let folder = entry?.path();
                if folder.ends_with(STAGING) || !folder.is_dir() {
                    continue;
                }
                let mut copies = vec![];
                for entry in fs::read_dir(folder)? {
                    let name = entry?.file_name().to_string_lossy().into_owned();
                    if is_sha256(&name) {
                        copies.push(from.copy(&name, &to)?);
                    }
                }
                count += copies.len();
                to.keep_blocking(copies)?;
            }
            Ok(count)
        })
        .await
    }

    /// Stages a copy in the other folder.
    fn copy(&self, sha256: &str, other: &Self) -> Result<Staged, BlobError> {
        let mut file = File::open(self.path(sha256)).map_err(|error| missing(error, sha256))?;
        let mut staging = other.stage(u64::MAX)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                length => staging.write(&chunk[..length])?,
            }
        }
        let staged = staging.finish();
        if staged.blob.sha256 == sha256 {
            Ok(staged)
        } else {
            Err(BlobError::Damaged {
                sha256: sha256.to_owned(),
            })
        }
    }

    fn keep_blocking(&self, staged: Vec<Staged>) -> Result<(), BlobError> {
        let files: Vec<_> = staged
            .iter()
            .map(|staged| staged.path.to_path_buf())
            .collect();
        sync_all(&files)?;
        let mut folders = BTreeSet::from([self.folder.to_path_buf()]);
        for Staged { blob, path } in staged {
            let target = self.path(&blob.sha256);
            if let Some(parent) = target.parent()
                && folders.insert(parent.to_owned())
            {
                fs::create_dir_all(parent)?;
            }
            path.persist(&target).map_err(|error| error.error)?;
        }
        Ok(sync_all(&Vec::from_iter(folders))?)
    }

    fn path(&self, sha256: &str) -> PathBuf {
        self.folder
            .join(sha256.get(..2).unwrap_or_default())
            .join(sha256)
    }
}

impl Staged {
    /// The file while it is only staged.
    pub fn path(&self) -> &Path {
        &self.path
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
    pub fn finish(self) -> Staged {
        Staged {
            blob: BlobRef {
                sha256: hex::encode(self.hash.finalize()),
                size: self.size,
            },
            path: self.file.into_temp_path(),
        }
    }
}

/// Whether this is a blob's name: nothing else may become part of a path.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns when these files and folders are on disk. Several at once: the file system commits them together.
fn sync_all(paths: &[PathBuf]) -> io::Result<()> {
    let share = paths.len().div_ceil(SYNC_THREADS).max(1);
    let sync = |path: &PathBuf| File::open(path)?.sync_all();
    thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(share)
            .map(|paths| scope.spawn(move || paths.iter().try_for_each(sync)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        })
    })
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
mod tests;
