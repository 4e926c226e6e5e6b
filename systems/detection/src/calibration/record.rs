//! A calibration as it is kept, and laid over pictures again.

use bevy_ecs::resource::Resource;
use ghostball_world::{CircleInImage, Lens, TableGeometry, TableSighting, TableSpecification};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::quad::Quad;

/// What is known of one camera over one table. As a resource: the table is known from the first frame on.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Version of this format: [`Calibration::VERSION`].
    pub version: u32,
    /// The pictures it was made from.
    pub picture: PictureRecord,
    /// The table.
    pub table: TableRecord,
    /// Where the table is in the pictures.
    pub image: TableInImage,
    /// The lens.
    pub lens: LensRecord,
    /// The cloth, as the pictures show it.
    pub cloth: ClothInImage,
    /// How exact all that is.
    pub errors: CalibrationErrors,
}

/// Size of the pictures, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureRecord {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The table's sizes, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRecord {
    /// Between the noses along the long axis.
    pub length: f64,
    /// Between the noses along the short axis.
    pub width: f64,
    /// Radius of a ball.
    pub ball_radius: f64,
    /// Height of the noses above the cloth.
    pub nose_height: f64,
}

/// Where the table is in the pictures, pixels; (0, 0) is the centre of the top-left pixel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableInImage {
    /// Where the cushion noses meet, TL TR BR BL.
    pub corners: [[f64; 2]; 4],
    /// Whether they were set by hand.
    pub corners_by_hand: bool,
    /// Pockets, x, y and radius: TL TM TR BR BM BL.
    pub pockets: [[f64; 3]; 6],
    /// Apparent radius of a ball at the middle of the table.
    pub ball_radius_px: f64,
    /// How sure it is that this is a table, 0 to 1.
    pub confidence: f64,
}

/// The lens: see [`Lens`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensRecord {
    /// Focal length, pixels.
    pub focal_px: f64,
    /// Where the optical axis meets the picture.
    pub center: [f64; 2],
    /// k1 and k2, as OpenCV has them.
    pub radial: [f64; 2],
}

/// The cloth's colour in the picture's own values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClothInImage {
    /// Y, Cb, Cr, 0 to 255.
    pub color: [f32; 3],
    /// Standard deviation of each.
    pub spread: [f32; 3],
}

/// How exact a calibration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationErrors {
    /// Frames in which the table was found.
    pub frames: u32,
    /// How far the noses lie off the sides of the table as calibrated, root mean square, pixels.
    pub nose_px: f64,
    /// The same in millimetres.
    pub nose_mm: f64,
    /// Standard deviation of a ball's place for what is left unknown of the camera, millimetres.
    pub place_mm: f64,
    /// Standard deviation of the focal length, percent.
    pub focal_percent: f64,
}

/// Why a calibration cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Written by another version of the program.
    #[error(
        "a calibration of version {expected} was expected, found version {found}; run `ghostball calibrate` again"
    )]
    Version {
        /// The version that is understood.
        expected: u32,
        /// The one found.
        found: u32,
    },
    /// A value is out of range.
    #[error("{key}: expected {expected}, found {found}")]
    OutOfRange {
        /// Which.
        key: &'static str,
        /// What it can be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The pictures have other proportions than those it was made from.
    #[error(
        "it was made from pictures of {}x{} pixels, and these have {}x{}: pictures of the same proportions were expected; \
         run `ghostball calibrate` with this source",
        expected[0], expected[1], found[0], found[1]
    )]
    OtherProportions {
        /// Size of the pictures it was made from.
        expected: [u32; 2],
        /// Size of the picture.
        found: [u32; 2],
    },
}

/// A corner or pocket of a table that is worth anything is not farther from the picture's corner than so many of its longer
/// sides.
const FARTHEST: f64 = 3.0;

impl Calibration {
    /// The version of the format that is written and read.
    pub const VERSION: u32 = 1;

