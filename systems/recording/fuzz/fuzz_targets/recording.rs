//! Any bytes as a recording.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ghostball_recording_fuzz::read_recording(bytes));
