//! Calibration from many frames.

use ghostball_world::{Picture, Sightings, TableFromImage, TableGeometry, TableSighting, TableSpecification};
use glam::DVec2;

use super::record::{
    Calibration, CalibrationErrors, ClothInImage, LensRecord, PictureRecord, TableInImage, TableRecord,
};
use super::{Calibrated, LensBelief, SeenOutline, SeenTable, calibrate};
use crate::balls::ellipse::Ellipse;
use crate::detector::Detector;
use crate::error::DetectionError;
use crate::median::median;
use crate::watch::median_of;

/// Stretches of a side whose places are gathered: twice as many as count on their own.
const STRETCHES: usize = 2 * super::STRETCHES;
/// A stretch has to be seen in this share of the frames: hands and arms move on.
const LEAST_SEEN: f64 = 0.25;
/// Frames before the scatter between them says anything.
const LEAST_FRAMES: usize = 15;
/// Standard error of a corner from which more frames are of no use, pixels: far below what cushions bend.
const SETTLED_PX: f64 = 0.05;

/// Confidence of balls whose outlines count.
const SURE_OF_BALL: f32 = 0.7;
/// Places at which balls were seen; more are not kept.
const MOST_BALLS: usize = 400;
/// Standard deviation of one ball's stretch: shadows hide a part of its rim, as large as the lamps make it.
const STRETCH_SPREAD: f64 = 0.04;
/// So many balls at most count on their own: lamps and cloth are the same for all.
const LAMPS_APART: f64 = 8.0;
/// The ball finder draws what it sees of an outline to what is usual: to this stretch, by this share of the way, with rims
/// seen as they mostly are.
const USUAL_STRETCH: f64 = 0.04;
const DRAWN: f64 = 0.25;

/// Gathers what frames of one camera show of one table, and calibrates from all together.
///
/// Places are medians over the frames: who walks through the picture does not move them.
#[derive(Clone, Debug)]
pub struct Calibrator {
    detector: Detector,
    specification: TableSpecification,
    corners_by_hand: Option<[DVec2; 4]>,
    size: [u32; 2],
    sightings: Vec<TableSighting>,
    noses: [Vec<Vec<DVec2>>; 4],
    seen: Sightings,
    /// Where balls were seen, and how stretched in each frame.
    balls: Vec<(DVec2, Vec<f64>)>,
}

impl Calibrator {
    /// For a table of these sizes; `ball_radius` and `nose_height` are filled in where they are not known.
    pub fn new(specification: TableSpecification) -> Self {
        let mut detector = Detector::new(specification.ball_set);
        detector.set_width_by_length(specification.width / specification.length);
        detector.set_ball_by_length(
            specification
                .ball_radius
                .map(|radius| radius / specification.length),
        );
        Self {
            detector,
            specification,
            corners_by_hand: None,
            size: [0; 2],
            sightings: Vec::new(),
            noses: Default::default(),
            seen: Sightings::default(),
            balls: Vec::new(),
        }
    }

    /// Where the corners of the noses are, TL TR BR BL, pixels: they are not looked for. The noses next to them still
    /// tell the lens.
    pub fn with_corners(self, corners_in_image: [DVec2; 4]) -> Self {
        Self {
            corners_by_hand: Some(corners_in_image),
            ..self
        }
    }

    /// Takes in one more frame. Pictures of another size begin anew.
    pub fn look(&mut self, picture: &Picture) -> Result<(), DetectionError> {
        let size = [picture.width(), picture.height()];
        if size != self.size {
            self.size = size;
            self.sightings.clear();
            self.noses = Default::default();
            self.balls.clear();
        }
        let sighting = match self.corners_by_hand {
            Some(corners) => self.detector.place_table(picture, corners)?,
            None => self.detector.find_table(picture)?,
        };
        let first = self.sightings.first().unwrap_or(&sighting).corners_in_image;
        for (i, points) in self.detector.nose_points().into_iter().enumerate() {
            let (from, side) = (first[i], first[(i + 1) % 4] - first[i]);
            self.noses[i].resize(STRETCHES, Vec::new());
            let stretch = |point: &DVec2| {
                let along = (*point - from).dot(side) / side.length_squared();
                (along.clamp(0.0, 0.999_999) * STRETCHES as f64) as usize
            };
            for run in points.chunk_by(|a, b| stretch(a) == stretch(b)) {
                let Some(seen) = run
                    .first()
                    .and_then(|point| self.noses[i].get_mut(stretch(point)))
                else {
                    continue;
                };
                seen.push(run.iter().copied().sum::<DVec2>() / run.len() as f64);
            }
        }
        self.sightings.push(sighting);
        self.look_at_balls(picture)
    }

