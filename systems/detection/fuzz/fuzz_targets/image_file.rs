//! Any bytes as an image file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_detection_fuzz::look_at_image_file(bytes));
