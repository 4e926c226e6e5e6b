//! The coordinate spaces a client can ask for, and the way there from table space.

use ghostball_world::{BallSnapshot, CueSnapshot, Snapshot, TableGeometry};
use glam::DVec2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The canvas of [`Space::Canvas4k`], and what `scale` in [`Space::Camera`] refers to, pixels.
const CANVAS: DVec2 = DVec2::new(3840.0, 2160.0);

/// The playing surface is scaled to fit this part of the canvas, centred, pixels.
const SURFACE_ON_CANVAS: DVec2 = DVec2::new(3200.0, 1600.0);

/// Where coordinates on the wire are counted from, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// Table space as it is: metres from the centre of the playing surface, y up.
    #[default]
    Metres,
    /// A 3840x2160 canvas, y down; the playing surface centred, scaled uniformly to fit 3200x1600.
    #[serde(rename = "4k")]
    Canvas4k,
    /// The source picture, y down, pixels, lens and perspective as they are.
    Camera,
}

impl Space {
    /// All spaces, with their names on the wire.
    pub const ALL: [(&str, Self); 3] = [
        ("metres", Self::Metres),
        ("4k", Self::Canvas4k),
        ("camera", Self::Camera),
    ];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, space)| *space == self);
        known.map_or("metres", |(name, _)| name)
    }

    /// The space with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, space)| *space)
    }
}

/// A point or velocity on the wire, in the space the client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Factors to what the client draws in; both above 0. A client drops points without it.
    pub(crate) scale: [f64; 2],
}

/// The way from table space to one [`Space`], for one snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projection<'a> {
    space: Space,
    table: Option<&'a TableGeometry>,
    scale: [f64; 2],
    digits: Digits,
}

/// What is kept of a number: parts of its unit. Each is some ten times finer than the best measurement: a ball's centre
/// is known within 0.25 px, which is 0.6 mm in a picture that is 1000 px of table wide, and its speed within 20 mm/s.
/// More digits would only cost bytes, a tenth of a state's.
#[derive(Clone, Copy, Debug)]
struct Digits {
    place: f64,
    speed: f64,
    /// Sizes are not measured anew in every frame, or known from the rules.
    length: f64,
}

const METRES: Digits = Digits {
    place: 1e4,
    speed: 1e3,
    length: 1e6,
};

const PIXELS: Digits = Digits {
    place: 1e2,
    speed: 1e1,
    length: 1e2,
};

impl<'a> Projection<'a> {
    pub(crate) fn new(space: Space, snapshot: &'a Snapshot) -> Self {
        let [width, height] = snapshot.picture_size.map(|side| f64::from(side.max(1)));
        let (scale, digits) = match space {
            Space::Metres => ([1.0, 1.0], METRES),
            Space::Canvas4k => ([1.0, 1.0], PIXELS),
            Space::Camera => ([CANVAS.x / width, CANVAS.y / height], PIXELS),
        };
        Self {
            space,
            table: snapshot.table.as_ref(),
            scale,
            digits,
        }
    }

    /// Rounds a length of this space.
    pub(crate) fn round_length(&self, length: f64) -> f64 {
        round(length, self.digits.length)
    }

    /// `None` where the point has no place in this space: no table yet, or beyond the horizon.
    pub(crate) fn point(&self, position_in_table: DVec2) -> Option<Point> {
        let place = match (self.space, self.table) {
            (Space::Metres, _) => position_in_table,
            (Space::Canvas4k, Some(table)) => {
                0.5 * CANVAS + canvas_scale(table) * DVec2::new(position_in_table.x, -position_in_table.y)
            }
            (Space::Camera, Some(table)) => table.image_from_table.apply(position_in_table),
            (Space::Canvas4k | Space::Camera, None) => return None,
        };
        self.place(place)
    }

    /// Where on the table a place of this space is: the way back from [`Projection::point`].
    pub(crate) fn table_point(&self, place: DVec2) -> Option<DVec2> {
        let position_in_table = match (self.space, self.table) {
            (Space::Metres, _) => place,
            (Space::Canvas4k, Some(table)) => {
                let from_center = (place - 0.5 * CANVAS) / canvas_scale(table);
                DVec2::new(from_center.x, -from_center.y)
            }
            (Space::Camera, Some(table)) => table.table_from_image.apply(place),
            (Space::Canvas4k | Space::Camera, None) => return None,
        };
        position_in_table.is_finite().then_some(position_in_table)
    }

