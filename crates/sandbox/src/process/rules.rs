//! The program's Landlock domain: nothing is written outside what is given, no process outside is signalled or traced.
//!
//! Made in the program itself, between fork and exec, since rules belong to directories that exist only there; so these
//! are the three system calls as they are, where the usual crate would allocate. Linux
//! Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h.
#![expect(unsafe_code, reason = "system calls without safe wrappers that may be used after fork")]

use std::ffi::CString;

use libc::{c_int, c_long, c_uint};
use serde::{Deserialize, Serialize};

use super::raw::{self, Result};

const WRITE_FILE: u64 = 1 << 1;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
/// Making devices, directories, files, sockets, pipes, links.
const MAKE: u64 = 0b111_1111 << 6;
/// Linking and renaming across directories; from version 2.
const REFER: u64 = 1 << 13;
/// From version 3.
const TRUNCATE: u64 = 1 << 14;
/// From version 4: binding and connecting TCP sockets.
const TCP: u64 = 0b11;
/// From version 6: abstract Unix sockets and signals.
const SCOPE: u64 = 0b11;
const RULE_PATH_BENEATH: c_int = 1;

#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    directory: c_int,
}

/// The version the kernel offers; 0 for none.
pub fn version() -> u32 {
    const VERSION: c_uint = 1;
    // SAFETY: a null attribute of no size asks for the version.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
    u32::try_from(version).unwrap_or(0)
}

/// The domain to make, decided before the fork.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Domain {
    /// The kernel's version.
    pub version: u32,
    /// Directories and files that may be written.
    pub writable: Vec<CString>,
    /// Whether TCP is left alone.
    pub network: bool,
}

impl Domain {
    fn files(&self) -> u64 {
        let from = |version, rights| if self.version >= version { rights } else { 0 };
        WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE | from(2, REFER) | from(3, TRUNCATE)
    }

    /// The rules of the domain, as far as they are known ahead.
    pub fn rules(&self) -> Result<Rules> {
        if self.version == 0 {
            return Ok(Rules { ruleset: None, files: 0 });
        }
        let files = self.files();
        let ruleset = Ruleset {
            files,
            network: if self.version >= 4 && !self.network { TCP } else { 0 },
            scoped: if self.version >= 6 { SCOPE } else { 0 },
        };
        let size = match self.version {
            1..=3 => size_of::<u64>(),
            4..=5 => 2 * size_of::<u64>(),
            _ => size_of::<Ruleset>(),
        };
        // SAFETY: the structure is live and of the size given, of which the kernel's version knows all.
        let fd = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const ruleset, size, 0 as c_uint) };
        if fd < 0 {
            return Err(raw::errno());
        }
        let rules = Rules { ruleset: Some(fd as c_int), files };
        for path in &self.writable {
            if let Ok(directory) = raw::open_path(path) {
                rules.allow(directory);
                raw::close(directory);
            }
        }
        Ok(rules)
    }
}

/// Rules that are not in force yet.
#[derive(Debug)]
pub struct Rules {
    ruleset: Option<c_int>,
    files: u64,
}

impl Rules {
    /// Puts them in force; does nothing where the kernel has none.
    pub fn enter(&self) -> Result<()> {
        let Some(ruleset) = self.ruleset else { return Ok(()) };
        // What the streams lead to was opened for the program by its caller, who may be asked for it again by name
        // (`/dev/stdout`).
        (0..3).for_each(|stream| self.allow(stream));
        // SAFETY: numbers only.
        let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, c_long::from(ruleset), 0 as c_uint) };
        if result < 0 { Err(raw::errno()) } else { Ok(()) }
    }

    /// Allows writing beneath a directory, or to a file; what is neither (a pipe) is not governed by path anyway.
    fn allow(&self, directory: c_int) {
        let Some(ruleset) = self.ruleset else { return };
        for allowed in [self.files, self.files & (WRITE_FILE | TRUNCATE)] {
            let rule = PathBeneath { allowed, directory };
            // SAFETY: the structure is live and of the kind named.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_landlock_add_rule,
                    c_long::from(ruleset),
                    c_long::from(RULE_PATH_BENEATH),
                    &raw const rule,
                    0 as c_uint,
                )
            };
            if result == 0 {
                return;
            }
        }
    }
}
