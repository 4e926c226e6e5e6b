//! Any bytes as the frames of an MJPEG camera.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_capture_fuzz::decode_camera_frames(bytes));
