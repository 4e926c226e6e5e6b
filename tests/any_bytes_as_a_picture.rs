//! Any bytes as a picture: an error or no balls, no panic. A few hundred cases of what the fuzz targets of
//! `systems/detection/fuzz` look for without end: they share their functions.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[path = "../systems/detection/fuzz/src/lib.rs"]
mod any_bytes;

use any_bytes::{look_at_decoded_picture, look_at_image_file};
use ghostball::simulation::{Random, SimulatedTable, SimulationOptions};
use ghostball::world::Picture;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// A table, small enough to be looked at often.
fn picture(seed: u64) -> Picture {
    let options = SimulationOptions {
        seed,
        width: 320,
        height: 180,
        ..SimulationOptions::default()
    };
    let mut picture = Picture::default();
    SimulatedTable::new(options)
        .unwrap()
        .render_next(&mut picture)
        .unwrap();
    picture
}

fn rgb(picture: &Picture) -> Vec<u8> {
    let (width, height) = (picture.width(), picture.height());
    (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| picture.rgb_at(x, y)))
        .collect()
}

fn jpeg(picture: &Picture, sampling: SamplingFactor, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 85);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder
        .encode(&rgb(picture), width, height, ColorType::Rgb)
        .unwrap();
    bytes
}

fn png(picture: &Picture) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&rgb(picture))
        .unwrap();
    bytes
}

/// One to eight changes of the kinds that damage does: bytes, runs of bytes, pieces lost, doubled or moved, the end
/// missing; more of them near the start, where the headers are.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(8) {
        if bytes.is_empty() {
            return;
        }
        let reach = if random.chance(0.5) {
            bytes.len().min(700)
        } else {
            bytes.len()
        };
        let at = random.below(reach);
        let length = random.below(1 + (bytes.len() - at).min(200));
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => bytes[at..at + length]
                .iter_mut()
                .for_each(|byte| *byte = random.next_u64() as u8),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => bytes[at..at + length].fill(0),
            _ => {
                // The end stays where a JPEG's is asked for first.
                let keeps_end = random.chance(0.7);
                bytes.truncate(at + 2);
                if keeps_end {
                    bytes.extend([0xff, 0xd9]);
                }
            }
        }
    }
}

#[test]
fn damaged_image_files_are_refused_or_looked_at_without_a_panic() {
    let mut random = Random::from_seed(71);
    let picture = picture(3);
    let whole = [
        jpeg(&picture, SamplingFactor::F_2_2, false),
        jpeg(&picture, SamplingFactor::F_1_1, false),
        jpeg(&picture, SamplingFactor::F_2_1, true),
        png(&picture),
    ];
    for file in &whole {
        look_at_image_file(file);
        for _ in 0..70 {
            let mut bytes = file.clone();
            damage(&mut bytes, &mut random);
            look_at_image_file(&bytes);
        }
    }
}

#[test]
fn noise_is_no_image_file() {
    let mut random = Random::from_seed(72);
    for length in 0..80 {
        let mut bytes: Vec<u8> = (0..length * 9).map(|_| random.next_u64() as u8).collect();
        look_at_image_file(&bytes);
        // Behind the first bytes of a real one.
        let start: &[u8] = if length % 2 == 0 {
            b"\xff\xd8\xff"
        } else {
            b"\x89PNG\r\n\x1a\n"
        };
        bytes.splice(0..0, start.iter().copied());
        look_at_image_file(&bytes);
    }
}

#[test]
fn any_planes_of_any_size_are_looked_at_without_a_panic() {
    let mut random = Random::from_seed(73);
    let tables = [picture(1), picture(2)];
    for case in 0..120 {
        let mut bytes: Vec<u8> = (0..16).map(|_| random.next_u64() as u8).collect();
        if case % 3 == 0 {
            // The planes of a table, as they are or with another format and size claimed.
            let size = tables[case % 2].width().to_le_bytes();
            if random.chance(0.5) {
                (bytes[0], bytes[2], bytes[3], bytes[4], bytes[5]) = (3, size[0], size[1], 180, 0);
            }
            bytes.extend(tables[case % 2].bytes());
        } else {
            // Small pictures of few values: noise, stripes, flat.
            (bytes[3], bytes[5]) = (bytes[3] % 2, bytes[5] % 2);
            let length = 1 + random.below(4000);
            let mask = [0xff, 0xf0, 0x80, 0][random.below(4)];
            bytes.extend((0..length).map(|_| random.next_u64() as u8 & mask));
        }
        look_at_decoded_picture(&bytes);
    }
}
