//! Any bytes as a camera's frame or as a video: an error, no panic, bounded time and memory.
//!
//! `cargo +nightly fuzz run mjpeg_frame` and `… video_container`, in this folder; how to do without nightly is told in
//! `systems/detection/fuzz`. Videos of other containers (MP4 and the rest) are read by the program ffmpeg; what is
//! read here is the NUT stream that it hands over.

use ghostball_capture::JpegDecoder;
use ghostball_world::Picture;

/// Larger pictures are only made smaller by this: time grows with their size, and finds nothing new.
const MOST_PIXELS: u32 = 1 << 20;

/// Decodes the bytes as one frame after the other, as a camera sends them: split where a JPEG begins, all with the same
/// decoder.
pub fn decode_camera_frames(bytes: &[u8]) {
    let mut decoder = JpegDecoder::default();
    let mut picture = Picture::default();
    let begins: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(&[0xff, 0xd8, 0xff]))
        .chain([bytes.len()])
        .take(5)
        .collect();
    decode(&mut decoder, bytes, &mut picture);
    for pair in begins.windows(2) {
        decode(&mut decoder, &bytes[pair[0]..pair[1]], &mut picture);
    }
}

fn decode(decoder: &mut JpegDecoder, jpeg: &[u8], picture: &mut Picture) {
    match claimed_pixels(jpeg) {
        Some(pixels) if pixels > MOST_PIXELS => {}
        _ => match decoder.decode(jpeg, picture) {
            Ok(()) => {
                let expected = picture.format().byte_count(picture.width(), picture.height());
                assert_eq!(expected, Some(picture.bytes().len()));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        },
    }
}

/// What the first frame header says of the size.
fn claimed_pixels(jpeg: &[u8]) -> Option<u32> {
    let at = jpeg
        .windows(2)
        .position(|pair| pair[0] == 0xff && (0xc0..=0xc2).contains(&pair[1]))?;
    let side = |from: usize| Some(u32::from(u16::from_be_bytes([*jpeg.get(from)?, *jpeg.get(from + 1)?])));
    side(at + 5)?.checked_mul(side(at + 7)?)
}
