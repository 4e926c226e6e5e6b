//! The table as the balls meet it: cushion noses, the rounded jaws of the pockets, and the pockets.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4};

use glam::DVec2;
use serde::Deserialize;

/// A straight piece of cushion nose; a ball touches it when its centre is one radius away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CushionSegment {
    /// One end, metres in table space.
    pub start: DVec2,
    /// The other end.
    pub end: DVec2,
    /// Unit vector across the segment, towards the side the balls are on.
    pub normal: DVec2,
}

impl CushionSegment {
    /// A segment that faces `inside`, any point on the balls' side of its line.
    pub fn facing(start: DVec2, end: DVec2, inside: DVec2) -> Self {
        let normal = (end - start).perp().normalize_or_zero();
        let normal = if normal.dot(inside - start) < 0.0 {
            -normal
        } else {
            normal
        };
        Self { start, end, normal }
    }
}

/// The rounded end of a cushion, an upright cylinder: a ball touches it when its centre is one ball radius away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jaw {
    /// Centre, metres in table space.
    pub center: DVec2,
    /// Radius, metres.
    pub radius: f64,
}

/// The hole of a pocket: a ball falls when its centre comes within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PocketShape {
    /// Centre, metres in table space.
    pub center: DVec2,
    /// Radius, metres.
    pub radius: f64,
}

/// The mouth of one kind of pocket. All lengths in metres.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MouthDimensions {
    /// Width between the points where the jaws would meet the cushion noses if they were not rounded.
    pub width: f64,
    /// By how much each jaw opens towards the table, radians (degrees in data); 0 for parallel jaws.
    #[serde(deserialize_with = "crate::table_data::degrees")]
    pub angle: f64,
    /// Radius of the rounding between jaw and nose.
    pub jaw_radius: f64,
    /// From the corner of the playing surface, or from the line of the noses, back to the centre of the hole.
    pub depth: f64,
    /// Radius of the hole.
    pub radius: f64,
}

/// The pockets of a table.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PocketDimensions {
    /// Corner pockets.
    pub corner: MouthDimensions,
    /// Middle pockets.
    pub middle: MouthDimensions,
    /// How far the jaws reach back behind the cushion noses, metres.
    pub cushion_depth: f64,
}

impl PocketDimensions {
    /// Pockets of a common pool table for balls of this radius (metres): mouths of 2.06 and 2.40 balls, the middle
    /// of what the WPA equipment specification allows, jaws cut at 140 and 104 degrees to the cushions as there.
    pub fn pool(ball_radius: f64) -> Self {
        let mouth =
            |width: f64, angle_degrees: f64, jaw_radius: f64, depth: f64, radius: f64| MouthDimensions {
                width,
                angle: angle_degrees.to_radians(),
                jaw_radius,
                depth,
                radius,
            };
        Self {
            corner: mouth(4.12, 5.0, 0.73, 1.46, 2.17),
            middle: mouth(4.80, 14.0, 0.28, 2.40, 2.26),
            cushion_depth: 1.78,
        }
        .scaled(ball_radius)
    }

    /// Pockets of a twelve-foot snooker table for balls of this radius (metres): those of pooltool 0.6.0
    /// (`SnookerTableSpecs`), the jaws' roundings half as wide.
    pub fn snooker(ball_radius: f64) -> Self {
        const MADE_FOR: f64 = 0.026_25;
        let mouth = |width, jaw_radius, depth, radius| MouthDimensions {
            width,
            angle: 0.0,
            jaw_radius,
            depth,
            radius,
        };
        Self {
            corner: mouth(0.083, 0.05, 0.036, 0.0445),
            middle: mouth(0.087, 0.036, 0.049, 0.0455),
            cushion_depth: 0.0508,
        }
        .scaled(ball_radius / MADE_FOR)
    }

    /// All lengths so many times as long.
    fn scaled(self, factor: f64) -> Self {
        let mouth = |mouth: MouthDimensions| MouthDimensions {
            width: factor * mouth.width,
            angle: mouth.angle,
            jaw_radius: factor * mouth.jaw_radius,
            depth: factor * mouth.depth,
            radius: factor * mouth.radius,
        };
        Self {
            corner: mouth(self.corner),
            middle: mouth(self.middle),
            cushion_depth: factor * self.cushion_depth,
        }
    }
}

/// What stands around the balls, in table space: origin at the centre of the playing surface, x along the long axis,
/// y along the short axis, z up, metres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableShape {
    /// Playing surface between the cushion noses along x.
    pub length: f64,
    /// Playing surface between the cushion noses along y.
    pub width: f64,
    /// Height of the cushion noses above the cloth.
    pub cushion_height: f64,
    /// Straight pieces of cushion, jaws of pockets included.
    pub cushions: Vec<CushionSegment>,
    /// Rounded pieces of cushion.
    pub jaws: Vec<Jaw>,
    /// Pockets: none, or six in the order top left, top middle, top right, bottom right, bottom middle, bottom left,
    /// where top is +y and left is −x.
    pub pockets: Vec<PocketShape>,
}

/// Cushion height in ball radii: the WPA asks for 62.5 % to 64.5 % of the ball's diameter.
const CUSHION_HEIGHT: f64 = 1.27;

