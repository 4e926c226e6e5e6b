//! Bright spots that may be lamps' images in balls of the cloth's own colour.
//!
//! Such a ball's rim is too faint for [`super::votes`]: less than noise from pixel to pixel. But a lamp is mirrored in it: a
//! bright spot that no other ball explains, and that does not go on as lines, letters, rings and sticks do, with cloth round
//! it. What is round the brightest few is then looked at by [`super::faint`].
//!
//! Cost: a look at each edge, then at the few bright ones no ball explains; most pictures leave none to two spots.

use ghostball_world::{BallSighting, CueSighting};
use glam::DVec2;

use super::edges::Edge;
use super::ellipse::Ellipse;
use super::faint::FaintScene;
use super::polar::RAYS;
use super::work::WorkPicture;

/// A lamp's image is brighter than this share of the way from lit cloth to white; reduced, when others' pixels are mixed
/// in, than this.
const GLINT: f32 = 0.5;
const REDUCED_GLINT: f32 = 0.25;
/// How far from its brightest edge a spot is gathered, in radii: lamps are mirrored in less than a third of a ball.
const SPOT_REACH: f64 = 0.35;
/// Edges this near to a spot that was looked at are of the same one.
const SAME_SPOT: f64 = 0.5;
/// Nothing is so bright this near to an edge with nothing as bright within [`SPOT_REACH`], in radii.
const DIM: f64 = 0.3;
/// A ball's centre is a radius away from the noses at least, and its lamp's image half a radius from there; a little less,
/// for errors of the corners.
const NEAREST_TO_NOSE: f64 = 0.4;
/// A stick is up to 0.7 ball diameters wide (see [`crate::cue`]): what is so near to its middle, in radii, is on it.
const ON_STICK: f64 = 0.7;
/// What is bright here on opposite sides of a spot, in radii, and to so many rays beside, is a line's or a letter's: lamps' images
/// are shorter, and a print lies on one side.
const GOES_ON: f32 = 0.6;
const BESIDE: u32 = 3;
/// The same at a first glance: looked at from a spot's border, on so many sides, for what is this much of the way to white;
/// rings thrown round balls bend by 30 degrees on the way.
const FAR: f64 = 0.9;
const SIDES: usize = 24;
const FAINTER: f32 = 0.12;
const BENT: u32 = 2;
/// A spot that has this distance of cloth round it may be in a ball: half a radius off its centre, as a lamp 60 degrees
/// off the camera is mirrored, the ball's far rim is nearer. On so many rays something else may be.
const ALONE: f32 = 1.6;
const MOST_FOREIGN: usize = 5;
/// Spots round which a ball is looked for, the brightest of each picture: one has no more balls of its cloth's colour, and
/// text thrown on the cloth shows dozens. It bounds the time.
const MOST_SPOTS: usize = 3;
/// Pixels of the work picture per cell, both ways, in which it is marked what was looked at: half a ball's radius or less.
const CELL: usize = 4;

/// Finds them, and the balls. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct GlossFinder {
    /// Cells that show a ball or a spot that was looked at.
    taken: Vec<bool>,
    columns: usize,
    rows: usize,
    cell_px: f64,
    origin: DVec2,
    /// Centres of the other balls, and then of those found.
    balls: Vec<DVec2>,
    /// Spots that may be lamps' images, and how bright they are.
    spots: Vec<(DVec2, f32)>,
    /// Those found.
    pub found: Vec<Ellipse>,
}

/// The picture and what was seen in it so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct GlossScene<'a> {
    pub faint: FaintScene<'a>,
    pub work: &'a WorkPicture,
    pub edges: &'a [Edge],
    pub cue: Option<&'a CueSighting>,
}