    /// Whether it makes sense.
    pub fn check(&self) -> Result<(), CalibrationError> {
        if self.version != Self::VERSION {
            return Err(CalibrationError::Version {
                expected: Self::VERSION,
                found: self.version,
            });
        }
        let within = |key, value: f64, range: std::ops::RangeInclusive<f64>, expected| {
            // NaN is in no range.
            if range.contains(&value) {
                Ok(())
            } else {
                let found = value.to_string();
                Err(CalibrationError::OutOfRange { key, expected, found })
            }
        };
        let (table, lens) = (&self.table, &self.lens);
        let longest = f64::from(self.picture.width.max(self.picture.height));
        within(
            "picture.width",
            f64::from(self.picture.width),
            1.0..=32768.0,
            "1 to 32768",
        )?;
        within(
            "picture.height",
            f64::from(self.picture.height),
            1.0..=32768.0,
            "1 to 32768",
        )?;
        within("table.length", table.length, 0.3..=10.0, "0.3 to 10 metres")?;
        within(
            "table.width",
            table.width,
            0.3..=table.length,
            "0.3 metres to the length",
        )?;
        within(
            "table.ball_radius",
            table.ball_radius,
            0.01..=0.1,
            "0.01 to 0.1 metres",
        )?;
        within(
            "table.nose_height",
            table.nose_height,
            0.0..=0.2,
            "0 to 0.2 metres",
        )?;
        within(
            "image.ball_radius_px",
            self.image.ball_radius_px,
            0.5..=longest,
            "half a pixel to the picture's size",
        )?;
        within(
            "lens.focal_px",
            lens.focal_px,
            0.1 * longest..=100.0 * longest,
            "0.1 to 100 times the picture's longer side",
        )?;
        for value in lens.center {
            within(
                "lens.center",
                value,
                -longest..=2.0 * longest,
                "a place in or near the picture",
            )?;
        }
        for value in lens.radial {
            within("lens.radial", value, -1.0..=1.0, "-1 to 1")?;
        }
        within("image.confidence", self.image.confidence, 0.0..=1.0, "0 to 1")?;
        let [width, height] = self.size();
        let table = self.scaled(1.0);
        let is_near = |place: DVec2| place.abs().max_element() <= FARTHEST * longest;
        let is_pocket =
            |pocket: &CircleInImage| is_near(pocket.center) && (0.0..=longest).contains(&pocket.radius);
        if !table.pockets_in_image.iter().all(is_pocket) {
            return Err(CalibrationError::OutOfRange {
                key: "image.pockets",
                expected: "six circles in or near the picture, x y radius",
                found: format!("{:?} in a picture of {width}x{height}", self.image.pockets),
            });
        }
        let is_table = table.corners_in_image.into_iter().all(is_near)
            && Quad::new(table.corners_in_image).is_clockwise()
            && TableGeometry::from_sighting(&table, &self.specification(&TableSpecification::default()))
                .is_ok();
        if !is_table {
            return Err(CalibrationError::OutOfRange {
                key: "image.corners",
                expected: "four corners TL TR BR BL in or near the picture, clockwise, no three on a line",
                found: format!("{:?} in a picture of {width}x{height}", self.image.corners),
            });
        }
        Ok(())
    }

    /// Width and height of the pictures it was made from.
    pub fn size(&self) -> [u32; 2] {
        [self.picture.width, self.picture.height]
    }

    /// The table in pictures of this size; they need the same proportions.
    pub fn sighting_in(&self, size: [u32; 2]) -> Result<TableSighting, CalibrationError> {
        let expected = self.size();
        let [scale_x, scale_y] = [0, 1].map(|i| f64::from(size[i]) / f64::from(expected[i].max(1)));
        // Sizes are whole numbers: 640x359 is 1280x718.
        let rest = (scale_x / scale_y - 1.0).abs() * f64::from(size[0].min(size[1]));
        if rest.is_nan() || rest > 1.0 {
            return Err(CalibrationError::OtherProportions {
                expected,
                found: size,
            });
        }
        Ok(self.scaled(scale_x))
    }

    /// The table as `base` has it, but for the sizes that were calibrated.
    pub fn specification(&self, base: &TableSpecification) -> TableSpecification {
        TableSpecification {
            length: self.table.length,
            width: self.table.width,
            ball_radius: Some(self.table.ball_radius),
            nose_height: Some(self.table.nose_height),
            ..*base
        }
    }

    fn scaled(&self, scale: f64) -> TableSighting {
        let half = DVec2::splat(0.5);
        let place = |x: f64, y: f64| scale * (DVec2::new(x, y) + half) - half;
        let lens = Lens {
            focal_px: self.lens.focal_px,
            center_in_image: DVec2::from(self.lens.center),
            radial: self.lens.radial,
        };
        TableSighting {
            corners_in_image: self.image.corners.map(|[x, y]| place(x, y)),
            pockets_in_image: self.image.pockets.map(|[x, y, radius]| CircleInImage {
                center: place(x, y),
                radius: scale * radius,
            }),
            ball_radius_px: scale * self.image.ball_radius_px,
            lens: Some(lens.scaled(scale)),
            confidence: self.image.confidence,
        }
    }
}
