//! Bytes on the holder's sockets: frames, descriptors beside them, and the parts of which messages to zygotes are made.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes of a frame: an environment and arguments as large as `execve` takes them (a quarter of an 8 MiB stack,
/// execve(2)), twice over for their encoding.
const MOST: u32 = 4 << 20;

/// Most descriptors beside a message: a client, three streams, and 28 directories or files given to its run.
pub const MOST_DESCRIPTORS: usize = 32;

/// Sends a value as a frame, with descriptors beside its first byte.
pub fn send(stream: &UnixStream, value: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let body = serde_json::to_vec(value)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= MOST);
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(body);
    let sent = send_beside(stream, &frame, descriptors)?;
    let mut rest: &UnixStream = stream;
    rest.write_all(frame.get(sent..).unwrap_or_default())
}

/// Sends bytes with descriptors beside them; returns how many bytes went.
pub fn send_beside(socket: impl AsFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    loop {
        match sendmsg(&socket, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            sent => return Ok(sent?),
        }
    }
}

/// What came with some bytes.
#[derive(Debug, Default)]
pub struct Beside {
    /// Descriptors.
    pub descriptors: Vec<OwnedFd>,
    /// The number of the process that sent them, as the kernel says.
    pub sender: Option<i32>,
}

/// Receives bytes and what comes with them; no bytes mean that the other end is gone.
pub fn receive_beside(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Beside)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS), ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(&socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?,
        }
    };
    let mut beside = Beside::default();
    for message in ancillary.drain() {
        match message {
            RecvAncillaryMessage::ScmRights(descriptors) => beside.descriptors.extend(descriptors),
            RecvAncillaryMessage::ScmCredentials(sender) => beside.sender = Some(sender.pid.as_raw_nonzero().get()),
            _ => {}
        }
    }
    Ok((received.bytes, beside))
}

/// Receives a frame, and the descriptors beside its first byte.
pub fn receive<T: DeserializeOwned>(stream: &UnixStream) -> io::Result<(T, Beside)> {
    let mut length = [0_u8; 4];
    let (count, beside) = receive_beside(stream, &mut length)?;
    let mut rest: &UnixStream = stream;
    rest.read_exact(length.get_mut(count..).unwrap_or_default())?;
    let body = body(rest, length)?;
    Ok((serde_json::from_slice(&body)?, beside))
}

/// The body of a frame of a length.
pub fn body(mut stream: &UnixStream, length: [u8; 4]) -> io::Result<Vec<u8>> {
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// Parts as one message: their count, then the length and the bytes of each.
pub fn pack<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut message = vec![0; 4];
    let mut count = 0_u32;
    for part in parts {
        message.extend((part.len() as u32).to_le_bytes());
        message.extend(part);
        count += 1;
    }
    message[..4].copy_from_slice(&count.to_le_bytes());
    message
}

/// The parts of a message; what does not fit is left out.
pub fn unpack(message: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| -> Option<usize> {
        let bytes = message.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let mut parts = Vec::new();
    let mut at = 4;
    for _ in 0..word(0).unwrap_or(0) {
        let Some(part) = word(at).and_then(|length| message.get(at + 4..(at + 4).checked_add(length)?)) else { break };
        parts.push(part.to_vec());
        at += 4 + part.len();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_whole_or_cut() {
        let message = pack([b"one".as_slice(), b"", b"three"]);
        assert_eq!(unpack(&message), [b"one".to_vec(), Vec::new(), b"three".to_vec()]);
        for length in 0..message.len() {
            assert!(unpack(&message[..length]).len() < 3);
        }
        assert!(unpack(&[255; 64]).is_empty());
    }

    #[test]
    fn descriptors_travel_with_frames() {
        let (one, other) = UnixStream::pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        send(&one, &vec!["x"; 10_000], &[file.as_fd()]).unwrap_or_else(|_| unreachable!("the socket takes it"));
        let (value, beside) = receive::<Vec<String>>(&other).unwrap();
        assert_eq!((value.len(), beside.descriptors.len()), (10_000, 1));
    }
}
