//! Files, directories and mounts.

use std::ffi::CStr;

use libc::{c_int, c_long, c_ulong};

use super::{Result, check, close};

/// `open_tree`, `move_mount` and `mount_setattr` flags: Linux include/uapi/linux/mount.h.
pub const OPEN_TREE_CLONE: c_long = 1;
const AT_RECURSIVE: c_long = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH: c_long = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;

pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: c_ulong, options: &CStr) -> Result<()> {
    // SAFETY: all pointers are to live strings with their final zero.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    check(c_long::from(result)).map(drop)
}

/// A detached copy of the mounts at a path, as a descriptor.
pub fn open_tree(path: &CStr, recursive: bool) -> Result<c_int> {
    let flags = OPEN_TREE_CLONE | c_long::from(libc::O_CLOEXEC) | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a live string.
    let result = unsafe { libc::syscall(libc::SYS_open_tree, c_long::from(libc::AT_FDCWD), path.as_ptr(), flags) };
    check(result).map(|fd| fd as c_int)
}

/// Puts a detached copy of mounts at a path.
pub fn move_mount(tree: c_int, target: &CStr) -> Result<()> {
    // SAFETY: both paths are live strings.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            c_long::from(tree),
            c"".as_ptr(),
            c_long::from(libc::AT_FDCWD),
            target.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    check(result).map(drop)
}

/// Makes the mounts of a tree (a descriptor), or of a path where `tree` is `None`, read-only; set-user-ID bits lose their
/// meaning in it.
pub fn make_read_only(tree: Option<c_int>, path: &CStr) -> Result<()> {
    let attributes = [MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0];
    let (directory, empty) = tree.map_or((libc::AT_FDCWD, 0), |tree| (tree, c_long::from(libc::AT_EMPTY_PATH)));
    // SAFETY: the path is a live string; `struct mount_attr` is four 64-bit words (attr_set first).
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            c_long::from(directory),
            path.as_ptr(),
            AT_RECURSIVE | empty,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    };
    check(result).map(drop)
}

pub fn mkdir(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the path is a live string.
    match check(c_long::from(unsafe { libc::mkdir(path.as_ptr(), mode) })) {
        Err(libc::EEXIST) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes an empty file, for something to be mounted on.
pub fn touch(path: &CStr) -> Result<()> {
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the path is a live string.
    let fd = check(c_long::from(unsafe { libc::open(path.as_ptr(), flags, 0o644) }))?;
    close(fd as c_int);
    Ok(())
}

pub fn symlink(target: &CStr, path: &CStr) -> Result<()> {
    // SAFETY: both are live strings.
    check(c_long::from(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) })).map(drop)
}

pub fn chdir(path: &CStr) -> Result<()> {
    // SAFETY: the path is a live string.
    check(c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

/// Opens a path for naming it alone.
pub fn open_path(path: &CStr) -> Result<c_int> {
    // SAFETY: the path is a live string.
    let result = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    check(c_long::from(result)).map(|fd| fd as c_int)
}

/// Opens a file to be read, where it can be.
pub fn open_to_read(path: &CStr) -> Option<c_int> {
    // SAFETY: the path is a live string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    (fd >= 0).then_some(fd)
}

/// What one call reads from a descriptor; returns its length.
pub fn read_once(fd: c_int, buffer: &mut [u8]) -> usize {
    // SAFETY: the buffer is live and ours to write.
    let count = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).unwrap_or(0)
}

/// The beginning of a file, as far as it goes into the buffer; returns its length.
pub fn read_file(path: &CStr, buffer: &mut [u8]) -> usize {
    let Some(fd) = open_to_read(path) else { return 0 };
    let length = read_once(fd, buffer);
    close(fd);
    length
}

/// Writes a file that is there, as far as the system lets it.
pub fn write_file(path: &CStr, bytes: &[u8]) {
    // SAFETY: the path and the bytes are live; the descriptor is closed again.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd >= 0 {
            libc::write(fd, bytes.as_ptr().cast(), bytes.len());
            libc::close(fd);
        }
    }
}

/// Maps a file in memory for this process alone, to be read and written.
pub fn map_private(file: c_int, length: usize) -> Result<*mut u64> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping at an address of the system's choice overlaps nothing.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_PRIVATE, file, 0) };
    if base == libc::MAP_FAILED { Err(libc::ENOMEM) } else { Ok(base.cast()) }
}
