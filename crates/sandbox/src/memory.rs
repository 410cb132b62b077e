//! Memory: backing it before it is touched, and whether it may be made executable.

use std::io;

/// Backs every whole page of a block with real memory, so that no later write faults; its contents do not change.
///
/// Asks for huge pages first where `huge`; that is advice, and its refusal no error. Where the system lacks
/// `MADV_POPULATE_WRITE` (Linux before 5.14) it answers so, and nothing is touched.
///
/// # Errors
/// Where memory lacks, or the system cannot do it.
#[expect(unsafe_code, reason = "madvise takes raw pointers")]
pub fn populate(block: &mut [u8], huge: bool) -> io::Result<()> {
    let Some((start, length)) = whole_pages(block) else { return Ok(()) };
    if huge {
        // SAFETY: the range lies inside `block`, which is borrowed for writing; the advice keeps its contents.
        let _ = unsafe { rustix::mm::madvise(start, length, rustix::mm::Advice::LinuxHugepage) };
    }
    // SAFETY: as above; populating writes nothing, it only backs the pages as a write would.
    Ok(unsafe { rustix::mm::madvise(start, length, rustix::mm::Advice::LinuxPopulateWrite) }?)
}

/// The part of a block that is made of whole pages: madvise(2) wants an aligned start.
fn whole_pages(block: &mut [u8]) -> Option<(*mut std::ffi::c_void, usize)> {
    let page = rustix::param::page_size();
    let lead = block.as_ptr().align_offset(page);
    let length = block.len().checked_sub(lead)? & !(page - 1);
    (length > 0).then(|| (block[lead..].as_mut_ptr().cast(), length))
}

/// Memory fresh from the system, behind pages of one size, until dropped.
#[derive(Debug)]
pub struct Fresh {
    start: *mut std::ffi::c_void,
    length: usize,
}

impl Fresh {
    /// So many bytes, none of them backed yet, behind large pages where these are asked for and given.
    ///
    /// # Errors
    /// Where the system has no such memory, or does not let a process say which pages it wants.
    #[expect(unsafe_code, reason = "mmap and madvise are unsafe by nature")]
    pub fn map(length: usize, large: bool) -> io::Result<Self> {
        use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh anonymous mapping at an address of the system's choice overlaps nothing.
        let start = unsafe { mmap_anonymous(std::ptr::null_mut(), length, access, MapFlags::PRIVATE) }?;
        let this = Self { start, length };
        let advice = if large { Advice::LinuxHugepage } else { Advice::LinuxNoHugepage };
        // SAFETY: the mapping is ours and the advice keeps its contents.
        unsafe { madvise(start, length, advice) }?;
        Ok(this)
    }

    /// Touches every page of the usual size once.
    #[expect(unsafe_code, reason = "a mapping is written by its address")]
    pub fn touch(&mut self) {
        for at in (0..self.length).step_by(rustix::param::page_size()) {
            // SAFETY: within the mapping, which is ours to write and of which nobody holds a reference.
            unsafe { self.start.cast::<u8>().add(at).write_volatile(1) };
        }
    }
}

impl Drop for Fresh {
    #[expect(unsafe_code, reason = "munmap is unsafe by nature")]
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        let _ = unsafe { rustix::mm::munmap(self.start, self.length) };
    }
}

/// Whether this process may make memory executable, found by doing it with one page.
#[must_use]
#[expect(unsafe_code, reason = "mmap and mprotect are unsafe by nature")]
pub fn executable_allowed() -> bool {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    let page = rustix::param::page_size();
    // SAFETY: a fresh anonymous mapping at an address of the system's choice overlaps nothing.
    let Ok(address) =
        (unsafe { mmap_anonymous(std::ptr::null_mut(), page, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) })
    else {
        return false;
    };
    // SAFETY: the page is ours alone, nobody refers to it, and it is unmapped at once.
    unsafe {
        let allowed = mprotect(address, page, MprotectFlags::READ | MprotectFlags::EXEC).is_ok();
        let _ = munmap(address, page);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn populating_backs_pages_and_keeps_contents() {
        let mut block = vec![7_u8; 3 << 20];
        populate(&mut block, true).unwrap();
        assert!(block.iter().all(|&byte| byte == 7));
        populate(&mut block[1..5000], false).unwrap();
        populate(&mut [], false).unwrap();
    }

    #[test]
    fn populating_spares_later_faults() {
        let size = 16 << 20;
        // A fresh allocation of this size comes from the system unbacked.
        let mut block = vec![0_u8; size];
        populate(&mut block, false).unwrap();
        let faults = crate::measure::usage().minor_faults;
        block.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
        std::hint::black_box(&block);
        assert!(crate::measure::usage().minor_faults - faults < 1000, "4096 pages would have faulted");
    }

    #[test]
    fn fresh_memory_is_backed_as_it_is_touched() {
        for large in [false, true] {
            let Ok(mut fresh) = Fresh::map(8 << 20, large) else { return };
            let before = crate::measure::usage().minor_faults;
            fresh.touch();
            let faults = crate::measure::usage().minor_faults - before;
            assert!(faults > 0 && (large || faults >= 2048), "{faults} faults of 2048 pages");
            fresh.touch();
            assert!(crate::measure::usage().minor_faults - before < faults + 1000, "it is touched already");
        }
    }

    #[test]
    fn this_machine_compiles_code() {
        assert!(executable_allowed(), "the test machine runs compiled WebAssembly");
    }
}