    /// Which way on the table a direction of this space is, a pixel or so long, at `position_in_table`; of any length.
    pub(crate) fn table_direction(&self, position_in_table: DVec2, direction: DVec2) -> Option<DVec2> {
        let direction_in_table = match (self.space, self.table) {
            (Space::Metres, _) => direction,
            (Space::Canvas4k, _) => DVec2::new(direction.x, -direction.y),
            (Space::Camera, Some(table)) => {
                let onwards = table.image_from_table.apply(position_in_table) + direction;
                table.table_from_image.apply(onwards) - position_in_table
            }
            (Space::Camera, None) => return None,
        };
        direction_in_table.is_finite().then_some(direction_in_table)
    }

    /// A point of the picture; the picture itself where that is the space.
    pub(crate) fn point_in_image(&self, position_in_image: DVec2) -> Option<Point> {
        match (self.space, self.table) {
            (Space::Camera, _) => self.place(position_in_image),
            (_, Some(table)) => self.point(table.table_from_image.apply(position_in_image)),
            (_, None) => None,
        }
    }

    /// The centre of a ball: in the picture where it is seen, which the lens may have moved.
    pub(crate) fn ball(&self, ball: &BallSnapshot) -> Option<Point> {
        match (self.space, ball.seen_in_image) {
            (Space::Camera, Some(seen)) => self.place(seen.center),
            _ => self.point(ball.position_in_table),
        }
    }

    /// Tip and butt of the cue stick, likewise.
    pub(crate) fn cue(&self, cue: &CueSnapshot) -> Option<[Point; 2]> {
        let [tip, butt] = match (self.space, cue.in_image) {
            (Space::Camera, Some(seen)) => [self.place(seen.tip_in_image), self.place(seen.butt_in_image)],
            _ => [
                self.point(cue.pose.tip_in_table),
                self.point(cue.pose.butt_in_table),
            ],
        };
        Some([tip?, butt?])
    }

    /// A velocity at `position_in_table`, in this space's unit per second.
    pub(crate) fn velocity(&self, position_in_table: DVec2, velocity_in_table: DVec2) -> Option<Point> {
        let velocity = match (self.space, self.table) {
            (Space::Metres, _) => velocity_in_table,
            (Space::Canvas4k, Some(table)) => {
                canvas_scale(table) * DVec2::new(velocity_in_table.x, -velocity_in_table.y)
            }
            (Space::Camera, Some(table)) => table
                .image_from_table
                .apply_direction(position_in_table, velocity_in_table),
            (Space::Canvas4k | Space::Camera, None) => return None,
        };
        self.pair(velocity, self.digits.speed)
    }

    /// A length of `metres` around `position_in_table`, in this space's unit.
    pub(crate) fn length(&self, position_in_table: DVec2, metres: f64) -> Option<f64> {
        let factor = match (self.space, self.table) {
            (Space::Metres, _) => 1.0,
            (Space::Canvas4k, Some(table)) => canvas_scale(table),
            (Space::Camera, Some(table)) => table.image_from_table.scale_at(position_in_table),
            (Space::Canvas4k | Space::Camera, None) => return None,
        };
        let length = self.round_length(metres * factor);
        length.is_finite().then_some(length)
    }

    /// Corners of the playing surface, TL TR BR BL. In the picture's own space as they lie there; else the picture is
    /// first turned so that the long axis is horizontal.
    pub(crate) fn corners(&self, table: &TableGeometry) -> Option<[Point; 4]> {
        let [tl, tr, br, bl] = match self.space {
            Space::Camera => table.corners_in_image.map(|corner| self.place(corner)),
            Space::Metres | Space::Canvas4k => {
                let half = 0.5 * DVec2::new(table.length, table.width);
                let signs = [(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)];
                signs.map(|(x, y)| self.point(half * DVec2::new(x, y)))
            }
        };
        Some([tl?, tr?, br?, bl?])
    }

    fn place(&self, place: DVec2) -> Option<Point> {
        self.pair(place, self.digits.place)
    }

    fn pair(&self, pair: DVec2, parts: f64) -> Option<Point> {
        let (x, y) = (round(pair.x, parts), round(pair.y, parts));
        (x.is_finite() && y.is_finite()).then_some(Point {
            x,
            y,
            scale: self.scale,
        })
    }
}

/// To so many parts of one.
fn round(value: f64, parts: f64) -> f64 {
    // Adding zero turns -0 into 0.
    (value * parts).round() / parts + 0.0
}

/// Canvas pixels per metre.
fn canvas_scale(table: &TableGeometry) -> f64 {
    (SURFACE_ON_CANVAS.x / table.length).min(SURFACE_ON_CANVAS.y / table.width)
}