impl GlossFinder {
    /// Finds balls in which a lamp is mirrored, beside those given.
    pub fn find(&mut self, scene: &GlossScene, balls: &[BallSighting]) {
        self.found.clear();
        self.lay_cells(scene.work);
        self.balls.clear();
        for ball in balls {
            self.take(ball.circle.center, ball.circle.radius);
            self.balls.push(ball.circle.center);
        }
        self.gather_spots(scene);
        let place = scene.faint.finder.place;
        for (spot, _) in self.spots.iter().take(MOST_SPOTS) {
            let is_new = |ball: &DVec2| ball.distance(*spot) > place.radius_at(*spot);
            if self.balls.iter().all(is_new)
                && let Some(ellipse) = scene.faint.ball_round(*spot, &self.balls)
            {
                self.balls.push(ellipse.center);
                self.found.push(ellipse);
            }
        }
    }

    /// Spots that may be lamps' images, brightest first.
    fn gather_spots(&mut self, scene: &GlossScene) {
        let (work, FaintScene { finder, .. }) = (scene.work, scene.faint);
        let luma = &work.planes[0];
        let (color, white) = (finder.cloth.color[0], finder.cloth.white);
        let [least, fainter] = [REDUCED_GLINT, FAINTER].map(|share| (color + share * (white - color)) as u8);
        // Half of the way from cloth within two pixels.
        let least_step = (2.0 * REDUCED_GLINT * (white - color)) as u16;
        let far = scene.far_around();
        self.spots.clear();
        for edge in scene.edges {
            let [x, y] = [edge.x, edge.y].map(|v| v as usize);
            let step = edge.gx.unsigned_abs().max(edge.gy.unsigned_abs());
            let cell = y / CELL * self.columns + x / CELL;
            if step < least_step || self.taken[cell] {
                continue;
            }
            let at = y * work.width + x;
            if luma[at].max(luma[at - 1]).max(luma[at + 1]) < least {
                continue;
            }
            if goes_on_there(work, [x, y], &far, fainter) {
                self.taken[cell] = true;
                continue;
            }
            let near = DVec2::from(work.in_image(x as f64, y as f64));
            let radius = finder.place.radius_at(near);
            let Some((spot, brightness)) = scene.spot_near(near, SPOT_REACH * radius) else {
                self.take(near, DIM * radius);
                continue;
            };
            self.take(spot, SAME_SPOT * radius);
            if !scene.goes_on(spot, radius)
                && !scene.is_on_stick(spot, radius)
                && scene.is_alone(spot, radius, &self.balls)
                && finder.place.inside_by(spot) >= NEAREST_TO_NOSE * radius
            {
                self.spots.push((spot, brightness));
            }
        }
        self.spots.sort_unstable_by(|(a, a_bright), (b, b_bright)| {
            let place = |p: &DVec2, q: &DVec2| p.y.total_cmp(&q.y).then(p.x.total_cmp(&q.x));
            b_bright.total_cmp(a_bright).then(place(a, b))
        });
    }

    fn lay_cells(&mut self, work: &WorkPicture) {
        self.columns = work.width.div_ceil(CELL);
        self.rows = work.height.div_ceil(CELL);
        self.cell_px = (CELL * work.scale) as f64;
        self.origin = DVec2::from(work.origin.map(|v| v as f64));
        self.taken.clear();
        self.taken.resize(self.columns * self.rows, false);
    }

    /// Marks all cells that a disc touches.
    fn take(&mut self, center: DVec2, radius: f64) {
        let center = (center - self.origin) / self.cell_px;
        let reach = radius / self.cell_px + 0.5;
        let around = |at: f64, count: usize| {
            (at - reach).max(0.0) as usize..((at + reach).max(0.0) as usize + 1).min(count)
        };
        for row in around(center.y, self.rows) {
            for column in around(center.x, self.columns) {
                let middle = DVec2::new(column as f64 + 0.5, row as f64 + 0.5);
                self.taken[row * self.columns + column] |= middle.distance(center) <= reach;
            }
        }
    }
}

