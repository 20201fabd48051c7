//! A word from a child to its parent that outlives `execve` and needs no heap: one page that both see.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use super::system::{Trouble, Usage};

/// One page.
const LENGTH: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// What children leave. Mapped for as long as the process lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note(&'static Page);

/// Zeroed as mapped: nothing is left yet.
#[derive(Debug)]
#[repr(C)]
struct Page {
    failure: AtomicU64,
    status: AtomicU64,
    cpu_us: AtomicU64,
    largest_bytes: AtomicU64,
}

/// Marks a number as left, even if it is zero.
const LEFT: u64 = 1 << 63;

impl Note {
    #[expect(unsafe_code, reason = "shared memory is mapped")]
    pub(super) fn new() -> Result<Self, Trouble> {
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_ANONYMOUS;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing.
        let page = unsafe { mmap_anonymous(None, LENGTH, access, flags) };
        let page: NonNull<Page> = page.map_err(|e| Trouble::new("map a page", e))?.cast();
        // SAFETY: the mapping is zeroed, aligned and larger, never unmapped, and only ever seen as these atomic numbers.
        Ok(Self(unsafe { page.as_ref() }))
    }

    /// Leaves what failed. Called by the child; takes no memory.
    pub(super) fn leave_failure(self, step: u8, errno: Errno) {
        let number = u64::from(step) << 32 | u64::from((errno as i32).unsigned_abs());
        self.0.failure.store(number | LEFT, Ordering::SeqCst);
    }

    /// Takes what failed: the step, and the kernel's number.
    pub(super) fn take_failure(self) -> Option<(u8, i32)> {
        let number = self.0.failure.swap(0, Ordering::SeqCst);
        let [_, _, _, step, errno @ ..] = number.to_be_bytes();
        (number != 0).then_some((step, i32::from_be_bytes(errno)))
    }

    /// Leaves how a program ended, as `wait` tells it. Called by its reaper.
    pub(super) fn leave_end(self, status: i32, usage: Usage) {
        self.0.cpu_us.store(usage.cpu_us, Ordering::SeqCst);
        let largest = usage.largest_bytes;
        self.0.largest_bytes.store(largest, Ordering::SeqCst);
        let status = u64::from(status.cast_unsigned());
        self.0.status.store(status | LEFT, Ordering::SeqCst);
    }

    /// Takes how it ended.
    pub(super) fn take_end(self) -> Option<(i32, Usage)> {
        let number = self.0.status.swap(0, Ordering::SeqCst);
        let [_, _, _, _, status @ ..] = number.to_be_bytes();
        let usage = Usage {
            cpu_us: self.0.cpu_us.load(Ordering::SeqCst),
            largest_bytes: self.0.largest_bytes.load(Ordering::SeqCst),
        };
        (number != 0).then_some((i32::from_be_bytes(status), usage))
    }
}
