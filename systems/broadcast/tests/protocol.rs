//! RFC 6455, frame by frame: the sections of the Autobahn test suite from framing to closing. A message of the client is
//! answered by an error, since it is no JSON, where an echo server would send it back.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use common::start;
use ghostball_broadcast::Server;

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CONTINUATION: u8 = 0x0;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;

/// A masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FINAL | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// What the server sent: opcode and payload.
type Answer = (u8, Vec<u8>);

struct Peer(TcpStream);

impl Peer {
    fn connect(server: &Server) -> Self {
        let mut stream = TcpStream::connect(server.local_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(
            head.contains("101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "{head}"
        );
        let mut peer = Self(stream);
        let (opcode, greeting) = peer.next().unwrap();
        assert!(opcode == TEXT && greeting.windows(12).any(|part| part == b"\"connection\""));
        peer
    }

    /// Sends, in pieces of so many bytes; the server may have closed before the last.
    fn send(&mut self, bytes: &[u8], pieces: usize) {
        for piece in bytes.chunks(pieces) {
            if let Err(error) = self.0.write_all(piece) {
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                    "{error}"
                );
            }
        }
    }

    /// `None` at the end.
    fn next(&mut self) -> Option<Answer> {
        let mut header = [0; 2];
        if self.0.read_exact(&mut header).is_err() {
            return None;
        }
        assert!(
            header[0] & 0xF0 == FINAL && header[1] < 0x80,
            "final, no extension, no mask: {header:?}"
        );
        let mut long = [0; 2];
        let len = match header[1] {
            126 => {
                self.0.read_exact(&mut long).unwrap();
                usize::from(u16::from_be_bytes(long))
            }
            len => usize::from(len),
        };
        let mut payload = vec![0; len];
        self.0.read_exact(&mut payload).unwrap();
        Some((header[0] & 0x0F, payload))
    }

    /// Everything to the end.
    fn rest(&mut self) -> Vec<Answer> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// Sends the frames, then closes: as many messages are answered, and the server closes as well.
fn answers(server: &Server, name: &str, frames: &[Vec<u8>], pieces: usize, messages: usize) -> Vec<Answer> {
    let mut peer = Peer::connect(server);
    peer.send(&frames.concat(), pieces);
    peer.send(&close(1000, b""), pieces);
    let mut answers = peer.rest();
    let last = answers.pop();
    assert_eq!(
        last,
        Some((CLOSE, vec![0x03, 0xE8])),
        "{name}: the close is answered by the same"
    );
    let errors = answers.iter().filter(|(opcode, _)| *opcode == TEXT).count();
    assert_eq!(errors, messages, "{name}: {answers:?}");
    answers
}

/// Sends the frames: the server closes with this code.
fn fails(server: &Server, name: &str, frames: &[Vec<u8>], code: u16) {
    let mut peer = Peer::connect(server);
    peer.send(&frames.concat(), usize::MAX);
    let answers = peer.rest();
    let Some((CLOSE, payload)) = answers.last() else {
        panic!("{name}: expected a close frame, found {answers:?}");
    };
    assert_eq!(u16::from_be_bytes([payload[0], payload[1]]), code, "{name}");
}

#[test]
fn section_1_frames_of_all_lengths_and_in_any_pieces() {
    let (server, _bridge) = start();
    for len in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
        for opcode in [TEXT, BINARY] {
            let frames = [frame(FINAL | opcode, &vec![b'*'; len])];
            for pieces in [usize::MAX, 997] {
                answers(
                    &server,
                    &format!("{opcode}, {len} in {pieces}"),
                    &frames,
                    pieces,
                    1,
                );
            }
        }
    }
    answers(
        &server,
        "byte by byte",
        &[frame(FINAL | TEXT, &[b'*'; 200])],
        1,
        1,
    );
}

#[test]
fn section_2_pings_are_answered_and_pongs_are_not() {
    let (server, _bridge) = start();
    let pings = [&b""[..], b"hello", &[0x00, 0xFF, 0xFE, 0xFD], &[b'p'; 125]];
    for payload in pings {
        for pieces in [usize::MAX, 1] {
            let found = answers(&server, "ping", &[frame(FINAL | PING, payload)], pieces, 0);
            assert_eq!(found, [(PONG, payload.to_vec())]);
        }
    }
    fails(
        &server,
        "a ping too long",
        &[frame(FINAL | PING, &[b'p'; 126])],
        1002,
    );
    let unasked = [frame(FINAL | PONG, b"unasked"), frame(FINAL | PING, b"asked")];
    assert_eq!(
        answers(&server, "pong", &unasked, usize::MAX, 0),
        [(PONG, b"asked".to_vec())]
    );
    let many: Vec<_> = (0..10).map(|n| frame(FINAL | PING, &[n])).collect();
    let pongs: Vec<_> = (0..10).map(|n| (PONG, vec![n])).collect();
    for pieces in [usize::MAX, 1] {
        assert_eq!(answers(&server, "ten pings", &many, pieces, 0), pongs);
    }
}

#[test]
fn section_3_reserved_bits_are_refused() {
    let (server, _bridge) = start();
    for bits in 1..8 {
        for opcode in [TEXT, BINARY, PING, CLOSE] {
            fails(
                &server,
                &format!("bits {bits} of {opcode}"),
                &[frame(FINAL | bits << 4 | opcode, b"")],
                1002,
            );
        }
    }
}

#[test]
fn section_4_reserved_opcodes_are_refused() {
    let (server, _bridge) = start();
    for opcode in (0x3..0x8).chain(0xB..0x10) {
        for payload in [&b""[..], b"x"] {
            let frames = [frame(FINAL | TEXT, b"before"), frame(FINAL | opcode, payload)];
            fails(&server, &format!("opcode {opcode}"), &frames, 1002);
        }
    }
}

#[test]
fn section_5_fragments_make_a_message_and_control_frames_may_come_between() {
    let (server, _bridge) = start();
    let text = [frame(TEXT, b"frag"), frame(FINAL | CONTINUATION, b"ment")];
    for pieces in [usize::MAX, 1] {
        answers(&server, "two fragments", &text, pieces, 1);
    }
    let with_ping = [
        frame(TEXT, b"frag"),
        frame(FINAL | PING, b"p"),
        frame(FINAL | CONTINUATION, b"ment"),
    ];
    for pieces in [usize::MAX, 1] {
        let found = answers(&server, "a ping between", &with_ping, pieces, 1);
        assert_eq!(found[0], (PONG, b"p".to_vec()), "answered before the message");
    }
    let mut many = vec![frame(BINARY, b"")];
    many.extend((0..50).map(|_| frame(CONTINUATION, b"more")));
    many.push(frame(FINAL | CONTINUATION, b""));
    answers(&server, "many fragments, some empty", &many, usize::MAX, 1);
    for (name, frames) in [
        (
            "a fragmented ping",
            vec![frame(PING, b"p"), frame(FINAL | CONTINUATION, b"")],
        ),
        ("a fragmented pong", vec![frame(PONG, b"p")]),
        (
            "a continuation of nothing",
            vec![frame(FINAL | CONTINUATION, b"x")],
        ),
        (
            "an unfinished continuation of nothing",
            vec![frame(CONTINUATION, b"x")],
        ),
        (
            "a continuation after the end",
            [&text[..], &[frame(FINAL | CONTINUATION, b"x")]].concat(),
        ),
        (
            "a new message within another",
            vec![frame(TEXT, b"a"), frame(FINAL | TEXT, b"b")],
        ),
        (
            "a new kind within another",
            vec![frame(TEXT, b"a"), frame(FINAL | BINARY, b"b")],
        ),
    ] {
        fails(&server, name, &frames, 1002);
    }
}

#[test]
fn section_6_text_is_utf_8_and_told_so_where_it_is_not() {
    let (server, _bridge) = start();
    let valid = [
        "Hello-µ@ßöäüàá-UTF-8!!",
        "κόσμε",
        "\u{0}",
        "\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}",
        "\u{fffd}\u{feff}",
        "\u{d7ff}\u{e000}",
    ];
    for text in valid {
        answers(
            &server,
            text,
            &[frame(FINAL | TEXT, text.as_bytes())],
            usize::MAX,
            1,
        );
        // In two at every byte, also within a character.
        for at in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(at);
            let frames = [frame(TEXT, first), frame(FINAL | CONTINUATION, second)];
            answers(&server, text, &frames, usize::MAX, 1);
        }
    }
    let invalid: &[&[u8]] = &[
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\x80",
        b"\xbf\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xfe",
        b"\xff",
        b"abc\xc3\x28",
    ];
    for text in invalid {
        fails(&server, "in one", &[frame(FINAL | TEXT, text)], 1007);
        let (first, second) = text.split_at(text.len() / 2);
        fails(
            &server,
            "in two",
            &[frame(TEXT, first), frame(FINAL | CONTINUATION, second)],
            1007,
        );
    }
    // What is no text may be anything.
    answers(
        &server,
        "binary",
        &[frame(FINAL | BINARY, b"\xff\xfe")],
        usize::MAX,
        1,
    );
}

