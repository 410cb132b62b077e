//! Compiled artifacts on disk: content-addressed, verified, written atomically, bounded in size.

use std::path::PathBuf;

use forewarm_types::{Bytes, Digest, IsaLevel, Tier};

/// The cache directory.
pub struct ArtifactCache {
    pub(crate) directory: PathBuf,
    pub(crate) limit: Bytes,
}

/// What stands in the cache under one key.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ArtifactInfo {
    /// The code.
    pub digest: Digest,
    /// The compiler.
    pub tier: Tier,
    /// The instruction-set level.
    pub isa: IsaLevel,
    /// Size on disk.
    pub size_bytes: Bytes,
    /// Last use, in seconds since the Unix epoch.
    pub used_unix_seconds: f64,
}

impl ArtifactCache {
    /// The cache at `directory` (made, 0700, where it is missing), holding at most `limit` bytes.
    ///
    /// # Errors
    /// Where the directory cannot be made, or is not the effective user's own, 0700.
    pub fn open(directory: PathBuf, limit: Bytes) -> Result<Self, std::io::Error> {
        Ok(Self { directory, limit })
    }

    /// What stands in it.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn list(&self) -> Result<Vec<ArtifactInfo>, std::io::Error> {
        todo!()
    }

    /// Evicts least recently used artifacts until at most `keep` bytes stand, and sweeps leftovers of killed writers.
    /// Returns the bytes freed.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn prune(&self, keep: Bytes) -> Result<Bytes, std::io::Error> {
        let _ = keep;
        todo!()
    }
}
