//! Everything that is done to one frame, without an app around it.

use ghostball_world::{BallSet, Lens, Picture, Planes, Sightings, TableSighting};
use glam::DVec2;

use crate::balls::BallFinder;
use crate::balls::ellipse::Ellipse;
use crate::calibration::{LensBelief, SeenTable, calibrate};
use crate::cloth::ClothModel;
use crate::cue::{CueFinder, CueScene};
use crate::error::DetectionError;
use crate::memory::{DetectorMemory, KnownTable};
use crate::quad::Quad;
use crate::table::TableFinder;

/// Finds table, balls and cue stick in frames of any pixel format. Remembers cloth, light and game of its table, and no
/// balls.
///
/// Finding the table and seeing what is on it are apart: a table is found now and then, balls in every frame.
#[derive(Clone, Debug)]
pub struct Detector {
    ball_set: BallSet,
    width_by_length: f64,
    lens: Option<Lens>,
    tables: TableFinder,
    cloth: ClothModel,
    balls: Option<BallsOfTable>,
    cues: CueFinder,
    converted: Picture,
    /// What was seen when the table became known.
    first_look: Sightings,
}

/// Balls first: what is a ball's is no stick's. Then the stick: what glints on it is no ball.
fn look(
    balls: &mut BallsOfTable,
    cues: &mut CueFinder,
    planes: &Planes,
    cloth: &ClothModel,
    sightings: &mut Sightings,
) {
    balls.finder.find_nameless(planes, cloth, &mut sightings.balls);
    let (work, edges) = balls.finder.edges();
    sightings.cue = cues.find(&CueScene {
        planes,
        table: &balls.table,
        cloth,
        work,
        edges,
        balls: &sightings.balls,
    });
    let cue = sightings.cue.as_ref();
    balls.finder.complete(planes, cloth, cue, &mut sightings.balls);
}

/// The ball finder is made for one table in pictures of one size.
#[derive(Clone, Debug)]
struct BallsOfTable {
    table: TableSighting,
    size: [u32; 2],
    finder: BallFinder,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new(BallSet::default())
    }
}

