//! Files in memory that nobody can change any more: how input reaches programs.
//!
//! Handing over a file of the host's disk would let a program of the same user write it, and `/dev/stdin` could not be
//! opened again behind Landlock; a sealed memfd has neither problem and many runs can share it.

use std::fs::{File, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Bytes in a file that nobody can change any more: safe to hand to many programs at once.
///
/// A program can open it again through `/dev/stdin`, which a file of the host's disk would not allow it.
pub fn sealed_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(
        "input",
        MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
    )?);
    file.write_all(content)?;
    seal(&file)?;
    Ok(file)
}

/// Copies a file into a sealed one.
pub(crate) fn sealed_copy(source: &File) -> io::Result<File> {
    let mut file = File::from(memfd_create(
        "input",
        MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
    )?);
    copy_from_start(source, &mut file)?;
    seal(&file)?;
    Ok(file)
}

/// Copies a whole file whatever the offset of its description, which others may share and move.
pub(crate) fn copy_from_start(from: &File, to: &mut File) -> io::Result<u64> {
    let mut offset = 0;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = from.read_at(&mut buffer, offset)?;
        if read == 0 {
            return Ok(offset);
        }
        to.write_all(&buffer[..read])?;
        offset += read as u64;
    }
}

/// Whether nobody can change this file any more.
pub(crate) fn is_sealed(file: &File) -> bool {
    fcntl(file, FcntlArg::F_GET_SEALS)
        .is_ok_and(|seals| SealFlag::from_bits_truncate(seals).contains(SealFlag::F_SEAL_WRITE))
}

/// Closes the file for changes and sets its offset back to the beginning.
fn seal(mut file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o444))?;
    let seals = SealFlag::F_SEAL_WRITE
        | SealFlag::F_SEAL_GROW
        | SealFlag::F_SEAL_SHRINK
        | SealFlag::F_SEAL_SEAL;
    fcntl(file, FcntlArg::F_ADD_SEALS(seals))?;
    file.rewind()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_files_cannot_be_written() {
        let file = sealed_file(b"abc").expect("memfd works");
        assert!(is_sealed(&file));
        assert!((&file).write_all(b"x").is_err());
        let copy = sealed_copy(&file).expect("copies");
        let mut content = [0; 3];
        copy.read_exact_at(&mut content, 0).expect("reads");
        assert_eq!(&content, b"abc");
    }
}
