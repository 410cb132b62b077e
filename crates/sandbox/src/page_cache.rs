//! Which pages of files the system has in memory, and having it read others ahead.
//!
//! What to read and whether that is worth it is the callers' business: the executor's manifests, the planner's prices.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};

use forewarm_types::Bytes;
use rustix::fs::Advice;
use rustix::io::ReadWriteFlags;

/// A part of a file, in bytes, whole pages but for the file's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// Bytes asked for at once: the unit in which the kernel carries such requests out (Linux mm/readahead.c,
/// `force_page_cache_ra`), of which it drops what exceeds the device's largest request.
const CHUNK: u64 = 2 << 20;

/// The parts of a file that are in memory: mincore(2). `None` where the kernel does not tell this user, which since Linux
/// 5.2 it does of files of its own alone (and root of all).
///
/// # Errors
/// Where the file cannot be mapped.
pub fn resident(file: &File) -> io::Result<Option<Vec<Span>>> {
    let found = file.metadata()?;
    let user = rustix::process::geteuid();
    if !user.is_root() && user.as_raw() != found.uid() {
        return Ok(None);
    }
    let page = rustix::param::page_size() as u64;
    Ok(Some(spans(&pages(file, found.len())?, page, found.len())))
}

/// Whether each page of a file is in memory.
#[expect(unsafe_code, reason = "mmap, munmap and mincore are unsafe by nature")]
fn pages(file: &File, length: u64) -> io::Result<Vec<u8>> {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let Ok(size) = usize::try_from(length) else { return Err(io::ErrorKind::FileTooLarge.into()) };
    if size == 0 {
        return Ok(Vec::new());
    }
    let mut states = vec![0_u8; size.div_ceil(rustix::param::page_size())];
    // SAFETY: a fresh mapping at an address of the system's choice overlaps nothing, and nothing reads through it; the
    // states are as many as it has pages; it is unmapped at once.
    let result = unsafe {
        let address = mmap(std::ptr::null_mut(), size, ProtFlags::READ, MapFlags::SHARED, file, 0)?;
        let result = libc::mincore(address, size, states.as_mut_ptr());
        let error = io::Error::last_os_error();
        let _ = munmap(address, size);
        if result == 0 { Ok(()) } else { Err(error) }
    };
    result.map(|()| states)
}

/// Runs of pages that are there. The lowest bit of a state counts: mincore(2).
fn spans(states: &[u8], page: u64, length: u64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (number, _) in (0_u64..).zip(states).filter(|(_, state)| **state & 1 == 1) {
        let offset = number * page;
        let held = page.min(length.saturating_sub(offset));
        match spans.last_mut().filter(|last| last.offset + last.length == offset) {
            Some(last) => last.length += held,
            None => spans.push(Span { offset, length: held }),
        }
    }
    spans
}

/// How much of some parts of a file is not in memory: exactly where the kernel tells, else by looking at the first page of
/// each two megabytes. `None` where neither can be had.
#[must_use]
pub fn absent(file: &File, wanted: &[Span]) -> Option<Bytes> {
    if let Some(there) = resident(file).ok()? {
        let sum = wanted.iter().map(|span| span.length - span.length.min(common(*span, &there))).sum();
        return Some(Bytes(sum));
    }
    let looked = pieces(wanted).map(|piece| Some((piece, cached_at(file, piece.offset)?)));
    let looked = looked.collect::<Option<Vec<_>>>()?;
    Some(Bytes(looked.iter().filter(|(_, cached)| !cached).map(|(piece, _)| piece.length).sum()))
}

/// Bytes of a part that lie in others, which are in order and apart.
fn common(span: Span, others: &[Span]) -> u64 {
    let end = span.offset + span.length;
    let first = others.partition_point(|other| other.offset + other.length <= span.offset);
    let met = others.get(first..).unwrap_or_default().iter().take_while(|other| other.offset < end);
    met.map(|other| end.min(other.offset + other.length).saturating_sub(span.offset.max(other.offset))).sum()
}

