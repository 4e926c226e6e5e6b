//! What detection sees in one frame, with no memory of the frames before.

use bevy_ecs::resource::Resource;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::{BallKind, CircleInImage, Lens};

/// The table as found in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSighting {
    /// Where the cushion noses meet, pixels, clockwise TL TR BR BL.
    pub corners_in_image: [DVec2; 4],
    /// Holes of the pockets in the bed as they are seen, pixels, in the order of [`PocketName`](crate::PocketName).
    pub pockets_in_image: [CircleInImage; 6],
    /// Apparent radius of a ball at the middle of the table, pixels.
    pub ball_radius_px: f64,
    /// The lens through which it is seen; `None`: nothing is known of the camera, and balls are taken to lie in the
    /// plane of the noses.
    pub lens: Option<Lens>,
    /// 0 to 1.
    pub confidence: f64,
}

impl TableSighting {
    /// A pool table as a camera straight above its middle sees it, 100 px of picture round it: for tests, benches and
    /// examples. The playing surface's size (length along x) and the radius of a ball are metres.
    pub fn from_above(size: DVec2, ball_radius: f64, px_per_m: f64) -> Self {
        /// Usual mouths of pockets, metres.
        const POCKET_RADIUS: f64 = 0.06;
        let at = |x: f64, y: f64| DVec2::splat(100.0) + px_per_m * DVec2::new(x, y) * size;
        let pocket = |x, y| CircleInImage {
            center: at(x, y),
            radius: POCKET_RADIUS * px_per_m,
        };
        Self {
            corners_in_image: [at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0), at(0.0, 1.0)],
            pockets_in_image: [
                pocket(0.0, 0.0),
                pocket(0.5, 0.0),
                pocket(1.0, 0.0),
                pocket(1.0, 1.0),
                pocket(0.5, 1.0),
                pocket(0.0, 1.0),
            ],
            ball_radius_px: ball_radius * px_per_m,
            lens: None,
            confidence: 1.0,
        }
    }
}

/// One ball as found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BallSighting {
    /// Centre and apparent radius, pixels. Of a ball that motion has drawn out, where it was in the middle of the exposure.
    pub circle: CircleInImage,
    /// How far it went while the shutter was open, pixels: in this direction or the opposite one. `None` where that is not seen.
    pub streak_in_image: Option<DVec2>,
    /// What its colours say it is.
    pub kind: BallKind,
    /// Its number (1 to 15) where colour or print tell.
    pub number: Option<u8>,
    /// 0 to 1: how sure it is that this is a ball.
    pub confidence: f64,
}

/// The cue stick as found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CueSighting {
    /// The end towards the ball, pixels.
    pub tip_in_image: DVec2,
    /// The far end of what is seen of the stick, pixels.
    pub butt_in_image: DVec2,
    /// 0 to 1.
    pub confidence: f64,
}

/// Everything seen in the current frame. Written by detection, read by tracking.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Sightings {
    /// Balls on the playing surface, most confident first.
    pub balls: Vec<BallSighting>,
    /// The cue stick, when one lies over the table.
    pub cue: Option<CueSighting>,
}
