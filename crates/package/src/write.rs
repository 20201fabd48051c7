//! Packages are written so that the same problem gives the same bytes: sorted, without times, by one fixed compression.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, Write},
};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// A file to be written: bytes at hand, or a reader that is opened when its turn comes.
pub enum Content {
    /// At hand.
    Bytes(Vec<u8>),
    /// To be read then.
    Reader(Box<dyn FnOnce() -> io::Result<Box<dyn Read>> + Send>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Reader(_) => f.write_str("a reader"),
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

/// Writes the files as a zip. Blocks.
pub fn write_zip(files: BTreeMap<String, Content>, into: impl Write + Seek) -> io::Result<()> {
    let mut zip = ZipWriter::new(into);
    for (name, content) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        zip.start_file(name, options)?;
        match content {
            Content::Bytes(bytes) => zip.write_all(&bytes)?,
            Content::Reader(open) => {
                io::copy(&mut open()?, &mut zip)?;
            }
        }
    }
    zip.finish()?;
    Ok(())
}
