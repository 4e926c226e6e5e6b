//! From what one picture or many show of the table to the camera: lens, pose, corners.
//!
//! # The geometry
//!
//! The camera is a pinhole with square pixels, focal length `f` (pixels), optical axis through `c` and radial
//! distortion ([`Lens`]). It looks at a rectangle of known proportions, the cushion noses. A point X of the table is seen
//! in direction `R X + t` (Hartley & Zisserman, Multiple View Geometry, 2nd ed., §6.1). The unknowns, in order of how
//! well one picture tells them:
//!
//! - the **pose** R, t: from where the noses are;
//! - the **distortion** k1: noses are straight, so what bends them is the lens (the plumb-line method: Brown, Close-Range
//!   Camera Calibration, 1971; Devernay & Faugeras, Straight lines have to be straight, 2001). At the edge of a picture,
//!   one percent of k1 bends a nose of 1300 pixels by one. k2 cannot be told from k1 by four lines and stays 0;
//! - the **focal length**: a table seen aslant shows it in its perspective (Zhang, PAMI 22, 2000, §2.3); seen from
//!   straight above, a table twice as far through a lens twice as long looks the same, and only the balls tell: a
//!   sphere at the angle θ off the axis looks 1/cos θ longer along than across. What remains is told by what cameras
//!   usually are ([`Lens::USUAL_FOCAL`]). It is not needed well: it tells how high the camera hangs, and with it how far
//!   balls are shifted against the noses half a percent above them, so that ten percent of `f` are a twentieth of a percent
//!   of a ball's way from the middle;
//! - the **optical axis** c: hardly told by anything; lenses are glued on to about a percent of the picture's width.
//!
//! All are found together as the most likely ones (maximum a posteriori): Levenberg-Marquardt on the distances of the
//! nose points from the rectangle's sides, the balls' elongations, and what is known before, each over its standard
//! deviation. What a picture does not tell stays at what is usual.
//!
//! What follows from them, balls below the noses and spheres seen as ellipses, is in [`ghostball_world`]'s
//! `PlaneInView`.

mod gather;
mod model;
mod record;
mod solve;
#[cfg(test)]
mod tests;

use ghostball_world::{ImageFromTable, Lens, TableFromImage};
use glam::DVec2;

pub use gather::Calibrator;
pub use record::{
    Calibration, CalibrationError, CalibrationErrors, ClothInImage, LensRecord, PictureRecord, TableInImage,
    TableRecord,
};

use model::Model;

/// Nose points count as so many per side: neighbours err together, as cushions bend and light changes slowly along a
/// side.
const STRETCHES: usize = 10;
/// Standard deviation of a nose, seen over a stretch, from the straight line it should be, by the table's length: 2 mm of a
/// nine-foot table. Rails are set to about 1 mm, and as much of the nose's rounding is seen or not as the lamps go.
const NOSE_SIGMA: f64 = 1.0 / 1300.0;
/// The same for a side of which nothing was seen.
const UNSEEN_SIGMA: f64 = 0.01;
/// Farthest that a corner may be from where it was seen about, by the table's length: three standard deviations of an
/// unseen side. What goes farther followed something else than noses.
const FARTHEST: f64 = 3.0 * UNSEEN_SIGMA;
/// Standard deviation of the logarithm of a table's proportions: 1.99 to 2.01 where tables should have 2.
const ASPECT_SIGMA: f64 = 0.005;
/// Standard deviation of k1: webcams have -0.15 to 0.05, zoom lenses both signs.
const RADIAL_SIGMA: f64 = 0.1;
/// Standard deviation of the optical axis from the picture's middle, by the picture's longer side.
const CENTER_SIGMA: f64 = 0.01;

/// What is known of a lens: the most likely one, and how far off it can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LensBelief {
    /// The most likely one. Its k2 is taken as it is.
    pub lens: Lens,
    /// Standard deviation of the focal length's logarithm.
    pub focal_spread: f64,
    /// Standard deviation of k1.
    pub radial_spread: f64,
    /// Standard deviation of the optical axis, pixels both ways.
    pub center_spread_px: f64,
}

impl LensBelief {
    /// Of an unknown camera with pictures of this width and height.
    pub fn usual(size: [u32; 2]) -> Self {
        Self {
            lens: Lens::usual(size),
            focal_spread: Lens::USUAL_FOCAL_SPREAD,
            radial_spread: RADIAL_SIGMA,
            center_spread_px: CENTER_SIGMA * f64::from(size[0].max(size[1])),
        }
    }

    /// Of a lens that was measured before.
    pub fn known(lens: Lens) -> Self {
        Self {
            lens,
            focal_spread: 1e-6,
            radial_spread: 1e-6,
            center_spread_px: 1e-3,
        }
    }
}

/// How a ball was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenOutline {
    /// Centre of its outline, pixels.
    pub center_in_image: DVec2,
    /// Half axis of the outline towards the picture's middle by that across; more than 1 far from the middle.
    pub stretch: f64,
    /// Standard deviation of the stretch.
    pub spread: f64,
}

/// What was seen of a table.
#[derive(Clone, Copy, Debug)]
pub struct SeenTable<'a> {
    /// About where the corners of the noses are, clockwise TL TR BR BL, pixels.
    pub corners_in_image: [DVec2; 4],
    /// Places of the noses, pixels, in order along the top, right, bottom and left side; none where it is hidden.
    pub noses_in_image: [&'a [DVec2]; 4],
    /// Balls on it.
    pub balls: &'a [SeenOutline],
    /// Width of the playing surface by its length.
    pub width_by_length: f64,
}