/// Parts cut into what is asked for at once.
fn pieces(spans: &[Span]) -> impl Iterator<Item = Span> {
    spans.iter().flat_map(|span| {
        let starts = (0..span.length.div_ceil(CHUNK)).map(|number| number * CHUNK);
        starts.map(|start| Span { offset: span.offset + start, length: CHUNK.min(span.length - start) })
    })
}

/// Whether the page at a place is in memory, as a read that may not wait tells: preadv2(2), `RWF_NOWAIT`. `None` where the
/// file system has no such reads.
fn cached_at(file: &File, offset: u64) -> Option<bool> {
    let mut byte = [0_u8];
    match rustix::io::preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], offset, ReadWriteFlags::NOWAIT) {
        Ok(_) => Some(true),
        Err(rustix::io::Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

/// Has the system begin to read parts of a file; what is in memory already costs next to nothing.
///
/// # Errors
/// Where it refuses.
#[expect(unsafe_code, reason = "readahead has no safe wrapper among the dependencies")]
pub fn read_ahead(file: &File, wanted: &[Span]) -> io::Result<()> {
    for piece in pieces(wanted) {
        let (Ok(offset), Ok(length)) = (piece.offset.try_into(), usize::try_from(piece.length)) else { continue };
        // SAFETY: numbers only; nothing of this process' memory is touched.
        if unsafe { libc::readahead(file.as_raw_fd(), offset, length) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Waits until the last page of each piece of what was begun is there.
///
/// # Errors
/// Where it cannot be read.
pub fn settle(file: &File, wanted: &[Span]) -> io::Result<()> {
    let mut byte = [0_u8];
    pieces(wanted).try_for_each(|piece| file.read_at(&mut byte, piece.offset + piece.length - 1).map(drop))
}

/// Has the system let go of a file's pages, as far as nobody maps or changes them: for measuring what it is to have none.
///
/// # Errors
/// Where it refuses.
pub fn let_go(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    fn span(offset: u64, length: u64) -> Span {
        Span { offset, length }
    }

    #[test]
    fn pages_become_spans() {
        assert_eq!(spans(&[1, 1, 0, 1], PAGE, 3 * PAGE + 10), [span(0, 2 * PAGE), span(3 * PAGE, 10)]);
        assert_eq!(spans(&[0, 0x80], PAGE, 2 * PAGE), []);
    }

    #[test]
    fn what_spans_have_in_common_is_counted() {
        let there = [span(0, 10), span(20, 10), span(40, 10)];
        let check = |wanted, expected| assert_eq!(common(wanted, &there), expected);
        check(span(0, 10), 10);
        check(span(5, 20), 10);
        check(span(10, 10), 0);
        check(span(0, 100), 30);
        check(span(60, 5), 0);
    }

    #[test]
    fn long_spans_are_asked_for_in_chunks() {
        let cut: Vec<_> = pieces(&[span(PAGE, CHUNK + 1), span(0, 7), span(3, 0)]).collect();
        assert_eq!(cut, [span(PAGE, CHUNK), span(PAGE + CHUNK, 1), span(0, 7)]);
    }

    #[test]
    fn what_was_let_go_is_absent_and_what_was_read_ahead_is_there() {
        // In the build's own folder: a temporary one may be kept in memory, which lets nothing go.
        let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let written = tempfile::NamedTempFile::new_in(folder).unwrap();
        let length = 3 * CHUNK + 100;
        std::fs::write(written.path(), vec![7; length as usize]).unwrap();
        let file = File::open(written.path()).unwrap();
        file.sync_all().unwrap();
        let whole = [span(0, length)];
        assert_eq!(absent(&file, &whole), Some(Bytes(0)));
        let_go(&file).unwrap();
        let gone = absent(&file, &whole).unwrap();
        assert!(gone.0 > length / 2, "{gone:?} of {length}");
        let wanted = [span(CHUNK, CHUNK)];
        read_ahead(&file, &wanted).unwrap();
        settle(&file, &wanted).unwrap();
        assert_eq!(absent(&file, &wanted), Some(Bytes(0)));
        assert!(absent(&file, &whole).unwrap().0 > 0, "no more than was asked for need be there");
        read_ahead(&file, &whole).unwrap();
        settle(&file, &whole).unwrap();
        assert_eq!(resident(&file).unwrap().unwrap(), whole);
    }
}
