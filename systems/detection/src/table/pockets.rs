//! The six pockets.

use std::f64::consts::FRAC_1_SQRT_2;

use ghostball_world::{
    CircleInImage, Homography, ImageFromTable, Lens, PlaneInView, Planes, TableSighting, turned_to_table,
};
use glam::DVec2;

use crate::balls::place::LEAST_POCKET;
use crate::cloth::ClothModel;
use crate::quad::Quad;
use crate::sample::color_near;

/// Where pockets are on most tables, by half the length: x along the long axis, y along the short one, and radius.
/// Corner pockets lie about on the corner of the noses, those in the middle behind the nose line.
const USUAL: [[f64; 3]; 6] = [
    [-1.0, -0.5, 0.06],
    [0.0, -0.525, 0.053],
    [1.0, -0.5, 0.06],
    [1.0, 0.5, 0.06],
    [0.0, 0.525, 0.053],
    [-1.0, 0.5, 0.06],
];

/// The noses' corners and, with the middles of the long sides, where pockets are; y up.
const CORNERS: [[f64; 2]; 4] = [[-1.0, 0.5], [1.0, 0.5], [1.0, -0.5], [-1.0, -0.5]];
const PLACES: [[f64; 2]; 6] = [
    [-1.0, 0.5],
    [0.0, 0.5],
    [1.0, 0.5],
    [1.0, -0.5],
    [0.0, -0.5],
    [-1.0, -0.5],
];

/// Pockets where most tables have them, and a place on the cloth before each; `None` for a degenerate quadrilateral.
pub(crate) fn usual(quad: &Quad) -> Option<([CircleInImage; 6], [DVec2; 6])> {
    let map = image_from_halves(quad)?;
    let pockets = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        CircleInImage {
            center: map.apply(place),
            radius: r * map.scale_at(place),
        }
    });
    let before = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        map.apply(place - 2.0 * r * place.normalize_or_zero())
    });
    Some((pockets, before))
}

/// Pockets for balls of this radius behind all places where the slate could end: no ball in their mouths is taken for potted.
pub(crate) fn farthest(quad: &Quad, ball_radius: f64) -> Option<[CircleInImage; 6]> {
    let map = image_from_halves(quad)?;
    Some(PLACES.map(DVec2::from).map(|place| {
        let center = place + (FARTHEST_EDGE + LEAST_POCKET) * ball_radius * outward_at(place);
        CircleInImage {
            center: map.apply(center),
            radius: LEAST_POCKET * ball_radius * map.scale_at(center),
        }
    }))
}

/// To where a pocket at one of the [`PLACES`] lies behind the noses.
fn outward_at(place: DVec2) -> DVec2 {
    if place.x == 0.0 {
        DVec2::new(0.0, place.y.signum())
    } else {
        place.signum() * FRAC_1_SQRT_2
    }
}

/// To the picture from the table in units of half its length.
pub(crate) fn image_from_halves(quad: &Quad) -> Option<Homography> {
    let corners = turned_to_table(quad.corners);
    let table = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
    Homography::from_four_points(&table, &corners).ok()
}

