//! A word from a child to its parent that outlives `execve` and needs no heap: one page that both see.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use super::system::Trouble;

/// One page.
const LENGTH: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// A number that a child leaves, zero when it left none. Mapped for as long as the process lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note(&'static AtomicU64);

impl Note {
    #[expect(unsafe_code, reason = "shared memory is mapped")]
    pub(super) fn new() -> Result<Self, Trouble> {
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_ANONYMOUS;
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing.
        let page = unsafe {
            mmap_anonymous(
                None,
                LENGTH,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                flags,
            )
        };
        let page: NonNull<AtomicU64> = page.map_err(|e| Trouble::new("map a page", e))?.cast();
        // SAFETY: the page is zeroed, aligned, never unmapped, and only ever seen as this atomic number.
        Ok(Self(unsafe { page.as_ref() }))
    }

    /// Leaves what failed. Called by the child; takes no memory.
    pub(super) fn leave(self, step: u8, errno: Errno) {
        let number = u64::from(step) << 32 | u64::from((errno as i32).unsigned_abs());
        self.0.store(number | 1 << 63, Ordering::SeqCst);
    }

    /// Takes what was left: the step, and the kernel's number.
    pub(super) fn take(self) -> Option<(u8, i32)> {
        let number = self.0.swap(0, Ordering::SeqCst);
        let [_, _, _, step, errno @ ..] = number.to_be_bytes();
        (number != 0).then_some((step, i32::from_be_bytes(errno)))
    }
}
