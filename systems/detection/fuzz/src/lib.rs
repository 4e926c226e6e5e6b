//! Any bytes as a picture: an error or no balls, no panic, bounded time and memory.
//!
//! `cargo +nightly fuzz run decoded_picture` and `… image_file`, in this folder. Without cargo-fuzz and with the stable
//! compiler, as nothing here is unsafe and no sanitizer is needed:
//!
//! ```text
//! RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table \
//!   -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing" \
//!   cargo build --release --target x86_64-unknown-linux-gnu
//! target/x86_64-unknown-linux-gnu/release/image_file -max_total_time=600 -max_len=65536 CORPUS
//! ```
//!
//! The program's own tests call the same functions with mutated pictures: `tests/any_bytes_as_a_picture.rs`.

use ghostball_capture::decode_image;
use ghostball_detection::{DetectionError, Detector};
use ghostball_world::{
    BallSet, BallSighting, CircleInImage, ColorEncoding, Lens, Picture, PixelFormat, Sightings, TableSighting,
};
use glam::DVec2;

/// Larger pictures are only made smaller by this: time grows with their size, and finds nothing new.
const MOST_PIXELS: u64 = 1 << 20;

/// Takes format, size and a table from the first bytes, planes from the rest (repeated as often as needed), and looks at
/// that: for a table, for balls on the table that was found, and for balls on the table that the bytes claim.
pub fn look_at_decoded_picture(bytes: &[u8]) {
    let Some((header, pixels)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let formats = [
        PixelFormat::Grey,
        PixelFormat::Yuyv,
        PixelFormat::Nv12,
        PixelFormat::Yuv420,
        PixelFormat::Rgb,
    ];
    let format = formats[usize::from(header[0]) % formats.len()];
    let sets = [
        BallSet::Auto,
        BallSet::AmericanPool,
        BallSet::TvPool,
        BallSet::Snooker,
        BallSet::Carom,
    ];
    let set = sets[usize::from(header[1]) % sets.len()];
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) % 1500);
    let (width, height) = (side(header[2], header[3]), side(header[4], header[5]));
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return;
    }
    let Some(count) = format.byte_count(width, height) else {
        return;
    };
    let planes = pixels.iter().copied().chain([128]).cycle().take(count).collect();
    let Ok(picture) = Picture::new(format, width, height, ColorEncoding::default(), planes) else {
        return;
    };
    look_at(&picture, set);

    // Corners from far outside to far inside, a ball of no size or one as large as the picture.
    let at = |x: u8, y: u8| {
        let share = |value: u8| (f64::from(value) - 64.0) / 128.0;
        DVec2::new(share(x) * f64::from(width), share(y) * f64::from(height))
    };
    let corners = [0, 1, 2, 3].map(|i| at(header[6 + 2 * i], header[7 + 2 * i]));
    let table = TableSighting {
        corners_in_image: corners,
        pockets_in_image: [CircleInImage::default(); 6],
        ball_radius_px: f64::from(header[14]) * 0.5 - 1.0,
        lens: (header[15] > 127).then(|| Lens {
            radial: [f64::from(header[15]) / 255.0 - 0.75, 0.0],
            ..Lens::usual([width, height])
        }),
        confidence: 1.0,
    };
    let mut sightings = Sightings::default();
    if Detector::new(set)
        .see_balls_and_cue(&picture, &table, &mut sightings)
        .is_ok()
    {
        check_balls(&sightings.balls);
    }
}

/// Decodes the bytes as a JPEG or PNG and looks at what they show.
pub fn look_at_image_file(bytes: &[u8]) {
    let mut picture = Picture::default();
    match decode_image(bytes, &mut picture) {
        Ok(()) if u64::from(picture.width()) * u64::from(picture.height()) <= MOST_PIXELS => {
            look_at(&picture, BallSet::Auto);
        }
        Ok(()) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn look_at(picture: &Picture, set: BallSet) {
    let mut detector = Detector::new(set);
    let mut sightings = Sightings::default();
    match detector.find_table(picture) {
        Ok(table) => {
            assert!(
                table.corners_in_image.iter().all(|corner| corner.is_finite()),
                "{table:?}"
            );
            assert!(table.ball_radius_px.is_finite(), "{table:?}");
            let seen = detector.see_balls_and_cue(picture, &table, &mut sightings);
            assert!(seen.is_ok(), "{seen:?}");
            check_balls(&sightings.balls);
        }
        Err(DetectionError::TableNotFound(reason)) => assert!(!reason.to_string().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_balls(balls: &[BallSighting]) {
    for ball in balls {
        assert!(
            ball.circle.center.is_finite() && ball.circle.radius.is_finite(),
            "{ball:?}"
        );
        assert!((0.0..=1.0).contains(&ball.confidence), "{ball:?}");
    }
}
