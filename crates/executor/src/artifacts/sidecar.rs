//! The sidecar of an artifact: what its bytes hash to, and the stamp of the file they were hashed from.
//!
//! Text, one line: `forewarm-artifact 1 <host> <sha256> <dev> <ino> <size> <mtime ns> <ctime ns>`. It is read from disk
//! and so parsed as foreign bytes: anything but exactly this is no sidecar.

use std::fmt;

use forewarm_types::Digest;

/// Longest a sidecar can be: the fixed text, 16 and 64 hexadecimal digits, five numbers of at most 40 digits.
pub const MAX_BYTES: usize = 512;

const MAGIC: &str = "forewarm-artifact";
const VERSION: &str = "1";

/// What is known of an artifact's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sidecar {
    /// Fingerprint of the host and engine it was made on.
    pub host: u64,
    /// SHA-256 of the artifact.
    pub sha256: [u8; 32],
    /// The file it was hashed from.
    pub stamp: Stamp,
}

/// What changes when a file's contents may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Device.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of last modification, in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// Time of last status change, in nanoseconds since the Unix epoch.
    pub changed: i128,
}

impl Stamp {
    pub(super) fn of(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds = |seconds: i64, rest: i128| i128::from(seconds) * 1_000_000_000 + rest;
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec.into()),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec.into()),
        }
    }
}

impl Sidecar {
    /// Reads a sidecar; `None` for bytes that are not exactly one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let mut words = text.split(' ');
        if words.next()? != MAGIC || words.next()? != VERSION {
            return None;
        }
        let this = Self {
            host: u64::from_str_radix(words.next()?, 16).ok()?,
            sha256: words.next()?.parse::<Digest>().ok()?.0,
            stamp: Stamp {
                device: words.next()?.parse().ok()?,
                inode: words.next()?.parse().ok()?,
                size: words.next()?.parse().ok()?,
                modified: words.next()?.parse().ok()?,
                changed: words.next()?.parse().ok()?,
            },
        };
        // What parses leniently (signs, leading zeros, prefixes) is still not what was written.
        (words.next().is_none() && this.to_string().as_bytes() == bytes).then_some(this)
    }
}

impl fmt::Display for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stamp { device, inode, size, modified, changed } = self.stamp;
        let sha256 = Digest(self.sha256).hex();
        writeln!(f, "{MAGIC} {VERSION} {:016x} {sha256} {device} {inode} {size} {modified} {changed}", self.host)
    }
}

/// The body of the fuzz target: reading any bytes neither panics nor accepts what it would not write.
///
/// # Panics
/// Where that does not hold.
pub fn fuzz(bytes: &[u8]) {
    if let Some(sidecar) = Sidecar::parse(bytes) {
        assert_eq!(sidecar.to_string().as_bytes(), bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sidecar() -> impl Strategy<Value = Sidecar> {
        (any::<u64>(), any::<[u8; 32]>(), any::<[u64; 3]>(), any::<[i128; 2]>()).prop_map(
            |(host, sha256, [device, inode, size], [modified, changed])| Sidecar {
                host,
                sha256,
                stamp: Stamp { device, inode, size, modified, changed },
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(sidecar in sidecar()) {
            let text = sidecar.to_string();
            prop_assert!(text.len() <= MAX_BYTES);
            prop_assert_eq!(Sidecar::parse(text.as_bytes()), Some(sidecar));
        }

        #[test]
        fn any_change_is_seen(sidecar in sidecar(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = sidecar.to_string().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            prop_assert_ne!(Sidecar::parse(&bytes), Some(sidecar));
        }

        #[test]
        fn foreign_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            fuzz(&bytes);
            prop_assert_eq!(Sidecar::parse(&bytes), None);
        }
    }
}
