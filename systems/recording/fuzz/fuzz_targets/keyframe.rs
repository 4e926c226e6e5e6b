//! Any bytes as what the systems remembered.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_recording_fuzz::read_keyframe(bytes));
