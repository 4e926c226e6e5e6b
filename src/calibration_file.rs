//! Calibrations as files: TOML that a person can read and correct.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::detection::{Calibration, CalibrationError};
use crate::trajectory::laws::{FittedLaws, Laws};

/// What a calibration file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationFile {
    /// The camera over the table.
    pub camera: Calibration,
    /// Friction and cushions, where they were fitted.
    pub physics: Option<PhysicsRecord>,
}

/// Friction and cushions of a table, and how well they tell what its balls did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhysicsRecord {
    /// Coefficient of rolling friction.
    pub rolling_friction: f64,
    /// Coefficient of sliding friction.
    pub sliding_friction: f64,
    /// Share of the normal speed that a cushion gives back.
    pub cushion_restitution: f64,
    /// Coefficient of friction between ball and cushion.
    pub cushion_friction: f64,
    /// Shots they were fitted to.
    pub shots: u32,
    /// Median distance between where balls came to and where they were expected, from the first half of their way, with the
    /// usual friction and cushions, millimetres.
    pub error_before_mm: f64,
    /// The same with these.
    pub error_after_mm: f64,
}

impl From<&FittedLaws> for PhysicsRecord {
    fn from(fitted: &FittedLaws) -> Self {
        let rounded = |value: f64, parts: f64| (value * parts).round() / parts;
        Self {
            rolling_friction: rounded(fitted.laws.rolling_friction, 1e5),
            sliding_friction: rounded(fitted.laws.sliding_friction, 1e4),
            cushion_restitution: rounded(fitted.laws.cushion_restitution, 1e4),
            cushion_friction: rounded(fitted.laws.cushion_friction, 1e4),
            shots: u32::try_from(fitted.shots).unwrap_or(u32::MAX),
            error_before_mm: rounded(1e3 * fitted.error_before, 1e2),
            error_after_mm: rounded(1e3 * fitted.error_after.min(fitted.error_before), 1e2),
        }
    }
}

impl PhysicsRecord {
    /// As prediction wants them.
    pub fn laws(&self) -> Laws {
        Laws {
            rolling_friction: self.rolling_friction,
            sliding_friction: self.sliding_friction,
            cushion_restitution: self.cushion_restitution,
            cushion_friction: self.cushion_friction,
        }
    }
}

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
    /// A number of its physics that no table has.
    #[error("calibration {}: physics.{key}: expected {} to {}, found {found}", path.display(), expected[0], expected[1])]
    NoTable {
        /// The file.
        path: PathBuf,
        /// Which.
        key: &'static str,
        /// Least and most that it can be.
        expected: [f64; 2],
        /// What it is.
        found: f64,
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
pub fn read(path: &Path) -> Result<CalibrationFile, CalibrationFileError> {
    from_text(path, &read_text(path)?)
}

/// Reads a calibration as it is written.
pub fn read_text(path: &Path) -> Result<String, CalibrationFileError> {
    std::fs::read_to_string(path).map_err(|source| CalibrationFileError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// Checks a calibration; `path` says where its text was found.
pub fn from_text(path: &Path, text: &str) -> Result<CalibrationFile, CalibrationFileError> {
    let (camera_text, physics_text) = apart(text);
    let camera: Calibration = parse(path, &camera_text)?;
    camera
        .check()
        .map_err(|source| CalibrationFileError::unusable(path, source))?;
    let physics = parse::<PhysicsOnly>(path, &physics_text)?.physics;
    if let Some((key, expected, found)) = physics.and_then(|physics| physics.laws().out_of_range()) {
        return Err(CalibrationFileError::NoTable {
            path: path.to_owned(),
            key,
            expected,
            found,
        });
    }
    Ok(CalibrationFile { camera, physics })
}

#[derive(Serialize, Deserialize)]
struct PhysicsOnly {
    #[serde(skip_serializing_if = "Option::is_none")]
    physics: Option<PhysicsRecord>,
}

/// The file without its section `[physics]`, which is no business of the camera's, and that section alone; lines keep their
/// numbers in both.
fn apart(text: &str) -> (String, String) {
    let (mut camera, mut physics) = (String::new(), String::new());
    let mut is_physics = false;
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            is_physics = line.trim().starts_with("[physics]");
        }
        let to = if is_physics { &mut physics } else { &mut camera };
        to.push_str(line);
        camera.push('\n');
        physics.push('\n');
    }
    (camera, physics)
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, CalibrationFileError> {
    toml::from_str(text).map_err(|error| CalibrationFileError::Malformed {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| {
            1 + text[..span.start.min(text.len())].matches('\n').count()
        }),
        message: error.message().replace('\n', " "),
    })
}

/// What a section is, before its heading.
const SECTIONS: [(&str, &str); 7] = [
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
    (
        "physics",
        "Friction of the cloth and the cushions, fitted to recorded shots. error: median, from where balls were expected, by the \
         first\n# half of their way, to where they came, with the usual friction and cushions and with these, millimetres.",
    ),
];

/// The text of the file.
pub fn to_text(file: &CalibrationFile) -> Result<String, toml::ser::Error> {
    let mut text = toml::to_string(&rounded(&file.camera))?;
    if file.physics.is_some() {
        text.push('\n');
        text.push_str(&toml::to_string(&PhysicsOnly {
            physics: file.physics,
        })?);
    }
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