#[cfg(test)]
mod tests {
    use ghostball_world::CircleInImage;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    fn projected(space: Space, position: DVec2) -> Point {
        let snapshot = fixture::snapshot();
        Projection::new(space, &snapshot).point(position).unwrap()
    }

    #[test]
    fn the_foot_spot_is_where_the_contract_says() {
        let foot_spot = DVec2::new(0.635, 0.0);
        let metres = projected(Space::Metres, foot_spot);
        assert_eq!((metres.x, metres.y, metres.scale), (0.635, 0.0, [1.0, 1.0]));
        let canvas = projected(Space::Canvas4k, foot_spot);
        assert_eq!((canvas.x, canvas.y, canvas.scale), (2720.0, 1080.0, [1.0, 1.0]));
        // The fixture's picture is 1280x720 with the playing surface from (140, 110) to (1140, 610).
        let camera = projected(Space::Camera, foot_spot);
        assert_eq!((camera.x, camera.y, camera.scale), (890.0, 360.0, [3.0, 3.0]));
    }

    #[test]
    fn a_ball_is_in_the_picture_where_it_was_seen() {
        let snapshot = fixture::snapshot();
        let mut ball = snapshot.balls[0];
        ball.seen_in_image = Some(CircleInImage {
            center: DVec2::new(321.25, 77.5),
            radius: 11.0,
        });
        let point = Projection::new(Space::Camera, &snapshot).ball(&ball).unwrap();
        assert_eq!((point.x, point.y), (321.25, 77.5));
    }

    #[test]
    fn without_a_table_only_metres_have_a_place() {
        let snapshot = Snapshot::default();
        let place = |space| Projection::new(space, &snapshot).point(DVec2::ZERO);
        assert!(place(Space::Metres).is_some());
        assert_eq!((place(Space::Canvas4k), place(Space::Camera)), (None, None));
    }

    proptest! {
        #[test]
        fn up_is_up_and_right_is_right_in_every_space(x in -1.2..1.2_f64, y in -0.6..0.6_f64) {
            let here = DVec2::new(x, y);
            let step = DVec2::new(0.01, 0.01);
            for (name, space) in Space::ALL {
                let (a, b) = (projected(space, here), projected(space, here + step));
                prop_assert!(b.x > a.x, "{name}");
                prop_assert_eq!(b.y > a.y, space == Space::Metres, "{}", name);
                prop_assert!(a.scale.iter().all(|factor| *factor > 0.0));
            }
        }

        #[test]
        fn there_and_back_is_the_same_place(x in -1.2..1.2_f64, y in -0.6..0.6_f64) {
            let snapshot = fixture::snapshot();
            let here = DVec2::new(x, y);
            for (name, space) in Space::ALL {
                let projection = Projection::new(space, &snapshot);
                let there = projection.point(here).unwrap();
                let back = projection.table_point(DVec2::new(there.x, there.y)).unwrap();
                // Places on the wire are rounded to a tenth of a millimetre or a hundredth of a pixel.
                prop_assert!(back.distance(here) < 8e-5, "{name}: {back} of {here}");
                let onwards = projection.velocity(here, DVec2::new(1.0, 0.5)).unwrap();
                let onwards = DVec2::new(onwards.x, onwards.y).normalize();
                let direction = projection.table_direction(here, onwards).unwrap();
                prop_assert!(direction.angle_to(DVec2::new(1.0, 0.5)).abs() < 1e-3, "{name}");
            }
        }

        #[test]
        fn velocities_and_lengths_agree_with_points(x in -1.2..1.2_f64, y in -0.6..0.6_f64, vx in -3.0..3.0_f64) {
            let snapshot = fixture::snapshot();
            let (here, velocity) = (DVec2::new(x, y), DVec2::new(vx, 1.0));
            for (name, space) in Space::ALL {
                let projection = Projection::new(space, &snapshot);
                let (a, b) = (projection.point(here).unwrap(), projection.point(here + velocity).unwrap());
                let v = projection.velocity(here, velocity).unwrap();
                // The fixture's camera looks straight down: the map is the same everywhere, up to rounding.
                prop_assert!((b.x - a.x - v.x).abs() < 0.07 && (b.y - a.y - v.y).abs() < 0.07, "{name}");
                let length = projection.length(here, velocity.length()).unwrap();
                prop_assert!((length - libm::hypot(v.x, v.y)).abs() < 0.1, "{name}");
            }
        }
    }
}
