//! Any bytes as the planes of a camera's picture.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_detection_fuzz::look_at_decoded_picture(bytes));
