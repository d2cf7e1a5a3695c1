//! Aligned memory: every buffer starts at a line of 64 bytes, so that no vector crosses two.

use crate::Real;
use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A line of memory, and the alignment of every buffer.
const LINE_BYTES: usize = 64;
/// A huge page: it needs one entry of the TLB where small pages need 512. Long rows of a wide layer are a page apart.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// `len` numbers, initially zero, aligned to 64 bytes. Buffers of 2 MiB or more are aligned to 2 MiB, on huge pages if
/// the system has them.
///
/// The length is fixed, so computing with a buffer never allocates.
pub struct Buffer<T> {
    start: NonNull<T>,
    len: usize,
    layout: Layout,
}

// SAFETY: a buffer owns its numbers as a Vec does.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: as above: shared access only reads.
unsafe impl<T: Sync> Sync for Buffer<T> {}

impl<T: Real> Buffer<T> {
    /// `len` zeros. A length of 0 is fine.
    ///
    /// # Errors
    /// [`OutOfMemory`] if the system lacks the memory, or no address space could hold it.
    pub fn zeroed(len: usize) -> Result<Self, OutOfMemory> {
        let refused = OutOfMemory { len, size: size_of::<T>() };
        let bytes = len.checked_mul(size_of::<T>()).ok_or(refused)?.max(LINE_BYTES);
        let alignment = if bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { LINE_BYTES };
        let layout = Layout::from_size_align(bytes, alignment).map_err(|_| refused)?;
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc(layout) }).ok_or(refused)?;
        #[cfg(all(target_os = "linux", not(miri)))]
        if bytes >= HUGE_PAGE_BYTES {
            // It must come before the first touch, which would allocate small pages. A refusal changes nothing but
            // speed.
            // SAFETY: the range is ours.
            unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        // SAFETY: `bytes` are ours to write, and all bits zero is the number 0.
        unsafe { start.as_ptr().write_bytes(0, bytes) };
        Ok(Buffer { start: start.cast(), len, layout })
    }

    /// A copy.
    ///
    /// # Errors
    /// As [`Buffer::zeroed`].
    pub fn try_clone(&self) -> Result<Self, OutOfMemory> {
        let mut copy = Buffer::zeroed(self.len)?;
        copy.copy_from_slice(self);
        Ok(copy)
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with this layout, freed once.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `zeroed` allocated and wrote `len` numbers; a borrow of the buffer keeps them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `&mut self` makes the access the only one.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The system lacks memory for `len` numbers of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The numbers that were asked for.
    pub len: usize,
    /// Bytes of one number.
    pub size: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no memory for {} numbers of {} bytes", self.len, self.size)
    }
}

impl std::error::Error for OutOfMemory {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_is_aligned_zero_and_as_long_as_asked() {
        for len in [0, 1, 15, 16, 17, 1000, 600_000] {
            let buffer = Buffer::<f32>::zeroed(len).unwrap();
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr() as usize % LINE_BYTES, 0);
            assert!(len * 4 < HUGE_PAGE_BYTES || (buffer.as_ptr() as usize).is_multiple_of(HUGE_PAGE_BYTES));
            assert!(buffer.iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn buffer_refuses_absurd_lengths() {
        for len in [usize::MAX, usize::MAX / 2, usize::MAX / 8, isize::MAX as usize / 8, 1 << 58] {
            assert_eq!(Buffer::<f64>::zeroed(len).unwrap_err(), OutOfMemory { len, size: 8 });
        }
        assert!(Buffer::<f32>::zeroed(usize::MAX / 2).unwrap_err().to_string().contains("of 4 bytes"));
    }

    #[test]
    fn try_clone_copies() {
        let mut a = Buffer::<f64>::zeroed(5).unwrap();
        a[4] = 3.0;
        let b = a.try_clone().unwrap();
        a[4] = 1.0;
        assert_eq!(&*b, &[0.0, 0.0, 0.0, 0.0, 3.0]);
        assert_eq!(format!("{b:?}"), "[0.0, 0.0, 0.0, 0.0, 3.0]");
    }
}