/// Height of the noses above the cloth by half the table's length: 63.5 % of a ball (WPA), of nine-foot pool.
const NOSE_HEIGHT: f64 = 0.029;
/// How far behind the noses' corner, or their line, pockets have their centres, and their radii: snooker's are 0.02 to
/// 0.027 behind with radii of 0.025, pool's 0.033 to 0.054 with 0.05, by half the length; small tables' a third more.
const DEPTHS: [f64; 2] = [-0.03, 0.09];
const RADII: [f64; 2] = [0.021, 0.074];
/// Radius that parts the mouths of full-size snooker (at most 0.033) from those of pool (at least 0.049).
const NARROW: f64 = 0.04;
/// Corner pockets of snooker end behind the corner of the noses, those of pool before it.
const BEHIND: f64 = 0.003;
/// Radius of a pocket by that of a ball: snooker's have 1.7, pool's 2.2.
const RADII_BY_BALL: [f64; 2] = [LEAST_POCKET, 2.5];
const DEPTH_STEP: f64 = 0.004;
const RADIUS_STEP: f64 = 0.003;
/// Reach of the surroundings looked at: towards the table, out of it, and to both sides.
const INWARD: f64 = 0.1;
const OUTWARD: f64 = 0.12;
const ASIDE: f64 = 0.09;
const PITCH: f64 = 0.005;
const ROWS: usize = ((INWARD + OUTWARD) / PITCH) as usize + 1;
const COLUMNS: usize = (2.0 * ASIDE / PITCH) as usize + 1;
/// Rays from a pocket's centre towards the table, to both sides of the mouth's axis, beyond which jaws are: up to this sine;
/// once the balls are known, as far aside as a ball's radius, for a camera beside the axis sees no more between the jaws.
const RAYS: usize = 13;
const WIDEST: f64 = 0.7;
/// What pockets are like, in ball radii, for between the jaws little is seen of how they are curved. The edge of the slate is
/// before the noses' corner and just behind their line, by the specifications of full-size tables; small ones, which have wide
/// pockets, have it a radius or two farther before the noses. A ball that lies in a mouth shows one of its own size two radii
/// before the slate's.
const KINDS: [Kind; 2] = [
    // Snooker.
    Kind {
        radius: 1.7,
        edge: [-0.3, 0.15],
        edge_sigma: [0.4, 0.25],
    },
    // Pool.
    Kind {
        radius: 2.2,
        edge: [-0.7, 0.15],
        edge_sigma: [1.0, 0.6],
    },
];
/// The slate ends at most this far behind the noses, in ball radii: by the specifications 0.15, and what these vary.
const FARTHEST_EDGE: f64 = 0.5;
/// How much tables of one kind differ in the radius, in ball radii (standard deviation).
const RADIUS_SIGMA: f64 = 0.3;
/// Evidence that is worth a standard deviation: as much as one ray of thirteen tells less or more by a shadow on it.
const PER_SIGMA: f64 = 0.03;
/// Where the two sides of the edge are looked at: a pixel and the pitch from it.
const BESIDE: f64 = 0.008;
/// Fall of the light, by that of cloth, that leaves no doubt of an edge of the slate.
const FALL: f32 = 0.9;
/// What is of another colour than cloth counts as lit like this at most: papers and nets in pockets are bright.
const UNLIKE: f32 = 0.3;
/// Evidence of a ray that a ball hides: half of what a clear edge has, which is 0.8 or so, for the edge may be there or not.
const HIDDEN: f32 = 0.4;
/// The edge of a ball is blurred over a pixel.
const BLUR_PX: f64 = 1.0;
/// Mean of the evidence above which an edge is believed: two thirds of it are seen.
const BELIEVED: f32 = 0.25;
/// The same below which colours are looked at as well.
const CLEAR: f32 = 0.6;
/// The same from which it tells the pockets' size.
const SURE_OF_SIZE: f32 = 0.5;
/// Light by that of cloth that a hole has not, and so many places of six where it is: objects hide one.
const LIT: f32 = 0.4;
const MOST_LIT: usize = 5;

/// Balls that were seen before the pockets were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenBalls<'a> {
    /// By half the table's length.
    pub radius: f64,
    /// They hide what is behind them.
    pub in_image: &'a [CircleInImage],
}

/// What surrounds the place of a pocket: light by that of cloth, rows from the table outwards, and what balls hide of it.
#[derive(Clone, Debug)]
struct Surroundings {
    light: [[f32; COLUMNS]; ROWS],
    is_hidden: [[bool; COLUMNS]; ROWS],
}

