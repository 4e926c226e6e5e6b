//! Any bytes as the stream of pictures that ffmpeg makes of a video.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_capture::read_as_container(bytes));