#[test]
fn section_7_closes_are_answered_and_checked() {
    let (server, _bridge) = start();
    let mut peer = Peer::connect(&server);
    peer.send(
        &[
            frame(FINAL | CLOSE, b""),
            frame(FINAL | TEXT, b"after"),
            frame(FINAL | PING, b""),
        ]
        .concat(),
        9999,
    );
    assert_eq!(
        peer.rest(),
        [(CLOSE, vec![])],
        "nothing is answered after the close"
    );
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        let mut peer = Peer::connect(&server);
        peer.send(&close(code, b"why"), usize::MAX);
        let answers = peer.rest();
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].1[..2], code.to_be_bytes(), "the same code");
    }
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        fails(&server, &format!("code {code}"), &[close(code, b"")], 1002);
    }
    fails(&server, "half a code", &[frame(FINAL | CLOSE, &[3])], 1002);
    fails(&server, "a long reason", &[close(1000, &[b'x'; 124])], 1002);
    fails(
        &server,
        "a reason that is no UTF-8",
        &[close(1000, b"\xce\xba\xff")],
        1007,
    );
    let mut peer = Peer::connect(&server);
    peer.send(&close(1000, &[b'x'; 123]), usize::MAX);
    assert_eq!(peer.rest().len(), 1, "123 bytes of reason are allowed");
}

#[test]
fn frames_without_a_mask_are_refused_and_so_is_what_is_too_long() {
    let (server, _bridge) = start();
    fails(&server, "no mask", &[vec![FINAL | TEXT, 2, b'{', b'}']], 1002);
    let mut claim = vec![FINAL | TEXT, 0x80 | 127];
    claim.extend_from_slice(&(1_u64 << 62).to_be_bytes());
    claim.extend_from_slice(&[0; 4]);
    fails(&server, "2^62 bytes", &[claim], 1009);
    fails(
        &server,
        "one byte too many",
        &[frame(FINAL | TEXT, &[b'x'; 65_537])],
        1009,
    );
    let mut endless = vec![frame(TEXT, &[b'x'; 30_000])];
    endless.extend((0..40).map(|_| frame(CONTINUATION, &[b'x'; 30_000])));
    fails(&server, "endless fragments", &endless, 1009);
}
