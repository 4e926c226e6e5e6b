//! The NUT container, as far as one stream of raw pictures needs it.
//!
//! Raw planes alone carry no time; NUT adds exact stamps and the picture's size and layout, in a published format that
//! every ffmpeg writes. Names follow the specification, <https://ffmpeg.org/~michael/nut.txt>.

use std::io::{self, Read};

use ghostball_world::{PixelFormat, Stamp};

/// Why a stream is not what it should be. Only ffmpeg writes it, so people rarely see this.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NutError {
    #[error("the stream of pictures broke off: {0}")]
    Io(#[from] io::Error),
    #[error("the stream of pictures is damaged: {0}")]
    Damaged(&'static str),
}

const FILE_ID: &[u8] = b"nut/multimedia container\0";
const MAIN: u64 = 0x4E4D_7A56_1F5F_04AD;
const STREAM: u64 = 0x4E53_1140_5BF2_F9DB;
const SYNCPOINT: u64 = 0x4E4B_E4AD_EECA_4569;

/// Packets other than frames are this long at most: beyond it the stream lies.
const MAX_PACKET_BYTES: u64 = 1 << 20;

const FLAG_CODED_PTS: u64 = 8;
const FLAG_STREAM_ID: u64 = 16;
const FLAG_SIZE_MSB: u64 = 32;
const FLAG_CHECKSUM: u64 = 64;
const FLAG_RESERVED: u64 = 128;
const FLAG_SM_DATA: u64 = 256;
const FLAG_HEADER_IDX: u64 = 1024;
const FLAG_MATCH_TIME: u64 = 2048;
const FLAG_CODED: u64 = 4096;
const FLAG_INVALID: u64 = 8192;
const FLAG_END: u64 = 2;

/// What the stream header says about all pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NutVideo {
    pub(crate) format: PixelFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Comes before the bytes of each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NutFrame {
    pub(crate) captured_at: Stamp,
    /// Bytes of the picture.
    pub(crate) byte_count: u64,
    elision: usize,
}

/// One of the 256 ways in which a frame header can be abbreviated.
#[derive(Clone, Copy, Debug, Default)]
struct FrameCode {
    flags: u64,
    pts_delta: i64,
    size_mul: u64,
    size_lsb: u64,
    reserved: u64,
    header_idx: u64,
}

#[derive(Clone, Copy, Debug)]
struct TimeBase {
    num: u64,
    den: u64,
}

/// Reads frames one after the other. Allocates only while opening.
#[derive(Debug)]
pub(crate) struct NutReader<R> {
    input: R,
    codes: [FrameCode; 256],
    time_bases: Vec<TimeBase>,
    /// Beginnings that frames share and leave out; the first is empty.
    elisions: Vec<Vec<u8>>,
    video: NutVideo,
    time_base: TimeBase,
    msb_pts_shift: u32,
    last_pts: i64,
}

impl<R: Read> NutReader<R> {
    /// Reads up to the stream's description.
    pub(crate) fn open(mut input: R) -> Result<Self, NutError> {
        let mut id = [0; FILE_ID.len()];
        input.read_exact(&mut id)?;
        if id != FILE_ID {
            return Err(NutError::Damaged("it does not begin as NUT does"));
        }
        let main = packet(&mut input, MAIN)?;
        let main = MainHeader::parse(&mut &main[..])?;
        let stream = packet(&mut input, STREAM)?;
        let (video, time_base_id, msb_pts_shift) = parse_stream_header(&mut &stream[..])?;
        let time_base = main.time_bases.get(time_base_id as usize).copied();
        Ok(Self {
            input,
            codes: main.codes,
            time_base: time_base.ok_or(NutError::Damaged("no time base"))?,
            time_bases: main.time_bases,
            elisions: main.elisions,
            video,
            msb_pts_shift,
            last_pts: 0,
        })
    }

    /// What all its pictures have in common.
    pub(crate) fn video(&self) -> NutVideo {
        self.video
    }

    /// The header of the next frame, whose bytes have to be read next; `None` at the end.
    pub(crate) fn next_frame(&mut self) -> Result<Option<NutFrame>, NutError> {
        loop {
            let mut first = [0];
            if self.input.read(&mut first)? == 0 {
                return Ok(None);
            }
            if first[0] == b'N' {
                self.skip_packet()?;
                continue;
            }
            let (flags, frame) = self.frame_header(first[0])?;
            if flags & FLAG_END == 0 || frame.byte_count > 0 {
                return Ok(Some(frame));
            }
        }
    }

    /// The bytes of the picture whose header was just read.
    pub(crate) fn read_bytes(&mut self, frame: NutFrame, bytes: &mut [u8]) -> Result<(), NutError> {
        let elision = &self.elisions[frame.elision];
        if bytes.len() as u64 != frame.byte_count || elision.len() > bytes.len() {
            return Err(NutError::Damaged("a picture of the wrong size"));
        }
        let (left_out, rest) = bytes.split_at_mut(elision.len());
        left_out.copy_from_slice(elision);
        Ok(self.input.read_exact(rest)?)
    }

    fn frame_header(&mut self, code: u8) -> Result<(u64, NutFrame), NutError> {
        let code = self.codes[usize::from(code)];
        let input = &mut self.input;
        let mut flags = code.flags;
        if flags & FLAG_CODED != 0 {
            flags ^= varint(input)?;
        }
        if flags & (FLAG_INVALID | FLAG_SM_DATA) != 0 {
            return Err(NutError::Damaged("a frame of unknown kind"));
        }
        if flags & FLAG_STREAM_ID != 0 && varint(input)? != 0 {
            return Err(NutError::Damaged("a second stream"));
        }
        let pts = if flags & FLAG_CODED_PTS != 0 {
            full_pts(varint(input)?, self.last_pts, self.msb_pts_shift)
        } else {
            self.last_pts.wrapping_add(code.pts_delta)
        };
        let size_msb = if flags & FLAG_SIZE_MSB != 0 {
            varint(input)?
        } else {
            0
        };
        if flags & FLAG_MATCH_TIME != 0 {
            varint(input)?;
        }
        let mut header_idx = code.header_idx;
        if flags & FLAG_HEADER_IDX != 0 {
            header_idx = varint(input)?;
        }
        let reserved = if flags & FLAG_RESERVED != 0 {
            varint(input)?
        } else {
            code.reserved
        };
        for _ in 0..reserved {
            varint(input)?;
        }
        if flags & FLAG_CHECKSUM != 0 {
            input.read_exact(&mut [0; 4])?;
        }
        let byte_count = size_msb
            .checked_mul(code.size_mul)
            .and_then(|bytes| bytes.checked_add(code.size_lsb))
            .ok_or(NutError::Damaged("a picture of the wrong size"))?;
        // Long frames leave nothing out, whatever their code says.
        let elision = if byte_count > 4096 { 0 } else { header_idx as usize };
        if elision >= self.elisions.len() {
            return Err(NutError::Damaged("a frame of unknown kind"));
        }
        self.last_pts = pts;
        let captured_at = stamp(pts, self.time_base)?;
        let frame = NutFrame {
            captured_at,
            byte_count,
            elision,
        };
        Ok((flags, frame))
    }

    /// Passes over a packet that is no frame, whose first byte was read; takes the time from it if it is a syncpoint.
    fn skip_packet(&mut self) -> Result<(), NutError> {
        let mut startcode = [b'N'; 8];
        self.input.read_exact(&mut startcode[1..])?;
        let payload = packet_payload(&mut self.input)?;
        if u64::from_be_bytes(startcode) == SYNCPOINT {
            let coded = varint(&mut &payload[..])?;
            let count = self.time_bases.len() as u64;
            let from = self.time_bases[(coded % count) as usize];
            let to = self.time_base;
            let pts = u128::from(coded / count) * u128::from(from.num) * u128::from(to.den)
                / (u128::from(from.den) * u128::from(to.num));
            self.last_pts = i64::try_from(pts).map_err(|_| NutError::Damaged("a wrong stamp"))?;
        }
        Ok(())
    }
}

/// Reads any bytes as such a stream, for the fuzz target: all its pictures, or an error.
#[doc(hidden)]
pub fn read_as_container(bytes: &[u8]) {
    let Ok(mut reader) = NutReader::open(bytes) else {
        return;
    };
    let video = reader.video();
    let Some(count) = video.format.byte_count(video.width, video.height) else {
        return;
    };
    let mut picture = vec![0; count.min(1 << 20)];
    while let Ok(Some(frame)) = reader.next_frame() {
        if reader.read_bytes(frame, &mut picture).is_err() {
            return;
        }
    }
}

struct MainHeader {
    codes: [FrameCode; 256],
    time_bases: Vec<TimeBase>,
    elisions: Vec<Vec<u8>>,
}

impl MainHeader {
    fn parse(input: &mut &[u8]) -> Result<Self, NutError> {
        if !(2..=3).contains(&varint(input)?) {
            return Err(NutError::Damaged("a version of NUT that is not known here"));
        }
        if varint(input)? != 1 {
            return Err(NutError::Damaged("more than one stream"));
        }
        varint(input)?; // max_distance
        let mut time_bases = Vec::new();
        for _ in 0..varint(input)? {
            let (num, den) = (varint(input)?, varint(input)?);
            // Bounded, so that products of two stay within 128 bits.
            if num == 0 || den == 0 || num.max(den) > u64::from(u32::MAX) {
                return Err(NutError::Damaged("a wrong time base"));
            }
            time_bases.push(TimeBase { num, den });
        }
        if time_bases.is_empty() {
            return Err(NutError::Damaged("no time base"));
        }
        let codes = parse_frame_codes(input)?;
        let mut elisions = vec![Vec::new()];
        for _ in 0..varint(input)? {
            elisions.push(var_bytes(input)?.to_vec());
        }
        Ok(Self {
            codes,
            time_bases,
            elisions,
        })
    }
}

fn parse_frame_codes(input: &mut &[u8]) -> Result<[FrameCode; 256], NutError> {
    let invalid = FrameCode {
        flags: FLAG_INVALID,
        ..FrameCode::default()
    };
    let mut codes = [invalid; 256];
    let (mut pts_delta, mut size_mul, mut header_idx) = (0, 1, 0);
    let mut i = 0;
    while i < codes.len() {
        let flags = varint(input)?;
        let fields = varint(input)?;
        let mut size = 0;
        let mut reserved = 0;
        let mut count = None;
        for field in 0..fields {
            match field {
                0 => pts_delta = signed(varint(input)?),
                1 => size_mul = varint(input)?,
                3 => size = varint(input)?,
                4 => reserved = varint(input)?,
                5 => count = Some(varint(input)?),
                7 => header_idx = varint(input)?,
                // 2 is the stream, of which there is one; 6 is for matching times; the rest is for the future.
                _ => drop(varint(input)?),
            }
        }
        let count = match count {
            Some(count) => count,
            None => size_mul
                .checked_sub(size)
                .ok_or(NutError::Damaged("wrong frame codes"))?,
        };
        if count == 0 {
            return Err(NutError::Damaged("wrong frame codes"));
        }
        let mut done = 0;
        while done < count && i < codes.len() {
            if i != usize::from(b'N') {
                let size_lsb = size.saturating_add(done);
                codes[i] = FrameCode {
                    flags,
                    pts_delta,
                    size_mul,
                    size_lsb,
                    reserved,
                    header_idx,
                };
                done += 1;
            }
            i += 1;
        }
    }
    Ok(codes)
}

/// The picture's layout, its time base and how many bits of a stamp are written.
fn parse_stream_header(input: &mut &[u8]) -> Result<(NutVideo, u64, u32), NutError> {
    const VIDEO: u64 = 0;
    let (_stream_id, class) = (varint(input)?, varint(input)?);
    let fourcc = var_bytes(input)?;
    let format = match fourcc {
        b"I420" => PixelFormat::Yuv420,
        b"NV12" => PixelFormat::Nv12,
        b"Y800" => PixelFormat::Grey,
        _ => return Err(NutError::Damaged("a pixel format that was not asked for")),
    };
    let (time_base_id, msb_pts_shift) = (varint(input)?, varint(input)?);
    for _ in 0..3 {
        varint(input)?; // max_pts_distance, decode_delay, stream_flags
    }
    var_bytes(input)?; // codec_specific_data
    let mut side = || u32::try_from(varint(input)?).map_err(|_| NutError::Damaged("a wrong size"));
    let (width, height) = (side()?, side()?);
    if class != VIDEO || msb_pts_shift > 16 {
        return Err(NutError::Damaged("no pictures"));
    }
    let video = NutVideo {
        format,
        width,
        height,
    };
    Ok((video, time_base_id, msb_pts_shift as u32))
}

/// A stamp of which the lower `shift` bits, or all of it, were written (specification: `coded_pts`).
fn full_pts(coded: u64, last: i64, shift: u32) -> i64 {
    let range = 1_i64 << shift;
    let coded = coded as i64;
    if coded >= range {
        return coded - range;
    }
    let lowest = last.saturating_sub((range - 1) / 2);
    lowest.saturating_add(coded.wrapping_sub(lowest) & (range - 1))
}

fn stamp(pts: i64, base: TimeBase) -> Result<Stamp, NutError> {
    let wrong = NutError::Damaged("a wrong stamp");
    let ticks = u128::try_from(pts).map_err(|_| NutError::Damaged("a wrong stamp"))?;
    let nanos = ticks * u128::from(base.num) * 1_000_000_000 / u128::from(base.den);
    u64::try_from(nanos).map(Stamp::from_nanos).map_err(|_| wrong)
}

/// The payload of the next packet, which has to be of this kind.
fn packet(input: &mut impl Read, expected: u64) -> Result<Vec<u8>, NutError> {
    loop {
        let mut startcode = [0; 8];
        input.read_exact(&mut startcode)?;
        if startcode[0] != b'N' {
            return Err(NutError::Damaged("a header is missing"));
        }
        let payload = packet_payload(input)?;
        if u64::from_be_bytes(startcode) == expected {
            return Ok(payload);
        }
    }
}

/// What follows a startcode. Checksums are not looked at: a pipe does not flip bits.
fn packet_payload(input: &mut impl Read) -> Result<Vec<u8>, NutError> {
    let length = varint(input)?;
    if length > MAX_PACKET_BYTES {
        return Err(NutError::Damaged("a header of impossible length"));
    }
    if length > 4096 {
        input.read_exact(&mut [0; 4])?;
    }
    let mut payload = vec![0; length as usize];
    input.read_exact(&mut payload)?;
    Ok(payload)
}

/// Seven bits per byte, the highest first; the top bit says that another follows.
fn varint(input: &mut impl Read) -> Result<u64, NutError> {
    let mut value = 0_u64;
    for _ in 0..9 {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        value = value << 7 | u64::from(byte[0] & 0x7f);
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(NutError::Damaged("a number of impossible length"))
}

/// Zigzag, as the specification's type `s`.
fn signed(value: u64) -> i64 {
    let half = (value >> 1) as i64;
    if value & 1 == 0 { -half } else { half + 1 }
}

fn var_bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], NutError> {
    let length = varint(input)?;
    let (bytes, rest) = usize::try_from(length)
        .ok()
        .and_then(|length| input.split_at_checked(length))
        .ok_or(NutError::Damaged("a header is cut off"))?;
    *input = rest;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_varint(out: &mut Vec<u8>, value: u64) {
        let groups = (1..9).take_while(|n| value >> (7 * n) > 0).count();
        for group in (0..=groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            out.push((value >> (7 * group)) as u8 & 0x7f | more);
        }
    }

    fn write_packet(out: &mut Vec<u8>, startcode: u64, fields: &[u64]) {
        let mut payload = Vec::new();
        for field in fields {
            write_varint(&mut payload, *field);
        }
        payload.extend([0; 4]);
        out.extend(startcode.to_be_bytes());
        write_varint(out, payload.len() as u64);
        out.extend(payload);
    }

    /// A stream of 2x2 pictures at 30 ticks a second; code 0 is a frame with everything spelled out.
    fn stream_start() -> Vec<u8> {
        let mut out = FILE_ID.to_vec();
        let flags = FLAG_CODED_PTS | FLAG_SIZE_MSB;
        // version, streams, distance, one time base of 1/30, then 256 codes in one go, no elisions.
        write_packet(
            &mut out,
            MAIN,
            &[3, 1, 65536, 1, 1, 30, flags, 6, 0, 1, 0, 0, 0, 255, 0],
        );
        let mut header = Vec::new();
        for field in [0, 0, 4] {
            write_varint(&mut header, field);
        }
        header.extend(b"I420");
        // time base 0, 2 bits of stamps, distances, no data, 2x2.
        for field in [0, 2, 1, 0, 0, 0, 2, 2, 0, 0, 0] {
            write_varint(&mut header, field);
        }
        out.extend(STREAM.to_be_bytes());
        write_varint(&mut out, header.len() as u64);
        out.extend(header);
        out
    }

    fn write_frame(out: &mut Vec<u8>, coded_pts: u64, bytes: &[u8]) {
        out.push(0);
        write_varint(out, coded_pts);
        write_varint(out, bytes.len() as u64);
        out.extend(bytes);
    }

    /// Stamps in ticks, and the first byte of each picture.
    fn read_all(stream: &[u8]) -> Result<Vec<(u64, u8)>, NutError> {
        let mut reader = NutReader::open(stream)?;
        let mut frames = Vec::new();
        while let Some(frame) = reader.next_frame()? {
            let mut bytes = [0; 6];
            reader.read_bytes(frame, &mut bytes)?;
            frames.push(((frame.captured_at.nanos * 30).div_ceil(1_000_000_000), bytes[0]));
        }
        Ok(frames)
    }

    #[test]
    fn stamps_are_whole_or_the_nearest_to_the_last_one() {
        let mut stream = stream_start();
        write_frame(&mut stream, 4 + 100, &[1; 6]); // 100, in full
        write_frame(&mut stream, 1, &[2; 6]); // 101 ends in 01
        write_frame(&mut stream, 3, &[3; 6]); // 103 ends in 11
        write_packet(&mut stream, SYNCPOINT, &[200, 0]);
        write_frame(&mut stream, 1, &[4; 6]); // 201 ends in 01
        assert_eq!(
            read_all(&stream).unwrap(),
            [(100, 1), (101, 2), (103, 3), (201, 4)]
        );
        let video = NutReader::open(&stream[..]).unwrap().video();
        assert_eq!(
            video,
            NutVideo {
                format: PixelFormat::Yuv420,
                width: 2,
                height: 2
            }
        );
    }

    #[test]
    fn a_stream_that_breaks_off_is_an_error_unless_between_frames() {
        let start = stream_start();
        let mut stream = start.clone();
        write_frame(&mut stream, 4, &[1; 6]);
        for end in 0..stream.len() {
            assert_eq!(read_all(&stream[..end]).is_ok(), end == start.len(), "{end}");
        }
        assert_eq!(read_all(&stream).unwrap(), [(0, 1)]);
    }

    #[test]
    fn nonsense_is_an_error_and_never_a_panic() {
        let mut stream = stream_start();
        write_frame(&mut stream, 4, &[1; 6]);
        write_packet(&mut stream, SYNCPOINT, &[1, 0]);
        write_frame(&mut stream, 5, &[1; 6]);
        for at in 0..stream.len() {
            for flip in [0x01, 0x7f, 0x80, 0xff] {
                let mut damaged = stream.clone();
                damaged[at] ^= flip;
                read_all(&damaged).ok();
            }
        }
    }

    #[test]
    fn signed_numbers_alternate() {
        assert_eq!([0, 1, 2, 3, 4].map(signed), [0, 1, -1, 2, -2]);
        // The largest that nine bytes hold.
        assert_eq!(signed((1 << 63) - 1), 1 << 62);
    }
}
