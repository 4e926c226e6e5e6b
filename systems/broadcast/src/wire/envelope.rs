//! The envelope: `{"sequence", "type", "timestamp", "data"}`, framed as RFC 6455 §5.2 has it.
//!
//! `sequence` counts the messages of one connection, everything else is the same for all. So its ten places are always
//! at the same place of the frame, padded with spaces as JSON allows, and are written anew for each connection: a
//! message is encoded and framed once, and goes to each client by one `send` of the same buffer. The alternatives cost
//! more: a head of its own for each client is a second buffer (`writev` measured a fifth slower than `send`), clients
//! in groups of equal count fall apart with their first lost message.

use serde::Serialize;

use super::zlib::{Deflated, ZLIB_HEAD};
use crate::WallTime;
use crate::config::CompressionConfig;

/// What is longest in front of a payload.
const MAX_HEADER: usize = 10;

/// In front of the digits.
const BEFORE_DIGITS: usize = r#"{"sequence":"#.len();

/// Enough for 120 messages a second in two years; then it stays at the last.
const DIGITS: usize = 10;
const MAX_SEQUENCE: u64 = 9_999_999_999;

/// The part of the text that differs from client to client.
const HEAD: usize = BEFORE_DIGITS + DIGITS;

const FINAL_TEXT: u8 = 0x81;
const FINAL_BINARY: u8 = 0x82;

#[derive(Serialize)]
struct Envelope<'a, T> {
    sequence: u64,
    r#type: &'static str,
    timestamp: WallTime,
    data: &'a T,
}

/// A message, framed, ready to be sent but for its number. Keeps its buffer when it is encoded anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// Where the frame begins: the header is as long as the payload demands, and ends where the payload begins.
    start: usize,
    digits_at: usize,
    text_len: usize,
    /// Of the text after the head, where the payload is a zlib stream.
    deflated: Option<Deflated>,
}

impl Frame {
    /// A message for one client.
    pub(crate) fn new<T: Serialize>(r#type: &'static str, data: &T) -> Result<Self, serde_json::Error> {
        let mut frame = Self::default();
        frame.encode(r#type, WallTime::now(), data, None)?;
        Ok(frame)
    }

    /// Encodes a message into this buffer, compressed where `compression` is given and it pays.
    pub(crate) fn encode<T: Serialize>(
        &mut self,
        r#type: &'static str,
        timestamp: WallTime,
        data: &T,
        compression: Option<&CompressionConfig>,
    ) -> Result<(), serde_json::Error> {
        self.bytes.clear();
        self.bytes.resize(MAX_HEADER, 0);
        let envelope = Envelope {
            sequence: MAX_SEQUENCE,
            r#type,
            timestamp,
            data,
        };
        serde_json::to_writer(&mut self.bytes, &envelope)?;
        let text = &self.bytes[MAX_HEADER..];
        self.text_len = text.len();
        self.digits_at = MAX_HEADER + BEFORE_DIGITS;
        self.deflated = compression.and_then(|config| Deflated::where_it_pays(&text[HEAD..], config));
        let opcode = match &self.deflated {
            None => FINAL_TEXT,
            Some(deflated) => {
                let stream = deflated.with_head(&text[..HEAD]);
                self.bytes.truncate(MAX_HEADER);
                self.bytes.extend_from_slice(&stream);
                self.digits_at += ZLIB_HEAD;
                FINAL_BINARY
            }
        };
        self.frame(opcode);
        Ok(())
    }

    /// Writes the header in front of the payload.
    fn frame(&mut self, opcode: u8) {
        let payload_len = self.bytes.len() - MAX_HEADER;
        let mut header = [opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let header_len = match payload_len {
            0..126 => {
                header[1] = payload_len as u8;
                2
            }
            126..0x1_0000 => {
                header[1] = 126;
                header[2..4].copy_from_slice(&(payload_len as u16).to_be_bytes());
                4
            }
            _ => {
                header[1] = 127;
                header[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
                10
            }
        };
        self.start = MAX_HEADER - header_len;
        self.bytes[self.start..MAX_HEADER].copy_from_slice(&header[..header_len]);
    }

    /// The frame as number `sequence` of its connection.
    pub(crate) fn numbered(&mut self, sequence: u64) -> &[u8] {
        let mut left = sequence.min(MAX_SEQUENCE);
        let digits = &mut self.bytes[self.digits_at..self.digits_at + DIGITS];
        digits.fill(b' ');
        for place in digits.iter_mut().rev() {
            *place = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if let Some(deflated) = &self.deflated {
            let head = &self.bytes[MAX_HEADER + ZLIB_HEAD..][..HEAD];
            let checksum = deflated.checksum_after(head).to_be_bytes();
            let end = self.bytes.len();
            self.bytes[end - checksum.len()..].copy_from_slice(&checksum);
        }
        &self.bytes[self.start..]
    }

    /// The text of a message that is not compressed, without its frame.
    pub(crate) fn text(&mut self, sequence: u64) -> &[u8] {
        let header_len = MAX_HEADER - self.start;
        &self.numbered(sequence)[header_len..]
    }

    /// Bytes of the text, before compression.
    pub(crate) fn text_len(&self) -> usize {
        self.text_len
    }

    /// Bytes of the payload as it goes out.
    pub(crate) fn payload_len(&self) -> usize {
        self.bytes.len().saturating_sub(MAX_HEADER)
    }

    /// Whether the payload is a zlib stream.
    pub(crate) fn is_compressed(&self) -> bool {
        self.deflated.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload(frame: &[u8]) -> &[u8] {
        let (header, len) = match frame[1] {
            126 => (4, usize::from(u16::from_be_bytes([frame[2], frame[3]]))),
            127 => (10, u64::from_be_bytes(frame[2..10].try_into().unwrap()) as usize),
            len => (2, usize::from(len)),
        };
        assert_eq!(frame.len(), header + len);
        &frame[header..]
    }

    #[test]
    fn one_frame_serves_all_clients_each_with_its_own_number() {
        for size in [0, 10, 200, 70_000] {
            let mut frame = Frame::new("pong", &json!({"text": "x".repeat(size)})).unwrap();
            let lens: Vec<_> = [0, 1, 42, 1_000_000, MAX_SEQUENCE, u64::MAX]
                .map(|sequence| {
                    let bytes = frame.numbered(sequence);
                    assert_eq!(bytes[0], FINAL_TEXT);
                    let message: Value = serde_json::from_slice(payload(bytes)).unwrap();
                    assert_eq!(message["sequence"], sequence.min(MAX_SEQUENCE));
                    assert_eq!(message["data"]["text"].as_str().unwrap().len(), size);
                    bytes.len()
                })
                .into();
            assert!(lens.iter().all(|len| *len == lens[0]), "{lens:?}");
        }
    }

    #[test]
    fn a_compressed_frame_keeps_its_checksum_with_every_number() {
        let config = CompressionConfig::default();
        let mut frame = Frame::default();
        let data = json!({"text": "ghostball ".repeat(1000)});
        frame
            .encode("state", WallTime::now(), &data, Some(&config))
            .unwrap();
        for sequence in [1, 77, 123_456] {
            let bytes = frame.numbered(sequence).to_vec();
            assert_eq!(bytes[0], FINAL_BINARY);
            let text = flate2::read::ZlibDecoder::new(payload(&bytes));
            let message: Value = serde_json::from_reader(text).unwrap();
            assert_eq!(
                (&message["sequence"], &message["data"]),
                (&json!(sequence), &data)
            );
        }
        assert!(frame.payload_len() * 10 < frame.text_len());
    }
}
