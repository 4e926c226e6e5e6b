//! `ghostball detect`: table, balls and cue stick in pictures.
#![allow(
    clippy::disallowed_methods,
    reason = "the time that detection takes is one of its results"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::calibration_file::CalibrationFileError;
use crate::capture::{CaptureError, read_image};
use crate::cli::{DetectArgs, TableOf};
use crate::config::{Config, ConfigError};
use crate::detection::{Calibration, DetectionError, Detector};
use crate::output::{Output, OutputError};
use crate::rows::{DetectRow, DetectRows, SightingRow, StickSightingRow, TableRow, milli};
use crate::world::{Frame, Sightings, TableGeometry, TableSighting, TableSpecification};

/// How the pictures went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detected {
    /// All were looked at.
    All,
    /// Some could not be; each was reported.
    WithFailures,
}

/// Why nothing was looked at, or nothing could be told.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The calibration cannot be read.
    #[error(transparent)]
    Calibration(#[from] CalibrationFileError),
    /// The results cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Why one picture could not be looked at.
#[derive(Debug, thiserror::Error)]
enum PictureFailure {
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error("{name}: {source}")]
    Detection { name: String, source: DetectionError },
    #[error("{name}: {source}")]
    Calibration {
        name: String,
        source: CalibrationFileError,
    },
    #[error(
        "{name}: with --table same every picture has the size of the first, {}x{} pixels; found {}x{}",
        expected[0], expected[1], found[0], found[1]
    )]
    OtherSize {
        name: String,
        expected: [u32; 2],
        found: [u32; 2],
    },
}

/// Looks at every picture and prints what it found. A picture that cannot be read does not stop the others.
pub fn detect(args: &DetectArgs) -> Result<Detected, DetectError> {
    let config = Config::load(args.config.as_deref(), std::env::vars_os())?
        .with_calibration(args.calibration.as_deref())?;
    let sized = args.table_size.map(|size| TableSpecification {
        length: size.length,
        width: size.width,
        ..config.specification()
    });
    let calibrated = config.calibration.as_ref().map(|_| config.specification());
    let specification = sized.or(calibrated);
    let mut detector = Detector::new(config.table.ball_set);
    if let Some(known) = &specification {
        detector.set_width_by_length(known.width / known.length);
        detector.set_ball_by_length(known.ball_radius.map(|radius| radius / known.length));
    }
    let mut look = Look {
        detector,
        frame: Frame::default(),
        sightings: Sightings::default(),
        specification,
        table_of: args.table,
        calibration: args
            .calibration
            .as_deref()
            .zip(config.calibration.as_ref().map(|file| &file.camera)),
        first_table: None,
    };
    let mut rows = DetectRows::new();
    let mut outcome = Detected::All;
    for path in &args.images {
        match look.at(path) {
            Ok(row) => {
                rows.insert(path.display().to_string(), row);
            }
            Err(failure) => {
                tracing::error!("{failure}");
                outcome = Detected::WithFailures;
            }
        }
    }
    let mut output = Output::create(Path::new("-"))?;
    if args.json {
        output.write_line(&rows)?;
    } else {
        output.write_text(&for_people(&rows))?;
    }
    output.finish()?;
    Ok(outcome)
}

/// What is kept from picture to picture: buffers, and the table when the camera stands still.
struct Look<'a> {
    detector: Detector,
    frame: Frame,
    sightings: Sightings,
    specification: Option<TableSpecification>,
    table_of: TableOf,
    /// The table where it was calibrated, and the file that says so.
    calibration: Option<(&'a Path, &'a Calibration)>,
    /// Size of the first picture, and the table in it, if it shows one.
    first_table: Option<([u32; 2], Option<TableSighting>)>,
}

impl Look<'_> {
    fn at(&mut self, path: &Path) -> Result<DetectRow, PictureFailure> {
        let name = path.display().to_string();
        read_image(path, &mut self.frame)?;
        let picture = &self.frame.picture;
        let in_detection = |source| PictureFailure::Detection {
            name: name.clone(),
            source,
        };

        let began = Instant::now();
        let size = [picture.width(), picture.height()];
        let known = self.calibration.map(|(file, calibration)| {
            let unusable = |source| PictureFailure::Calibration {
                name: name.clone(),
                source: CalibrationFileError::unusable(file, source),
            };
            calibration.sighting_in(size).map_err(unusable)
        });
        let table = match (self.table_of, self.first_table) {
            _ if known.is_some() => known.transpose()?,
            (TableOf::Same, Some((expected, table))) if expected == size => table,
            (TableOf::Same, Some((expected, _))) => {
                return Err(PictureFailure::OtherSize {
                    name,
                    expected,
                    found: size,
                });
            }
            _ => match self.detector.find_table(picture) {
                Ok(table) => Some(table),
                Err(DetectionError::TableNotFound(why)) => {
                    tracing::warn!("{name}: no table: {why}");
                    None
                }
                Err(error) => return Err(in_detection(error)),
            },
        };
        if let Some(table) = &table {
            self.detector.know_table(picture, table).map_err(in_detection)?;
        }
        let table_ms = milliseconds_since(began);
        self.first_table = self.first_table.or(Some((size, table)));

        let began = Instant::now();
        self.sightings.balls.clear();
        self.sightings.cue = None;
        if let Some(table) = &table {
            self.detector
                .see_balls_and_cue(picture, table, &mut self.sightings)
                .map_err(in_detection)?;
        }
        let ms = milliseconds_since(began);

        let geometry = match (&table, &self.specification) {
            (Some(table), Some(specification)) => Some(
                TableGeometry::from_sighting(table, specification)
                    .map_err(|error| in_detection(error.into()))?,
            ),
            _ => None,
        };
        let position = |center| geometry.map(|geometry| geometry.table_from_image.apply(center));
        Ok(DetectRow {
            size,
            table: table.as_ref().map(TableRow::from),
            balls: self
                .sightings
                .balls
                .iter()
                .map(|ball| SightingRow::new(ball, position(ball.circle.center)))
                .collect(),
            cue: self.sightings.cue.as_ref().map(StickSightingRow::from),
            ms,
            table_ms,
        })
    }
}

fn milliseconds_since(began: Instant) -> f64 {
    milli(began.elapsed().as_secs_f64() * 1e3)
}

fn for_people(rows: &DetectRows) -> String {
    let mut text = String::new();
    for (name, row) in rows {
        let [width, height] = row.size;
        let table = if row.table.is_some() { "table" } else { "no table" };
        let cue = if row.cue.is_some() {
            "cue stick"
        } else {
            "no cue stick"
        };
        let (balls, ms) = (row.balls.len(), row.ms + row.table_ms);
        // Writing to a string cannot fail.
        writeln!(
            text,
            "{name}  {width}x{height}  {table}, {balls} balls, {cue}  {ms:.1} ms"
        )
        .ok();
        for ball in &row.balls {
            writeln!(text, "  {ball}").ok();
        }
    }
    text
}
