//! Whether a program has done anything yet that shows outside it: standard streams that note their use.
//!
//! A run that was seen by nobody may be made again ([`crate::Ready::run`]). Reading the standard input takes from it what
//! the next reader would have had, so that it counts; reading files, the time and random numbers do not. What a program does
//! to directories it may write to, or by way of the network, is not looked at: one that has either counts from its beginning.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamResult};

use crate::invocation::{Invocation, Progress};

/// Whether an invocation gives its program ways out that nobody watches.
pub(super) fn unwatched(invocation: &Invocation) -> bool {
    invocation.network || invocation.directories.iter().any(|directory| !directory.read_only)
}

/// A standard stream that notes when it is used.
pub(super) struct Noted<S> {
    pub stream: S,
    pub progress: Arc<Progress>,
}

impl<S: IsTerminal> IsTerminal for Noted<S> {
    fn is_terminal(&self) -> bool {
        self.stream.is_terminal()
    }
}

impl<S: StdinStream> StdinStream for Noted<S> {
    // Only the second preview's streams are used here; whoever asks for the other counts as reading.
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        self.progress.acted();
        self.stream.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Noted { stream: self.stream.p2_stream(), progress: Arc::clone(&self.progress) })
    }
}

impl<S: StdoutStream> StdoutStream for Noted<S> {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.progress.acted();
        self.stream.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Noted { stream: self.stream.p2_stream(), progress: Arc::clone(&self.progress) })
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Noted<Box<dyn InputStream>> {
    fn read(&mut self, size: usize) -> StreamResult<bytes::Bytes> {
        self.progress.acted();
        self.stream.read(size)
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Noted<Box<dyn InputStream>> {
    async fn ready(&mut self) {
        // Waiting for input has some of it read already.
        self.progress.acted();
        self.stream.ready().await;
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Noted<Box<dyn OutputStream>> {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.progress.acted();
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Noted<Box<dyn OutputStream>> {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}
