//! The camera's end of the USB cable: USB/IP (<https://docs.kernel.org/usb/usbip_protocol.html>) over a socket.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::camera::{CameraModel, Condition, PAYLOAD, descriptors, lock};

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;
/// The transfer was taken back.
const ECONNRESET: i32 = -104;
/// A request that is not understood.
const EPIPE: i32 = -32;

/// One request of the kernel.
struct Request {
    command: u32,
    number: u32,
    is_in: bool,
    endpoint: u32,
    /// Of a transfer its length; of an unlink the number of the transfer.
    length: u32,
    setup: [u8; 8],
    bytes: Vec<u8>,
}

/// Answers until the cable is pulled.
pub(crate) fn serve(link: UnixStream, model: &CameraModel, condition: &Mutex<Condition>) {
    let Ok(reader) = link.try_clone() else { return };
    let (sender, requests) = sync_channel(64);
    let reading = thread::spawn(move || {
        let mut reader = reader;
        while let Ok(request) = read_request(&mut reader) {
            if sender.send(request).is_err() {
                break;
            }
        }
    });
    let mut camera = Streaming {
        link,
        model,
        condition,
        waiting: VecDeque::new(),
        is_streaming: false,
        frame_id: 0,
        sending: None,
        next_frame: 0,
        next_at: Instant::now(),
        buffer: vec![0; PAYLOAD],
    };
    // An error means that the cable is pulled: there is nobody left to tell.
    camera.run(&requests).ok();
    drop(requests);
    reading.join().ok();
}

fn read_request(link: &mut UnixStream) -> io::Result<Request> {
    let mut header = [0; 48];
    link.read_exact(&mut header)?;
    let word = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&header[at..at + 4]);
        u32::from_be_bytes(bytes)
    };
    let (command, is_in) = (word(0), word(12) == 1);
    let length = match command {
        UNLINK => word(20),
        _ => word(24),
    };
    let mut bytes = Vec::new();
    if command == SUBMIT && !is_in {
        bytes.resize(length as usize, 0);
        link.read_exact(&mut bytes)?;
    }
    let mut setup = [0; 8];
    setup.copy_from_slice(&header[40..]);
    Ok(Request {
        command,
        number: word(4),
        is_in,
        endpoint: word(16),
        length,
        setup,
        bytes,
    })
}

struct Streaming<'a> {
    link: UnixStream,
    model: &'a CameraModel,
    condition: &'a Mutex<Condition>,
    /// Transfers that wait for pictures: number and length.
    waiting: VecDeque<(u32, usize)>,
    is_streaming: bool,
    /// Alternates from frame to frame.
    frame_id: u8,
    /// The frame that is being sent, and how much of it has been.
    sending: Option<(usize, usize)>,
    next_frame: usize,
    next_at: Instant,
    buffer: Vec<u8>,
}