/// A camera over a table, as calibrated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// The lens.
    pub lens: Lens,
    /// Standard deviation of the focal length's logarithm that is left.
    pub focal_spread: f64,
    /// Corners of the noses, clockwise TL TR BR BL, pixels: of the rectangle that fits all that was seen.
    pub corners_in_image: [DVec2; 4],
    /// Root mean square distance of the nose points, averaged over stretches, from the sides of the rectangle, pixels.
    pub nose_error_px: f64,
    model: Model,
    directions: [[f64; model::UNKNOWNS]; model::UNKNOWNS],
}

impl Calibrated {
    /// Standard deviation of where a ball is placed, by the table's length, root mean square over the playing surface:
    /// what is left unknown of the camera. `below` is how far the balls' centres lie below the noses, by the
    /// table's length.
    pub fn place_spread(&self, below: f64) -> f64 {
        let Some(balls) = self.model.balls_in_view(below) else {
            return f64::INFINITY;
        };
        let moved = self
            .directions
            .map(|direction| self.model.moved(&direction).balls_in_view(below));
        let (mut squares, mut count) = (0.0, 0.0);
        for x in [-0.8, -0.4, 0.0, 0.4, 0.8] {
            for y in [-0.8, 0.0, 0.8] {
                let place = self.model.half() * DVec2::new(x, y);
                let seen = ImageFromTable::new(balls).apply(place);
                for moved in moved.iter().flatten() {
                    squares += TableFromImage::new(*moved).apply(seen).distance_squared(place);
                }
                count += 1.0;
            }
        }
        // Lengths of the model are by half the table's length.
        0.5 * libm::sqrt(squares / count)
    }
}

/// Finds the most likely camera; `None` where the corners are no table's.
pub fn calibrate(seen: &SeenTable, belief: &LensBelief) -> Option<Calibrated> {
    let mut model = Model::start(seen, belief)?;
    let stretches = seen.noses_in_image.map(stretches_of);
    let [a, b, c, d] = seen.corners_in_image;
    let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
    let length_px = 0.5 * across.max(down);
    let mut directions = [[0.0; model::UNKNOWNS]; model::UNKNOWNS];
    // A lens can bend a nose by many standard deviations: what is taken for something else narrows (graduated
    // non-convexity, Blake & Zisserman 1987).
    for most in [60.0, 5.0] {
        let start = model;
        let residuals = |step: &[f64; model::UNKNOWNS], out: &mut Vec<f64>| {
            let model = start.moved(step);
            let corners = model.corner_rays();
            for i in 0..4 {
                let side = [corners[i], corners[(i + 1) % 4]];
                let off =
                    |p: &DVec2, sigma: f64| bounded(model.off_side_px(&side, *p) / (sigma * length_px), most);
                out.extend(stretches[i].iter().map(|p| off(p, NOSE_SIGMA)));
                if stretches[i].is_empty() {
                    let ends = [seen.corners_in_image[i], seen.corners_in_image[(i + 1) % 4]];
                    out.extend(ends.map(|p| off(&p, UNSEEN_SIGMA)));
                }
            }
            let off =
                |ball: &SeenOutline| (ball.stretch - model.stretch_at(ball.center_in_image)) / ball.spread;
            out.extend(seen.balls.iter().map(|ball| bounded(off(ball), most)));
            model.add_priors(belief, ASPECT_SIGMA, out);
        };
        let solved = solve::least_squares(residuals)?;
        model = start.moved(&solved.unknowns);
        directions = solved.directions;
    }
    let corners = model.corner_rays();
    let (mut squares, mut count) = (0.0, 0.0);
    for (i, side) in stretches.iter().enumerate() {
        for point in side {
            let off = model.off_side_px(&[corners[i], corners[(i + 1) % 4]], *point);
            squares += off * off;
            count += 1.0;
        }
    }
    let calibrated = Calibrated {
        lens: model.lens,
        focal_spread: libm::sqrt(directions.iter().map(|d| d[model::FOCAL] * d[model::FOCAL]).sum()),
        model,
        directions,
        corners_in_image: corners.map(|ray| model.lens.image_from_ray(ray)),
        nose_error_px: if count > 0.0 {
            (squares / count).sqrt()
        } else {
            0.0
        },
    };
    let moved = calibrated.corners_in_image.iter().zip(&seen.corners_in_image);
    // Written so that NaN is far.
    let mut moved_px = moved.map(|(to, from)| to.distance(*from));
    let is_near = moved_px.all(|px| px < FARTHEST * length_px);
    (is_near && calibrated.lens.focal_px.is_finite()).then_some(calibrated)
}

/// Mean places of up to [`STRETCHES`] equally long stretches of a side.
fn stretches_of(points: &[DVec2]) -> Vec<DVec2> {
    let per_stretch = points.len().div_ceil(STRETCHES).max(1);
    points
        .chunks(per_stretch)
        .map(|stretch| stretch.iter().copied().sum::<DVec2>() / stretch.len() as f64)
        .collect()
}

/// What lies `most` standard deviations off or more is something else, and counts as these at most (as Geman & McClure
/// 1987 have it).
fn bounded(off: f64, most: f64) -> f64 {
    off / (1.0 + (off / most) * (off / most)).sqrt()
}
