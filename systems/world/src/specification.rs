//! What is known of a table and its balls before a camera has looked.

use bevy_ecs::resource::Resource;
use serde::{Deserialize, Serialize};

/// Which set of balls is in play; it decides the names balls can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BallSet {
    /// Recognised from the balls that are seen.
    #[default]
    Auto,
    /// Cue ball and 1 to 15: yellow, blue, red, purple, orange, green, maroon, black, then stripes.
    AmericanPool,
    /// As American pool, in the colours made for television: the 4 is pink, the 7 is brown.
    TvPool,
    /// Fifteen reds and six colours.
    Snooker,
    /// White, yellow and red.
    Carom,
}

/// Size of the table and its balls, from configuration. All lengths in metres.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSpecification {
    /// Playing surface between the cushion noses along the long axis.
    pub length: f64,
    /// Playing surface between the cushion noses along the short axis.
    pub width: f64,
    /// Radius of a ball; `None` means: taken from the apparent size of the balls.
    pub ball_radius: Option<f64>,
    /// Height of the cushion noses above the cloth; `None` means: as the rules have it (see [`Self::nose_height_for`]).
    pub nose_height: Option<f64>,
    /// The balls in play.
    pub ball_set: BallSet,
}

impl Default for TableSpecification {
    /// A nine-foot pool table (WPA: 2.54 m by 1.27 m); the ball's size is measured.
    fn default() -> Self {
        Self {
            length: 2.54,
            width: 1.27,
            ball_radius: None,
            nose_height: None,
            ball_set: BallSet::Auto,
        }
    }
}

impl TableSpecification {
    /// Height of the noses by the diameter of the ball that the cushions are made for: WPA, equipment specifications
    /// 2008, §7: 63.5 % ± 1 %; snooker tables have the same.
    const NOSE_BY_DIAMETER: f64 = 0.635;
    /// Radius of a pool ball, metres.
    const POOL_BALL: f64 = 0.028_575;
    /// Tables from this length on are made for snooker, whose tables of 10 and 12 feet are 3.1 and 3.6 m long; the longest
    /// others are those of carom, 2.84 m. Metres.
    pub const LEAST_SNOOKER_LENGTH: f64 = 3.0;

    /// Height of the noses above the cloth with balls of this radius, metres.
    ///
    /// Smaller tables are pool tables, whatever is played on them: their noses stand 36.3 mm high also over the balls of
    /// snooker sets. Where that is wrong (some British pool tables are made for balls of 51 mm), it is by 4 mm, which
    /// moves a ball a metre from the middle by 2 mm.
    pub fn nose_height_for(&self, ball_radius: f64) -> f64 {
        self.nose_height.unwrap_or_else(|| {
            let made_for = if self.length < Self::LEAST_SNOOKER_LENGTH {
                ball_radius.max(Self::POOL_BALL)
            } else {
                ball_radius
            };
            Self::NOSE_BY_DIAMETER * 2.0 * made_for
        })
    }
}

/// The six pockets, clockwise in the picture from the top left; also their index in every array of pockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PocketName {
    /// Corner nearest the top left of the picture.
    TopLeft,
    /// Middle pocket of the upper long cushion.
    TopMiddle,
    /// Top right corner.
    TopRight,
    /// Bottom right corner.
    BottomRight,
    /// Middle pocket of the lower long cushion.
    BottomMiddle,
    /// Bottom left corner.
    BottomLeft,
}

impl PocketName {
    /// All six, in order of their index.
    pub const ALL: [Self; 6] = [
        Self::TopLeft,
        Self::TopMiddle,
        Self::TopRight,
        Self::BottomRight,
        Self::BottomMiddle,
        Self::BottomLeft,
    ];
}