impl Streaming<'_> {
    fn run(&mut self, requests: &Receiver<Request>) -> io::Result<()> {
        loop {
            let mut wait = Duration::from_millis(100);
            if self.is_streaming && !lock(self.condition).is_frozen {
                self.begin_frames_that_are_due();
                self.send_payloads()?;
                wait = self.next_at.saturating_duration_since(Instant::now());
            }
            match requests.recv_timeout(wait) {
                Ok(request) => self.answer(&request)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn begin_frames_that_are_due(&mut self) {
        let now = Instant::now();
        // After a pause no camera hurries.
        if now > self.next_at + Duration::from_millis(500) {
            self.next_at = now;
        }
        while now >= self.next_at {
            if self.sending.is_some() || self.waiting.is_empty() {
                lock(self.condition).skipped += 1;
            } else {
                self.sending = Some((self.next_frame % self.model.frames.len(), 0));
                self.frame_id ^= 1;
            }
            self.next_frame += 1;
            self.next_at += self.interval();
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_nanos(u64::from(self.model.interval()) * 100)
    }

    fn send_payloads(&mut self) -> io::Result<()> {
        while let (Some((frame, sent)), Some((number, room))) = (self.sending, self.waiting.front().copied())
        {
            let rest = &self.model.frames[frame][sent..];
            let taken = rest.len().min(room.min(PAYLOAD).saturating_sub(2));
            let is_last = taken == rest.len();
            // Header: its length; end of header, end of frame, which frame.
            self.buffer[..2].copy_from_slice(&[2, 0x80 | u8::from(is_last) << 1 | self.frame_id]);
            self.buffer[2..2 + taken].copy_from_slice(&rest[..taken]);
            self.waiting.pop_front();
            reply(
                &mut self.link,
                SUBMITTED,
                number,
                0,
                2 + taken,
                &self.buffer[..2 + taken],
            )?;
            self.sending = (!is_last).then_some((frame, sent + taken));
        }
        Ok(())
    }

    fn answer(&mut self, request: &Request) -> io::Result<()> {
        if request.command == UNLINK {
            let before = self.waiting.len();
            self.waiting.retain(|(number, _)| *number != request.length);
            let status = if self.waiting.len() < before {
                ECONNRESET
            } else {
                0
            };
            return reply(&mut self.link, UNLINKED, request.number, status, 0, &[]);
        }
        if request.endpoint != 0 {
            self.waiting.push_back((request.number, request.length as usize));
            return Ok(());
        }
        match self.control(request) {
            Some(mut bytes) if request.is_in => {
                bytes.truncate(request.length as usize);
                reply(&mut self.link, SUBMITTED, request.number, 0, bytes.len(), &bytes)
            }
            Some(_) => reply(
                &mut self.link,
                SUBMITTED,
                request.number,
                0,
                request.length as usize,
                &[],
            ),
            None => reply(&mut self.link, SUBMITTED, request.number, EPIPE, 0, &[]),
        }
    }

    /// A request to endpoint 0; `None` for what a camera does not understand.
    fn control(&mut self, request: &Request) -> Option<Vec<u8>> {
        let [kind, code, value_low, value_high, index_low, index_high, _, _] = request.setup;
        Some(match (kind, code) {
            (0x80, 6) => match value_high {
                1 => descriptors::device(),
                2 => descriptors::configuration(self.model),
                3 => descriptors::string(value_low),
                _ => return None,
            },
            // Status; configuration; alternate setting.
            (0x80..=0x82, 0) => vec![0, 0],
            (0x80, 8) => vec![1],
            (0x81, 10) => vec![0],
            (0x00, 1 | 3 | 5 | 9) | (0x01, 11) => Vec::new(),
            // The driver halts the endpoint to end a stream over bulk.
            (0x02, 1) => {
                (self.is_streaming, self.sending) = (false, None);
                Vec::new()
            }
            // The camera's controls, of interface 0.
            (0xa1, _) if index_low == 0 => lock(self.condition).controls.get(index_high, value_high, code)?,
            (0x21, 1) if index_low == 0 => {
                let controls = &mut lock(self.condition).controls;
                controls
                    .set(index_high, value_high, &request.bytes)
                    .map(|()| Vec::new())?
            }
            // The stream's, of interface 1: what would be streamed, and from the second on it is.
            (0x21, 1) => {
                if value_high == 2 {
                    (self.is_streaming, self.sending, self.next_frame) = (true, None, 0);
                    // The driver says so before it asks for the first payloads.
                    self.next_at = Instant::now() + self.interval();
                    lock(self.condition).skipped = 0;
                }
                Vec::new()
            }
            (0xa1, 0x81..=0x84 | 0x87) => descriptors::probe(self.model),
            (0xa1, 0x85) => vec![26, 0],
            (0xa1, 0x86) => vec![3],
            _ => return None,
        })
    }
}

fn reply(
    link: &mut UnixStream,
    command: u32,
    number: u32,
    status: i32,
    length: usize,
    bytes: &[u8],
) -> io::Result<()> {
    let mut message = Vec::with_capacity(48 + bytes.len());
    for word in [
        command,
        number,
        0,
        0,
        0,
        status as u32,
        length as u32,
        0,
        0,
        0,
        0,
        0,
    ] {
        message.extend(word.to_be_bytes());
    }
    message.extend(bytes);
    link.write_all(&message)
}
