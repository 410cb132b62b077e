//! The binary's allocator: the system's, until much is to be allocated by several threads at once; mimalloc from then on.
//!
//! Compilers allocate from many threads, where the system's allocator makes them wait for each other. A short run does not,
//! and of it mimalloc touches three times as many pages: each costs a fault, a copy when the process forks, and time at its end.
//! Used by the binary, as its global allocator; who is about to work in bulk says so ([`expect_bulk`]).
#![expect(unsafe_code, reason = "an allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use mimalloc::MiMalloc;

unsafe extern "C" {
    /// Whether mimalloc gave a block: asks its map of pages, and may be asked of any address.
    fn mi_is_in_heap_region(block: *const c_void) -> bool;
}

/// Whether blocks are mimalloc's from here on. Who is handed one sees this set, since it was before the block was made.
static BULK: AtomicBool = AtomicBool::new(false);

/// Much is going to be allocated, by several threads.
pub fn expect_bulk() {
    BULK.store(true, Relaxed);
}

/// The allocator.
#[derive(Debug)]
pub struct Allocator;

fn bulk(block: *const u8) -> bool {
    // SAFETY: reads the map of pages, for which any address will do.
    BULK.load(Relaxed) && unsafe { mi_is_in_heap_region(block.cast()) }
}

// SAFETY: each block goes back to the one of two allocators that it came from; both keep the contract.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { if BULK.load(Relaxed) { MiMalloc.alloc(layout) } else { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { if BULK.load(Relaxed) { MiMalloc.alloc_zeroed(layout) } else { System.alloc_zeroed(layout) } }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { if bulk(block) { MiMalloc.dealloc(block, layout) } else { System.dealloc(block, layout) } }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { if bulk(block) { MiMalloc.realloc(block, layout, size) } else { System.realloc(block, layout, size) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_go_back_where_they_came_from() {
        let layouts = [1, 24, 4096, 200_000, 40 << 20].map(|size| Layout::from_size_align(size, 16).unwrap());
        let make = |layout: &Layout| {
            // SAFETY: of some size; written within it.
            let block = unsafe { Allocator.alloc(*layout) };
            unsafe { block.write_bytes(7, layout.size()) };
            (block.expose_provenance(), *layout)
        };
        let early: Vec<_> = layouts.iter().map(make).collect();
        assert!(early.iter().all(|(block, _)| !bulk(std::ptr::with_exposed_provenance(*block))));
        expect_bulk();
        let late: Vec<_> = layouts.iter().map(make).collect();
        assert!(late.iter().all(|(block, _)| bulk(std::ptr::with_exposed_provenance(*block))));
        assert!(early.iter().all(|(block, _)| !bulk(std::ptr::with_exposed_provenance(*block))));
        let away = |blocks: Vec<(usize, Layout)>| {
            for (block, layout) in blocks {
                // SAFETY: each was made so, and is not used again.
                unsafe {
                    let grown =
                        Allocator.realloc(std::ptr::with_exposed_provenance_mut(block), layout, layout.size() + 9);
                    assert_eq!(grown.add(layout.size() - 1).read(), 7);
                    Allocator.dealloc(grown, Layout::from_size_align(layout.size() + 9, 16).unwrap());
                }
            }
        };
        // By another thread as well as by this one.
        std::thread::spawn(move || away(early)).join().unwrap();
        away(late);
    }
}
