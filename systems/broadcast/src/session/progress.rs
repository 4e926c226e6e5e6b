//! Where in a message the bytes from a client have come to.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// The longest header (RFC 6455 §5.2).
const MAX_HEADER: usize = 14;

/// Follows the frames of a client, only to know whether one, or a message of several, is unfinished. Everything else
/// about them is tungstenite's.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What there is of the next header.
    header: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: u64,
    /// More frames of this message are still to come.
    is_fragmented: bool,
    /// What came is no frame: tungstenite says so too.
    is_lost: bool,
}

impl Progress {
    /// Whether something has begun and not ended.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.header.is_empty() || self.left > 0 || self.is_fragmented
    }

    pub(super) fn advance(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_lost {
            if self.left > 0 {
                let taken = self.left.min(bytes.len() as u64);
                self.left -= taken;
                bytes = &bytes[taken as usize..];
                continue;
            }
            let known = self.header.len();
            let more = bytes.len().min(MAX_HEADER - known);
            self.header.extend_from_slice(&bytes[..more]);
            let mut cursor = Cursor::new(&self.header);
            match FrameHeader::parse(&mut cursor) {
                Ok(Some((header, payload_len))) => {
                    bytes = &bytes[cursor.position() as usize - known..];
                    self.header.clear();
                    self.left = payload_len;
                    if let OpCode::Data(_) = header.opcode {
                        self.is_fragmented = !header.is_final;
                    }
                }
                Ok(None) => bytes = &bytes[more..],
                Err(_) => self.is_lost = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame of `len` bytes.
    fn frame(first: u8, len: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match len {
            0..126 => frame.push(0x80 | len as u8),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(len as u16).to_be_bytes());
            }
        }
        frame.resize(frame.len() + 4 + len, 0);
        frame
    }

    #[test]
    fn the_last_byte_of_the_last_fragment_finishes_a_message() {
        let whole = frame(0x81, 300);
        // Text in two fragments with a ping in between.
        let parts = [frame(0x01, 5), frame(0x89, 0), frame(0x80, 7)].concat();
        for message in [whole, parts] {
            for pieces in [1, 3, 1000] {
                let mut progress = Progress::default();
                let mut came = 0;
                for piece in message.chunks(pieces) {
                    assert_eq!(progress.is_unfinished(), came > 0, "after {came} bytes");
                    progress.advance(piece);
                    came += piece.len();
                }
                assert!(!progress.is_unfinished(), "in pieces of {pieces}");
            }
        }
        let mut progress = Progress::default();
        progress.advance(&[frame(0x81, 3), frame(0x89, 2)].concat());
        assert!(!progress.is_unfinished());
    }
}
