//! Everything that is done to one frame, without an app around it.

use ghostball_world::{BallSet, Picture, Planes, Sightings, TableSighting};

use crate::balls::BallFinder;
use crate::balls::size::measure_ball_radius;
use crate::cloth::ClothModel;
use crate::cue::CueFinder;
use crate::error::DetectionError;
use crate::table::TableFinder;

/// Finds table, balls and cue stick in frames of any pixel format. Holds buffers, and no memory of what it saw.
///
/// Finding the table and seeing what is on it are apart: a table is found now and then, balls in every frame.
#[derive(Clone, Debug)]
pub struct Detector {
    ball_set: BallSet,
    tables: TableFinder,
    cloth: ClothModel,
    balls: Option<BallsOfTable>,
    cues: CueFinder,
    converted: Picture,
}

/// The ball finder is made for one table in pictures of one size.
#[derive(Clone, Debug)]
struct BallsOfTable {
    table: TableSighting,
    size: [u32; 2],
    finder: BallFinder,
}

impl Detector {
    /// For games with this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        Self {
            ball_set,
            tables: TableFinder::new(),
            cloth: ClothModel::new(),
            balls: None,
            cues: CueFinder::new(),
            converted: Picture::default(),
        }
    }

    /// Finds the table in a frame with no help.
    pub fn find_table(&mut self, picture: &Picture) -> Result<TableSighting, DetectionError> {
        let planes = planes_of(picture, &mut self.converted)?;
        let mut table = self.tables.find(&planes)?;
        self.cloth.learn(&planes, &table.corners_in_image);
        if let Some((radius, _)) = measure_ball_radius(&planes, &table, &self.cloth) {
            table.ball_radius_px = radius;
        }
        Ok(table)
    }

    /// Replaces `sightings` by the balls and the cue stick on a table that is known.
    pub fn see_balls_and_cue(
        &mut self,
        picture: &Picture,
        table: &TableSighting,
        sightings: &mut Sightings,
    ) -> Result<(), DetectionError> {
        sightings.balls.clear();
        sightings.cue = None;
        let planes = planes_of(picture, &mut self.converted)?;
        let size = [picture.width(), picture.height()];
        self.cloth.learn(&planes, &table.corners_in_image);
        let balls = match &mut self.balls {
            Some(balls) if balls.table == *table && balls.size == size => balls,
            balls => balls.insert(BallsOfTable {
                table: *table,
                size,
                finder: BallFinder::new(table, size, self.ball_set),
            }),
        };
        balls.finder.find(&planes, &self.cloth, &mut sightings.balls);
        sightings.cue = self.cues.find(&planes, table, &self.cloth);
        Ok(())
    }

    /// What the cloth looked like in the last frame.
    pub fn cloth(&self) -> &ClothModel {
        &self.cloth
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
