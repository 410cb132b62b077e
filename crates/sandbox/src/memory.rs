//! Memory: backing it before it is touched, and whether it may be made executable.

use std::io;

/// Backs every whole page of a block with real memory, so that no later write faults; its contents do not change.
///
/// Asks for huge pages first where `huge`; that is advice, and its refusal no error. Where the system lacks
/// `MADV_POPULATE_WRITE` (Linux before 5.14, and others) it answers so, and nothing is touched.
///
/// # Errors
/// Where memory lacks, or the system cannot do it.
#[cfg(target_os = "linux")]
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

/// Backing memory ahead is not offered by this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn populate(_block: &mut [u8], _huge: bool) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The part of a block that is made of whole pages: madvise(2) wants an aligned start.
#[cfg(target_os = "linux")]
fn whole_pages(block: &mut [u8]) -> Option<(*mut std::ffi::c_void, usize)> {
    let page = rustix::param::page_size();
    let lead = block.as_ptr().align_offset(page);
    let length = block.len().checked_sub(lead)? & !(page - 1);
    (length > 0).then(|| (block[lead..].as_mut_ptr().cast(), length))
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

#[cfg(all(test, target_os = "linux"))]
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
    fn this_machine_compiles_code() {
        assert!(executable_allowed(), "the test machine runs compiled WebAssembly");
    }
}