impl Detector {
    /// For games with this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        Self {
            ball_set,
            width_by_length: 0.5,
            lens: None,
            tables: TableFinder::new(),
            cloth: ClothModel::new(),
            balls: None,
            cues: CueFinder::new(),
            converted: Picture::default(),
            first_look: Sightings::default(),
        }
    }

    /// What it remembers of the frames so far; the rest is made from that, or anew in every frame.
    pub(crate) fn memory(&self) -> DetectorMemory {
        DetectorMemory {
            ball_set: self.ball_set,
            lens: self.lens,
            cloth: self.cloth.without_buffers(),
            known: self.balls.as_ref().map(|balls| KnownTable {
                table: balls.table,
                size: balls.size,
                learnt: balls.finder.learnt(),
            }),
        }
    }

    /// Goes on from a memory.
    pub(crate) fn with_memory(memory: DetectorMemory) -> Self {
        let ball_set = memory.ball_set;
        Self {
            lens: memory.lens,
            cloth: memory.cloth,
            balls: memory
                .known
                .map(|KnownTable { table, size, learnt }| BallsOfTable {
                    table,
                    size,
                    finder: BallFinder::new(&table, size, ball_set).with_learnt(learnt),
                }),
            ..Self::new(ball_set)
        }
    }

    /// Tells the radius of a ball by the table's length, where both are known: it is then not measured.
    pub fn set_ball_by_length(&mut self, ball_by_length: Option<f64>) {
        self.tables.set_ball_by_length(ball_by_length);
    }

    /// Tells the width of the playing surface by its length, where it is not the usual half.
    pub fn set_width_by_length(&mut self, width_by_length: f64) {
        self.width_by_length = width_by_length;
    }

    /// The lens, where it was told.
    pub fn lens(&self) -> Option<Lens> {
        self.lens
    }

    /// Tells the lens, where it was calibrated: it is then not measured.
    pub fn set_lens(&mut self, lens: Option<Lens>) {
        self.lens = lens;
    }

    /// Finds the table in a frame with no help.
    pub fn find_table(&mut self, picture: &Picture) -> Result<TableSighting, DetectionError> {
        let planes = planes_of(picture, &mut self.converted)?;
        let mut table = self.tables.find(&planes)?;
        let belief = belief_in(self.lens, picture);
        see_through_lens(&mut table, &self.tables, self.width_by_length, &belief);
        self.tables.find_pockets(&planes, &mut table);
        table.ball_radius_px = self.tables.measure_ball(&planes, &table);
        self.tables.place_pockets(&mut table);
        Ok(table)
    }

    /// The table whose corners were set by hand, TL TR BR BL, pixels. The noses next to them tell the lens.
    pub fn place_table(
        &mut self,
        picture: &Picture,
        corners_in_image: [DVec2; 4],
    ) -> Result<TableSighting, DetectionError> {
        if !Quad::new(corners_in_image).is_clockwise() {
            let found = corners_in_image.map(<[f64; 2]>::from);
            return Err(DetectionError::NoCorners { found });
        }
        let planes = planes_of(picture, &mut self.converted)?;
        let mut table = self.tables.around(&planes, corners_in_image)?;
        let belief = belief_in(self.lens, picture);
        see_through_lens(&mut table, &self.tables, self.width_by_length, &belief);
        table.corners_in_image = corners_in_image;
        self.tables.find_pockets(&planes, &mut table);
        table.ball_radius_px = self.tables.measure_ball(&planes, &table);
        self.tables.place_pockets(&mut table);
        Ok(table)
    }

    /// Gets ready for seeing what is on this table in pictures of this size: learns its cloth from the picture, makes all
    /// that depends on where the table lies, and learns light and game from the balls on it. Light and game stay known
    /// where the table is the one known before, found a little elsewhere. Work of calibration, it takes as long as a few
    /// frames.
    pub fn know_table(&mut self, picture: &Picture, table: &TableSighting) -> Result<(), DetectionError> {
        let planes = planes_of(picture, &mut self.converted)?;
        let size = [picture.width(), picture.height()];
        self.cloth.learn(&planes, &table.corners_in_image);
        let finder = BallFinder::new(table, size, self.ball_set);
        let finder = match self.balls.take() {
            Some(before) if before.size == size && is_same(&before.table, table) => {
                finder.with_names_of(before.finder)
            }
            _ => finder,
        };
        let balls = self.balls.insert(BallsOfTable {
            table: *table,
            size,
            finder,
        });
        look(balls, &mut self.cues, &planes, &self.cloth, &mut self.first_look);
        Ok(())
    }

    /// Replaces `sightings` by the balls and the cue stick on a table; where it is not known yet, [`Detector::know_table`]
    /// comes first. The cloth is followed from picture to picture as light changes.
    pub fn see_balls_and_cue(
        &mut self,
        picture: &Picture,
        table: &TableSighting,
        sightings: &mut Sightings,
    ) -> Result<(), DetectionError> {
        sightings.balls.clear();
        sightings.cue = None;
        let size = [picture.width(), picture.height()];
        let is_known = |balls: &BallsOfTable| balls.table == *table && balls.size == size;
        if !self.balls.as_ref().is_some_and(is_known) {
            self.know_table(picture, table)?;
        }
        let planes = planes_of(picture, &mut self.converted)?;
        let Some(balls) = &mut self.balls else {
            return Ok(());
        };
        self.cloth.refresh(&planes, &table.corners_in_image);
        look(balls, &mut self.cues, &planes, &self.cloth, sightings);
        Ok(())
    }

    /// Where the cushion noses were seen in the table found last (see [`TableFinder::nose_points`]).
    pub fn nose_points(&self) -> [&[DVec2]; 4] {
        self.tables.nose_points()
    }

    /// The outlines of the balls seen last, each with the confidence that it is a ball.
    pub fn outlines(&self) -> impl Iterator<Item = (&Ellipse, f32)> {
        self.balls.iter().flat_map(|balls| balls.finder.outlines())
    }

    /// What the cloth looked like in the last frame in which balls were looked for.
    pub fn cloth(&self) -> &ClothModel {
        &self.cloth
    }

    /// What the cloth looks like in the picture of the table found last.
    pub fn cloth_of_table(&self) -> &ClothModel {
        self.tables.cloth()
    }
}