    fn look_at_balls(&mut self, picture: &Picture) -> Result<(), DetectionError> {
        // Always on the first table: what is made for a table takes longer than seeing the balls.
        let Some(table) = self.sightings.first() else {
            return Ok(());
        };
        self.detector.see_balls_and_cue(picture, table, &mut self.seen)?;
        for (outline, confidence) in self.detector.outlines() {
            if confidence < SURE_OF_BALL {
                continue;
            }
            let is_same =
                |(place, _): &(DVec2, Vec<f64>)| place.distance(outline.center) < 0.5 * outline.radius;
            match self.balls.iter().position(is_same) {
                Some(known) => self.balls[known].1.push(stretch_of(outline)),
                None if self.balls.len() < MOST_BALLS => {
                    self.balls.push((outline.center, vec![stretch_of(outline)]));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// One outline for each place at which a ball was seen.
    fn outlines(&self) -> Vec<SeenOutline> {
        let spread = STRETCH_SPREAD * (self.balls.len() as f64 / LAMPS_APART).max(1.0).sqrt();
        let outline = |(center, stretches): &(DVec2, Vec<f64>)| SeenOutline {
            center_in_image: *center,
            stretch: median(&mut stretches.clone()),
            spread,
        };
        self.balls.iter().map(outline).collect()
    }

    /// Frames in which the table was found.
    pub fn frames(&self) -> usize {
        self.sightings.len()
    }

    /// Whether more frames would change nothing.
    pub fn is_settled(&self) -> bool {
        let count = self.sightings.len();
        if count < LEAST_FRAMES {
            return false;
        }
        let error = |value: &dyn Fn(&TableSighting) -> f64| {
            let mut values: Vec<f64> = self.sightings.iter().map(value).collect();
            let middle = median(&mut values);
            values
                .iter_mut()
                .for_each(|value| *value = (*value - middle).abs());
            1.4826 * median(&mut values) / (count as f64).sqrt()
        };
        (0..4).all(|i| {
            error(&|s| s.corners_in_image[i].x) < SETTLED_PX
                && error(&|s| s.corners_in_image[i].y) < SETTLED_PX
        })
    }

    /// The calibration from all frames; `None` where no table was found.
    pub fn finish(&self) -> Option<Calibration> {
        self.sightings.first()?;
        let median = median_of(&self.sightings);
        let corners_in_image = self.corners_by_hand.unwrap_or(median.corners_in_image);
        let least = (LEAST_SEEN * self.sightings.len() as f64).max(1.0) as usize;
        let noses = self.noses.each_ref().map(|side| {
            side.iter()
                .filter(|seen| seen.len() >= least)
                .map(|seen| median_place(seen))
                .collect::<Vec<_>>()
        });
        let seen = SeenTable {
            corners_in_image,
            noses_in_image: noses.each_ref().map(Vec::as_slice),
            balls: &self.outlines(),
            width_by_length: self.specification.width / self.specification.length,
        };
        let calibrated = calibrate(&seen, &LensBelief::usual(self.size))?;
        let table = TableSighting {
            corners_in_image: self.corners_by_hand.unwrap_or(calibrated.corners_in_image),
            lens: Some(calibrated.lens),
            ..median
        };
        let geometry = TableGeometry::from_sighting(&table, &self.specification).ok()?;
        Some(self.record(&calibrated, &table, &geometry))
    }

    fn record(
        &self,
        calibrated: &Calibrated,
        table: &TableSighting,
        geometry: &TableGeometry,
    ) -> Calibration {
        let middle = 0.25 * table.corners_in_image.iter().copied().sum::<DVec2>();
        let mm_per_px = 1e3 * TableFromImage::new(geometry.noses_in_view).scale_at(middle);
        let below = (geometry.nose_height - geometry.ball_radius) / geometry.length;
        let cloth = self.detector.cloth_of_table();
        Calibration {
            version: Calibration::VERSION,
            picture: PictureRecord {
                width: self.size[0],
                height: self.size[1],
            },
            table: TableRecord {
                length: geometry.length,
                width: geometry.width,
                ball_radius: geometry.ball_radius,
                nose_height: geometry.nose_height,
            },
            image: TableInImage {
                corners: table.corners_in_image.map(|corner| corner.to_array()),
                corners_by_hand: self.corners_by_hand.is_some(),
                pockets: table
                    .pockets_in_image
                    .map(|pocket| [pocket.center.x, pocket.center.y, pocket.radius]),
                ball_radius_px: table.ball_radius_px,
                confidence: table.confidence,
            },
            lens: LensRecord {
                focal_px: calibrated.lens.focal_px,
                center: calibrated.lens.center_in_image.to_array(),
                radial: calibrated.lens.radial,
            },
            cloth: ClothInImage {
                color: cloth.color,
                spread: cloth.spread,
            },
            errors: CalibrationErrors {
                frames: self.sightings.len() as u32,
                nose_px: calibrated.nose_error_px,
                nose_mm: mm_per_px * calibrated.nose_error_px,
                place_mm: 1e3 * geometry.length * calibrated.place_spread(below),
                focal_percent: 100.0 * calibrated.focal_spread,
            },
        }
    }
}

/// Half axis towards the picture's middle by that across, without what draws it to the usual.
fn stretch_of(outline: &Ellipse) -> f64 {
    let share = outline.elongation / outline.radius.max(1e-6);
    let seen = (1.0 + share) / (1.0 - share);
    let usual = 1.0 + USUAL_STRETCH;
    usual + (seen - usual) / (1.0 - DRAWN)
}

fn median_place(places: &[DVec2]) -> DVec2 {
    let coordinate = |of: fn(&DVec2) -> f64| median(&mut places.iter().map(of).collect::<Vec<_>>());
    DVec2::new(coordinate(|p| p.x), coordinate(|p| p.y))
}