/// Whether what is bright here goes on to opposite sides, as lines and rings do.
#[inline]
fn goes_on_there(work: &WorkPicture, [x, y]: [usize; 2], far: &[[i32; 2]; SIDES], least: u8) -> bool {
    let mut towards = 0_u32;
    for (side, [dx, dy]) in far.iter().enumerate() {
        let x = (x as i32 + dx).clamp(0, work.width as i32 - 1) as usize;
        let y = (y as i32 + dy).clamp(0, work.height as i32 - 1) as usize;
        towards |= u32::from(work.planes[0][y * work.width + x] >= least) << side;
    }
    let half = SIDES as u32 / 2;
    (half - BENT..=half + BENT).any(|sides| towards & towards >> sides != 0)
}

impl GlossScene<'_> {
    /// Pixels of the work picture from a place to the circle round it that no lamp's image reaches.
    fn far_around(&self) -> [[i32; 2]; SIDES] {
        let radius = self.faint.finder.place.radius_at_middle() / self.work.scale as f64;
        std::array::from_fn(|side| {
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * side as f64 / SIDES as f64);
            [cos, sin].map(|v| libm::round(FAR * radius * v) as i32)
        })
    }

    fn is_on_stick(&self, p: DVec2, radius: f64) -> bool {
        self.cue.is_some_and(|cue| {
            let (from, along) = (cue.tip_in_image, cue.butt_in_image - cue.tip_in_image);
            let share = ((p - from).dot(along) / along.length_squared().max(1e-9)).clamp(0.0, 1.0);
            p.distance(from + share * along) < ON_STICK * radius
        })
    }

    /// Middle of what is as bright as a lamp's image round a place, and how much brighter than cloth it is.
    fn spot_near(&self, near: DVec2, reach: f64) -> Option<(DVec2, f32)> {
        let finder = self.faint.finder;
        let plane = &finder.planes.luma;
        let here = finder.cloth.color_at(near.x as f32, near.y as f32)[0];
        let glint = here + GLINT * (finder.cloth.white - here);
        let around =
            |at: f64, count: usize| (at - reach).max(0.0) as usize..((at + reach) as usize + 1).min(count);
        let (mut sum, mut count, mut brightest) = (DVec2::ZERO, 0.0, 0.0_f32);
        for y in around(near.y, plane.height) {
            for x in around(near.x, plane.width) {
                let luma = f32::from(plane.at(x, y));
                if luma > glint {
                    brightest = brightest.max(luma - here);
                    sum += DVec2::new(x as f64, y as f64);
                    count += 1.0;
                }
            }
        }
        (count > 0.0).then(|| (sum / count, brightest))
    }

    /// Whether a spot is part of something bright that goes through it.
    fn goes_on(&self, spot: DVec2, radius: f64) -> bool {
        let FaintScene { finder, rays } = self.faint;
        let here = finder.cloth.color_at(spot.x as f32, spot.y as f32)[0];
        let bright = here + REDUCED_GLINT * (finder.cloth.white - here);
        let luma = &finder.planes.luma;
        let (spot, distance) = (spot.as_vec2() + 0.5, GOES_ON * radius as f32);
        let towards = (0..RAYS).fold(0_u32, |towards, ray| {
            let inside = |v: f32, count: usize| (v.max(0.0) as usize).min(count - 1);
            let x = inside(spot.x + distance * rays.cos[ray], luma.width);
            let y = inside(spot.y + distance * rays.sin[ray], luma.height);
            towards | u32::from(f32::from(luma.at(x, y)) > bright) << ray
        });
        let half = RAYS as u32 / 2;
        (half - BESIDE..=half + BESIDE).any(|rays| towards & towards.rotate_left(rays) != 0)
    }

    /// Whether there is cloth all round a spot, but for other balls.
    fn is_alone(&self, spot: DVec2, radius: f64, balls: &[DVec2]) -> bool {
        let radius = radius as f32;
        let hidden = self.faint.hidden(spot, radius * ALONE, balls);
        self.faint.count_of_foreign(spot, radius, &[ALONE], !hidden) <= MOST_FOREIGN
    }
}
