//! Calibrations as files: TOML that a person can read and correct.

use std::path::{Path, PathBuf};

use crate::detection::{Calibration, CalibrationError};

/// Why a calibration file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationFileError {
    /// It cannot be read.
    #[error("cannot read the calibration {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key too many or too few, or a value of the wrong type.
    #[error("calibration {}, line {line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It makes no sense, or not with these pictures.
    #[error("calibration {}: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CalibrationError,
    },
}

impl CalibrationFileError {
    /// This file makes no sense, or not with these pictures.
    pub fn unusable(path: &Path, source: CalibrationError) -> Self {
        Self::Unusable {
            path: path.to_owned(),
            source,
        }
    }
}

/// Reads and checks a calibration.
pub fn read(path: &Path) -> Result<Calibration, CalibrationFileError> {
    let text = std::fs::read_to_string(path).map_err(|source| CalibrationFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let calibration: Calibration =
        toml::from_str(&text).map_err(|error| CalibrationFileError::Malformed {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| {
                1 + text[..span.start.min(text.len())].matches('\n').count()
            }),
            message: error.message().replace('\n', " "),
        })?;
    calibration
        .check()
        .map_err(|source| CalibrationFileError::unusable(path, source))?;
    Ok(calibration)
}

/// What a section is, before its heading.
const SECTIONS: [(&str, &str); 6] = [
    (
        "picture",
        "The pictures that this was made from, pixels. It holds for all of the same proportions.",
    ),
    (
        "table",
        "The table, metres: the playing surface between the cushion noses, a ball, and the noses above the cloth.",
    ),
    (
        "image",
        "Where the table is in the pictures, pixels; (0, 0) is the centre of the top-left pixel. Corners of the noses top \
         left,\n# top right, bottom right, bottom left; pockets x, y, radius, clockwise from the top left one.",
    ),
    (
        "lens",
        "The lens: focal length and optical axis, pixels, and radial distortion k1, k2 as OpenCV has them.",
    ),
    (
        "cloth",
        "The cloth: Y, Cb, Cr and their standard deviations, 0 to 255.",
    ),
    (
        "errors",
        "How exact it is. nose: how far the noses lie off the sides of the table, root mean square. place: standard \
         deviation\n# of a ball's place for what is left unknown of the camera. focal: that of the focal length, percent.",
    ),
];

/// The text of the file.
pub fn to_text(calibration: &Calibration) -> Result<String, toml::ser::Error> {
    let mut text = toml::to_string(&rounded(calibration))?;
    for (section, explanation) in SECTIONS {
        let heading = format!("[{section}]\n");
        text = text.replacen(&heading, &format!("# {explanation}\n{heading}"), 1);
    }
    Ok(format!(
        "# A camera above a table, as `ghostball calibrate` found it. Use it with `--calibration FILE`.\n\
         # Numbers may be corrected by hand; corners set by hand win over those found: `ghostball calibrate --corners`.\n\
         {text}"
    ))
}

/// With as many digits as mean something: thousandths of a pixel, micrometres.
fn rounded(calibration: &Calibration) -> Calibration {
    let milli = |value: f64| (value * 1e3).round() / 1e3;
    let micro = |value: f64| (value * 1e6).round() / 1e6;
    let mut calibration = calibration.clone();
    let Calibration {
        table,
        image,
        lens,
        cloth,
        errors,
        ..
    } = &mut calibration;
    table.ball_radius = micro(table.ball_radius);
    table.nose_height = micro(table.nose_height);
    image.corners = image.corners.map(|corner| corner.map(milli));
    image.pockets = image.pockets.map(|pocket| pocket.map(milli));
    image.ball_radius_px = milli(image.ball_radius_px);
    image.confidence = milli(image.confidence);
    lens.focal_px = milli(lens.focal_px);
    lens.center = lens.center.map(milli);
    lens.radial = lens.radial.map(micro);
    cloth.color = cloth.color.map(|value| (value * 10.0).round() / 10.0);
    cloth.spread = cloth.spread.map(|value| (value * 10.0).round() / 10.0);
    for error in [
        &mut errors.nose_px,
        &mut errors.nose_mm,
        &mut errors.place_mm,
        &mut errors.focal_percent,
    ] {
        *error = milli(*error);
    }
    calibration
}
