//! What is really there, beside each frame.

use ghostball_world::{BallKind, CircleInImage};
use glam::DVec2;

/// One ball on the bed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueBall {
    /// Names this ball from the rack until it is potted or the balls are racked again; never used again.
    pub id: u32,
    /// What it is; never `Unknown`.
    pub kind: BallKind,
    /// Its number, 1 to 15, on a pool ball other than the cue ball.
    pub number: Option<u8>,
    /// Its centre, metres.
    pub position_in_table: DVec2,
    /// Metres per second.
    pub velocity_in_table: DVec2,
    /// Whether it moves.
    pub is_moving: bool,
    /// The ellipse that the sphere's outline makes in the picture: its exact centre (not the image of the sphere's
    /// centre, which lies up to a tenth of a pixel further in), and the radius of the circle of the same area.
    pub circle_in_image: CircleInImage,
    /// How far it goes in the picture while the shutter is open, pixels; the circle is that in the middle of this way.
    pub streak_in_image: DVec2,
    /// Share of the outline's area that is seen, 0 to 1: not behind a ball or the cue stick, not outside the picture.
    pub visible_share: f64,
}

/// The cue stick, while its tip is over the playing surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueCue {
    /// Foremost point of the tip, seen from straight above, metres.
    pub tip_in_table: DVec2,
    /// Rear end of the stick, seen from straight above, metres. Usually outside the table.
    pub butt_in_table: DVec2,
    /// The same point of the tip in the picture.
    pub tip_in_image: DVec2,
    /// The rear end in the picture's plane, pixels. Usually outside the picture.
    pub butt_in_image: DVec2,
}

/// Something that touched a ball.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// The stick's tip.
    Stick,
    /// Another ball, by its id.
    Ball(u32),
    /// A cushion or the rounded end of one.
    Cushion,
    /// No more: it fell into a pocket.
    Pocket,
}

/// A touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueContact {
    /// Simulated time, seconds since the first frame.
    pub time_secs: f64,
    /// The ball, by its id.
    pub ball: u32,
    /// What it touched.
    pub touched: Touched,
}

/// The table in the picture. It stands still.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrueTable {
    /// Where the lines of the cushion noses meet, at the noses' height; clockwise TL TR BR BL.
    pub corners_in_image: [DVec2; 4],
    /// The same corners at the height of the balls' centres: a homography from these places balls exactly
    /// (but for the tenth of a pixel of [`TrueBall::circle_in_image`]).
    pub corners_at_ball_height_in_image: [DVec2; 4],
    /// Holes of the pockets in the bed, in the order of [`PocketName`](ghostball_world::PocketName); empty on a
    /// carom table. Centre and radius as for a ball: of the ellipse, and of the circle of its area.
    pub pockets_in_image: Vec<CircleInImage>,
}

/// Everything that is in one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroundTruth {
    /// Counts the frames from 0.
    pub frame_number: u64,
    /// Simulated time of the frame, seconds since the first.
    pub time_secs: f64,
    /// Balls on the bed, in order of `id`.
    pub balls: Vec<TrueBall>,
    /// The cue stick, while its tip is over the playing surface.
    pub cue: Option<TrueCue>,
    /// What touched since the frame before, in order of time.
    pub contacts: Vec<TrueContact>,
    /// The table.
    pub table: TrueTable,
}