impl TableShape {
    /// A pool table of this playing surface with pockets that suit balls of this radius, metres.
    pub fn pool(length: f64, width: f64, ball_radius: f64) -> Self {
        Self::with_pockets(length, width, ball_radius, &PocketDimensions::pool(ball_radius))
    }

    /// A carom table: four cushions, no pockets; metres.
    pub fn without_pockets(length: f64, width: f64, ball_radius: f64) -> Self {
        let corner = 0.5 * DVec2::new(length, width);
        let corners = [
            DVec2::new(-corner.x, corner.y),
            corner,
            DVec2::new(corner.x, -corner.y),
            -corner,
        ];
        let cushion = |i: usize| CushionSegment::facing(corners[i], corners[(i + 1) % 4], DVec2::ZERO);
        Self {
            length,
            width,
            cushion_height: CUSHION_HEIGHT * ball_radius,
            cushions: [0, 1, 2, 3].map(cushion).to_vec(),
            jaws: Vec::new(),
            pockets: Vec::new(),
        }
    }

    /// A table of this playing surface with six pockets of these dimensions, metres.
    pub fn with_pockets(length: f64, width: f64, ball_radius: f64, pockets: &PocketDimensions) -> Self {
        let mut table = Self {
            length,
            width,
            cushion_height: CUSHION_HEIGHT * ball_radius,
            ..Self::default()
        };
        let half = 0.5 * DVec2::new(length, width);
        let (corner, middle) = (&pockets.corner, &pockets.middle);
        let corner_angle = FRAC_PI_4 - corner.angle;
        let middle_angle = FRAC_PI_2 - middle.angle;
        let corner_end = nose_end(corner.width * FRAC_1_SQRT_2, corner.jaw_radius, corner_angle);
        let middle_end = nose_end(0.5 * middle.width, middle.jaw_radius, middle_angle);

        for (x, y) in [
            (-1.0, 1.0),
            (0.0, 1.0),
            (1.0, 1.0),
            (1.0, -1.0),
            (0.0, -1.0),
            (-1.0, -1.0),
        ] {
            let mouth = half * DVec2::new(x, y);
            let inward = DVec2::new(0.0, -y);
            if x == 0.0 {
                for along in [DVec2::NEG_X, DVec2::X] {
                    let jaw_start = mouth + middle_end * along;
                    table.push_jaw(
                        jaw_start,
                        along,
                        inward,
                        middle_angle,
                        middle.jaw_radius,
                        pockets.cushion_depth,
                    );
                    let far = half.x - corner_end - middle_end;
                    table.push_cushion(jaw_start, jaw_start + far * along);
                }
                table.pockets.push(PocketShape {
                    center: mouth - middle.depth * inward,
                    radius: middle.radius,
                });
            } else {
                let along = DVec2::new(-x, 0.0);
                for (along, inward) in [(along, inward), (inward, along)] {
                    let jaw_start = mouth + corner_end * along;
                    table.push_jaw(
                        jaw_start,
                        along,
                        inward,
                        corner_angle,
                        corner.jaw_radius,
                        pockets.cushion_depth,
                    );
                }
                if y > 0.0 {
                    table.push_cushion(mouth + corner_end * inward, mouth + (width - corner_end) * inward);
                }
                table.pockets.push(PocketShape {
                    center: mouth - FRAC_1_SQRT_2 * corner.depth * (along + inward),
                    radius: corner.radius,
                });
            }
        }
        table
    }

    fn push_cushion(&mut self, start: DVec2, end: DVec2) {
        self.cushions
            .push(CushionSegment::facing(start, end, DVec2::ZERO));
    }

    /// Adds the rounded end of a cushion whose straight nose ends at `nose_end`, and the straight jaw behind it.
    /// `along` points along the nose away from the pocket, `inward` from the nose onto the table; the jaw is the nose
    /// turned back by `angle`.
    fn push_jaw(
        &mut self,
        nose_end: DVec2,
        along: DVec2,
        inward: DVec2,
        angle: f64,
        radius: f64,
        depth: f64,
    ) {
        let (sin, cos) = libm::sincos(angle);
        let center = nose_end - radius * inward;
        let normal = cos * inward - sin * along;
        let into_pocket = -cos * along - sin * inward;
        let start = center + radius * normal;
        let reach = (depth - radius * (1.0 - cos)).max(0.0) / sin;
        self.jaws.push(Jaw { center, radius });
        self.cushions.push(CushionSegment {
            start,
            end: start + reach * into_pocket,
            normal,
        });
    }

    /// Whether the centre of a ball of this radius can be here: on the playing surface, one radius from the cushions.
    pub fn holds(&self, position: DVec2, ball_radius: f64) -> bool {
        position.x.abs() <= 0.5 * self.length - ball_radius
            && position.y.abs() <= 0.5 * self.width - ball_radius
    }
}

/// Where a straight nose ends, from the middle of the mouth: at the point of the mouth, drawn back by the rounding.
fn nose_end(mouth_point: f64, jaw_radius: f64, angle: f64) -> f64 {
    mouth_point + jaw_radius * libm::tan(0.5 * angle)
}