/// Whether two sightings are of one table under a camera that stands still: their corners are nearer than a ball.
fn is_same(a: &TableSighting, b: &TableSighting) -> bool {
    let corners = a.corners_in_image.iter().zip(&b.corners_in_image);
    let reach = 2.0 * a.ball_radius_px;
    corners.into_iter().all(|(a, b)| a.distance(*b) < reach)
}

/// What is known of the lens before the noses are seen.
fn belief_in(lens: Option<Lens>, picture: &Picture) -> LensBelief {
    lens.map_or_else(
        || LensBelief::usual([picture.width(), picture.height()]),
        LensBelief::known,
    )
}

/// Adds the lens, and moves the corners to where they are seen through it.
fn see_through_lens(
    table: &mut TableSighting,
    tables: &TableFinder,
    width_by_length: f64,
    belief: &LensBelief,
) {
    table.lens = Some(belief.lens);
    let seen = SeenTable {
        corners_in_image: table.corners_in_image,
        noses_in_image: tables.nose_points(),
        balls: &[],
        width_by_length,
    };
    if let Some(calibrated) = calibrate(&seen, belief) {
        table.lens = Some(calibrated.lens);
        table.corners_in_image = calibrated.corners_in_image;
    }
}

/// The planes of a picture. Only RGB, which no camera delivers, is converted.
fn planes_of<'a>(picture: &'a Picture, converted: &'a mut Picture) -> Result<Planes<'a>, DetectionError> {
    if let Some(planes) = picture.planes() {
        return Ok(planes);
    }
    picture.convert_to_yuv420(converted)?;
    converted.planes().ok_or(DetectionError::EmptyPicture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::{ColorEncoding, PixelFormat};
    use proptest::prelude::*;

    #[test]
    fn no_picture_is_too_small_or_too_plain_to_be_refused_in_words() {
        let mut detector = Detector::new(BallSet::Auto);
        for (width, height) in [
            (1, 1),
            (2, 1),
            (1, 300),
            (96, 96),
            (97, 131),
            (320, 180),
            (640, 96),
        ] {
            for format in [
                PixelFormat::Grey,
                PixelFormat::Nv12,
                PixelFormat::Yuv420,
                PixelFormat::Rgb,
            ] {
                for value in [0, 128, 255] {
                    let count = format.byte_count(width, height).unwrap();
                    let picture = Picture::new(
                        format,
                        width,
                        height,
                        ColorEncoding::default(),
                        vec![value; count],
                    )
                    .unwrap();
                    if let Err(error) = detector.find_table(&picture) {
                        assert!(error.to_string().contains("expected"), "{error}");
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn noise_and_any_table_in_it_are_survived(
            seed in any::<u32>(),
            width in 1_u32..220,
            height in 1_u32..160,
            corners in prop::array::uniform4((-50.0..250.0_f64, -50.0..250.0_f64)),
            ball_radius_px in -1.0..60.0_f64,
        ) {
            let mut state = u64::from(seed) | 1;
            let bytes = (0..PixelFormat::Yuv420.byte_count(width, height).unwrap()).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            });
            let (format, color) = (PixelFormat::Yuv420, ColorEncoding::default());
            let picture = Picture::new(format, width, height, color, bytes.collect()).unwrap();
            let mut detector = Detector::new(BallSet::Auto);
            let found = detector.find_table(&picture);
            prop_assert!(found.is_err() || found.is_ok_and(|t| t.ball_radius_px.is_finite()));
            let table = TableSighting {
                corners_in_image: corners.map(|(x, y)| DVec2::new(x, y)),
                pockets_in_image: Default::default(),
                ball_radius_px,
                lens: None,
                confidence: 1.0,
            };
            detector.see_balls_and_cue(&picture, &table, &mut Sightings::default()).unwrap();
        }
    }
}