impl Surroundings {
    fn new(
        planes: &Planes,
        cloth: &ClothModel,
        bed: &ImageFromTable,
        (place, outward): (DVec2, DVec2),
        by_color: bool,
        balls: &[CircleInImage],
    ) -> Self {
        let before = bed.apply(place - INWARD * outward);
        let color = cloth.color_at(before.x as f32, before.y as f32);
        let (here, lit) = (cloth.here(color), color[0] - cloth.black);
        let aside = outward.perp();
        let hides = |ball: &CircleInImage, at: DVec2| ball.center.distance(at) < ball.radius + BLUR_PX;
        let mut light = [[f32::NAN; COLUMNS]; ROWS];
        let mut is_hidden = [[false; COLUMNS]; ROWS];
        for (row, values) in light.iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let out = row as f64 * PITCH - INWARD;
                let across = column as f64 * PITCH - ASIDE;
                let at = bed.apply(place + out * outward + across * aside);
                if balls.iter().any(|ball| hides(ball, at)) {
                    is_hidden[row][column] = true;
                    continue;
                }
                *value = color_near(planes, at).map_or(f32::NAN, |color| {
                    let light = (color[0] - cloth.black) / lit.max(1.0);
                    if by_color && here.is_covered(color) {
                        light.min(UNLIKE)
                    } else {
                        light
                    }
                });
            }
        }
        Self { light, is_hidden }
    }

    /// Light so far out and aside; not a number where nothing is known of it.
    fn at(&self, [out, aside]: [f64; 2]) -> f32 {
        let (row, column) = ((out + INWARD) / PITCH, (aside + ASIDE) / PITCH);
        if !(row >= 0.0 && column >= 0.0) {
            return f32::NAN;
        }
        let (y, x) = (row as usize, column as usize);
        let (Some(above), Some(below)) = (self.light.get(y), self.light.get(y + 1)) else {
            return f32::NAN;
        };
        if x + 1 >= COLUMNS {
            return f32::NAN;
        }
        let (fy, fx) = ((row - y as f64) as f32, (column - x as f64) as f32);
        let between = |row: &[f32; COLUMNS]| row[x] + (row[x + 1] - row[x]) * fx;
        between(above) + (between(below) - between(above)) * fy
    }

    /// Whether a ball hides the nearest place looked at.
    fn is_hidden(&self, [out, aside]: [f64; 2]) -> bool {
        let (row, column) = ((out + INWARD) / PITCH + 0.5, (aside + ASIDE) / PITCH + 0.5);
        row >= 0.0
            && column >= 0.0
            && self
                .is_hidden
                .get(row as usize)
                .and_then(|row| row.get(column as usize))
                == Some(&true)
    }

    /// How much an edge of the slate between two places is believed in, -1 to 1.
    fn evidence(&self, before: [f64; 2], behind: [f64; 2]) -> f32 {
        let fall = (self.at(before) - self.at(behind)) / FALL;
        if !fall.is_nan() {
            fall.clamp(-1.0, 1.0)
        } else if self.is_hidden(before) || self.is_hidden(behind) {
            HIDDEN
        } else {
            0.0
        }
    }
}

/// Pockets as they are seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pockets {
    pub in_image: [CircleInImage; 6],
    /// Whether they are as narrow as those of full-size snooker, where that is seen.
    pub are_narrow: Option<bool>,
}

/// What the pockets of a table are like, in ball radii.
#[derive(Clone, Copy, Debug)]
struct Kind {
    radius: f64,
    /// How far behind the noses the edge of the slate is, in the corners and in the middles.
    edge: [f64; 2],
    /// How much tables of the kind differ in that (standard deviations), with the errors of what is found.
    edge_sigma: [f64; 2],
}

/// What the pockets that are looked at should be like, by half the table's length.
#[derive(Clone, Copy, Debug)]
struct Expected {
    ball: f64,
    radius: f64,
    edge: f64,
    edge_sigma: f64,
}

/// Where the pockets in the corners, or in the middles, are and how clearly that is seen, 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
struct Fit {
    evidence: f32,
    /// The evidence, less by what is unusual.
    score: f64,
    depth: f64,
    radius: f64,
}

/// The places of the pockets of one table in one picture. What tells a pocket is the edge of the slate towards the table,
/// where cloth ends and a hole begins; behind it are walls, nets and castings of any look. The pockets of one table are
/// alike, so that all four corners tell together how large theirs are and how far behind, and both middles.
#[derive(Clone, Debug)]
pub(crate) struct PocketPlaces {
    bed: ImageFromTable,
    places: [(DVec2, DVec2); 6],
    by_light: [Surroundings; 6],
    /// Where light alone was not clear.
    by_color: Option<[Surroundings; 6]>,
    /// By half the table's length, where that is known.
    ball_radius: Option<f64>,
}

impl PocketPlaces {
    /// Looks at them, past the balls that were seen; `None` for a degenerate table.
    pub fn new(
        planes: &Planes,
        table: &TableSighting,
        cloth: &ClothModel,
        balls: Option<SeenBalls>,
    ) -> Option<Self> {
        let ball_radius = balls.map(|balls| balls.radius);
        let balls = balls.map_or(&[][..], |balls| balls.in_image);
        let corners = turned_to_table(table.corners_in_image);
        let noses = PlaneInView::through(
            table.lens.unwrap_or(Lens::NONE),
            &corners,
            &CORNERS.map(DVec2::from),
        )
        .ok()?;
        // Without a lens nobody knows what is below the noses.
        let bed = match table.lens {
            Some(_) => noses.lowered(NOSE_HEIGHT, 0.0).ok()?,
            None => noses,
        };
        let bed = ImageFromTable::new(bed);
        let places = PLACES.map(DVec2::from).map(|place| (place, outward_at(place)));
        let look =
            |by_color| places.map(|place| Surroundings::new(planes, cloth, &bed, place, by_color, balls));
        let by_light = look(false);
        let is_clear = [0, 1].iter().all(|i| fit(&by_light, *i, None).evidence >= CLEAR);
        Some(Self {
            by_color: (!is_clear).then(|| look(true)),
            bed,
            places,
            by_light,
            ball_radius,
        })
    }

    /// The pockets as they are seen. Where cloth goes on in their places the table has none; `None` where neither is seen.
    pub fn pockets(&self) -> Option<Pockets> {
        let fits = self.fits();
        let evidence = fits[0].evidence.min(fits[1].evidence);
        let circle = |i: usize, depth: f64, radius: f64| {
            let (place, outward) = self.places[i];
            let center = place + depth * outward;
            CircleInImage {
                center: self.bed.apply(center),
                radius: radius * self.bed.scale_at(center),
            }
        };
        if evidence >= BELIEVED {
            let in_image = std::array::from_fn(|i| {
                let fit = fits[usize::from(self.places[i].0.x == 0.0)];
                circle(i, fit.depth, fit.radius)
            });
            let [corners, middles] = fits.map(|fit| fit.radius < NARROW);
            let is_behind = fits[0].depth - fits[0].radius > BEHIND;
            return Some(Pockets {
                in_image,
                are_narrow: (evidence > SURE_OF_SIZE && corners == middles && corners == is_behind)
                    .then_some(corners),
            });
        }
        let around = self.by_color.as_ref().unwrap_or(&self.by_light);
        let lit = around.iter().filter(|place| place.at([0.02, 0.0]) > LIT).count();
        (lit >= MOST_LIT).then(|| Pockets {
            in_image: std::array::from_fn(|i| circle(i, 0.0, 0.0)),
            are_narrow: None,
        })
    }

    /// The pockets in the corners and those in the middles, by light or by colour, whichever shows them better, for balls lie
    /// in one place and nets in another.
    fn fits(&self) -> [Fit; 2] {
        let fits = |kind: Option<(Kind, f64)>| {
            [0, 1].map(|which| {
                let by_light = fit(&self.by_light, which, kind);
                match self.by_color.as_ref().map(|around| fit(around, which, kind)) {
                    Some(by_color) if by_color.score > by_light.score => by_color,
                    _ => by_light,
                }
            })
        };
        let Some(ball) = self.ball_radius else {
            return fits(None);
        };
        let [a, b] = KINDS.map(|kind| fits(Some((kind, ball))));
        let score = |[corners, middles]: &[Fit; 2]| corners.score + middles.score;
        if score(&a) > score(&b) { a } else { b }
    }
}

/// The pockets in the corners, and in the middles.
const ALIKE: [&[usize]; 2] = [&[0, 2, 3, 5], &[1, 4]];

/// Of all depths and radii in a range, those at whose edge towards the table most light falls at those pockets that are
/// [`ALIKE`], preferring what is usual for a kind of table and balls of a radius.
fn fit(around: &[Surroundings; 6], which: usize, kind: Option<(Kind, f64)>) -> Fit {
    let expected = kind.map(|(kind, ball)| Expected {
        ball,
        radius: kind.radius * ball,
        edge: kind.edge[which] * ball,
        edge_sigma: kind.edge_sigma[which] * ball,
    });
    let radii = expected.map_or(RADII, |Expected { ball, .. }| {
        RADII_BY_BALL.map(|radius| (radius * ball).clamp(RADII[0], RADII[1]))
    });
    let steps = |[least, most]: [f64; 2], step: f64| {
        (0..=((most - least) / step) as usize).map(move |i| least + step * i as f64)
    };
    let pockets = ALIKE[which];
    let mut best = Fit::default();
    for radius in steps(radii, RADIUS_STEP) {
        let widest = expected.map_or(WIDEST, |expected| (expected.ball / radius).min(1.0));
        let rays: [[f64; 2]; RAYS] = std::array::from_fn(|ray| {
            let sin = widest * (2.0 * ray as f64 / (RAYS - 1) as f64 - 1.0);
            [-(1.0 - sin * sin).sqrt(), sin]
        });
        for depth in steps(DEPTHS, DEPTH_STEP) {
            let mut sum = 0.0;
            for pocket in pockets {
                for ray in rays {
                    let [before, behind] = [radius + BESIDE, radius - BESIDE]
                        .map(|radius| [depth + radius * ray[0], radius * ray[1]]);
                    sum += around[*pocket].evidence(before, behind);
                }
            }
            let evidence = sum / (pockets.len() * RAYS) as f32;
            let unusual = expected.map_or(0.0, |expected| {
                let radius_off = (radius - expected.radius) / (RADIUS_SIGMA * expected.ball);
                let edge_off = (depth - radius - expected.edge) / expected.edge_sigma;
                PER_SIGMA * (radius_off * radius_off + edge_off * edge_off)
            });
            let score = f64::from(evidence) - unusual;
            if score > best.score {
                best = Fit {
                    evidence,
                    score,
                    depth,
                    radius,
                };
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};
    use ghostball_world::{ColorEncoding, Picture, PixelFormat, TableGeometry, TableSpecification};

    #[test]
    fn pockets_of_a_table_that_stands_upright_are_in_the_order_of_the_table() {
        let corners = [[300.0, 100.0], [800.0, 100.0], [800.0, 1100.0], [300.0, 1100.0]].map(DVec2::from);
        let sighting = TableSighting {
            corners_in_image: corners,
            pockets_in_image: usual(&Quad::new(corners)).unwrap().0,
            ball_radius_px: 11.0,
            lens: None,
            confidence: 1.0,
        };
        let geometry = TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap();
        for (pocket, place) in geometry.pockets_in_table().iter().zip(PLACES) {
            let place = 1.27 * DVec2::from(place);
            assert!(pocket.distance(place) < 0.05, "{pocket} {place}");
        }
    }

    fn pockets_in(picture: &Picture, drawn: &Drawn, balls: &[CircleInImage]) -> Pockets {
        let planes = picture.planes().unwrap();
        let mut cloth = ClothModel::new();
        cloth.learn(&planes, &drawn.corners_in_image);
        let table = TableSighting {
            corners_in_image: drawn.corners_in_image,
            pockets_in_image: Default::default(),
            ball_radius_px: 0.0,
            lens: None,
            confidence: 1.0,
        };
        let balls = SeenBalls {
            radius: drawn.ball_radius,
            in_image: balls,
        };
        let places = PocketPlaces::new(&planes, &table, &cloth, Some(balls)).unwrap();
        places.pockets().unwrap()
    }

    #[test]
    fn mouths_are_found_where_the_cloth_ends() {
        let drawn = Drawn::default();
        let picture = draw(&drawn);
        let found = pockets_in(&picture, &drawn, &[]);
        let map = image_from_halves(&Quad::new(drawn.corners_in_image)).unwrap();
        let [x, y, r] = [0.0, -0.53, 0.05];
        let edge = map.apply(DVec2::new(x, y + r)).y;
        let mouth = found.in_image[1];
        let found_edge = mouth.center.y + mouth.radius;
        assert!((found_edge - edge).abs() < 3.0, "{found_edge} {edge}");
    }

    /// Draws a ball before each pocket in the middle; these.
    fn with_balls(drawn: &Drawn, place: DVec2, luma: u8) -> (Picture, [CircleInImage; 2]) {
        let map = image_from_halves(&Quad::new(drawn.corners_in_image)).unwrap();
        let picture = draw(drawn);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let balls = [-1.0, 1.0].map(|side| CircleInImage {
            center: map.apply(side * place),
            radius: drawn.ball_radius * map.scale_at(DVec2::ZERO),
        });
        let mut bytes = picture.bytes().to_vec();
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let p = DVec2::new(x as f64, y as f64);
            if balls.iter().any(|ball| ball.center.distance(p) < ball.radius) {
                bytes[y * width + x] = luma;
                let chroma = width * height + (y / 2) * (width / 2) + x / 2;
                bytes[chroma] = 60;
                bytes[chroma + width * height / 4] = 160;
            }
        }
        let picture = Picture::new(PixelFormat::Yuv420, 800, 450, ColorEncoding::default(), bytes).unwrap();
        (picture, balls)
    }

    /// How far off the pockets in the middle are, in ball radii.
    fn off_by(found: &Pockets, drawn: &Drawn) -> f64 {
        let map = image_from_halves(&Quad::new(drawn.corners_in_image)).unwrap();
        let radius = drawn.ball_radius * map.scale_at(DVec2::ZERO);
        let off = [(1, -0.53), (4, 0.53)].map(|(mouth, y)| {
            let center = found.in_image[mouth].center;
            center.distance(map.apply(DVec2::new(0.0, y))) / radius
        });
        off[0].max(off[1])
    }

    #[test]
    fn balls_that_lie_in_the_mouths_are_not_taken_for_pockets() {
        // A dark ball in the middle of each, and a bright one a radius aside.
        for (luma, aside) in [(40, 0.0), (150, 1.0)] {
            let drawn = Drawn::default();
            let place = DVec2::new(aside * drawn.ball_radius, 0.47);
            let (picture, _) = with_balls(&drawn, place, luma);
            let off = off_by(&pockets_in(&picture, &drawn, &[]), &drawn);
            assert!(off < 0.5, "{off}, {luma}");
        }
    }

    #[test]
    fn pockets_are_seen_past_the_balls_that_lie_before_them() {
        let drawn = Drawn::default();
        let (picture, balls) = with_balls(&drawn, DVec2::new(0.0, 0.45), 40);
        let off = off_by(&pockets_in(&picture, &drawn, &balls), &drawn);
        assert!(off < 0.5, "{off}");
    }

    #[test]
    fn what_a_ball_hides_may_be_an_edge_and_what_nobody_looked_at_is_none() {
        let mut around = Surroundings {
            light: [[1.0; COLUMNS]; ROWS],
            is_hidden: [[false; COLUMNS]; ROWS],
        };
        for row in 20..ROWS {
            around.light[row] = [0.0; COLUMNS];
            around.light[row][COLUMNS / 2] = f32::NAN;
            around.is_hidden[row][COLUMNS / 2] = true;
        }
        let evidence = |out: f64, aside: f64| around.evidence([out - BESIDE, aside], [out + BESIDE, aside]);
        let edge = 19.5 * PITCH - INWARD;
        assert_eq!(evidence(edge, 0.05), 1.0);
        assert_eq!(evidence(edge, 0.0), HIDDEN);
        assert_eq!(evidence(edge - 0.03, 0.0), 0.0);
        assert_eq!(evidence(OUTWARD, 0.05), 0.0);
    }
}
