//! What a name that many balls have looks like on a table, by those balls.

use glam::{Mat3, Vec3};

use super::clue::Clue;
use super::naming::PaintInLight;
use super::paint::{Game, MOST_PAINTS, Name};

/// Balls of a name that many share: they tell what their paint looks like on this table.
pub(super) struct Siblings {
    /// The name.
    name: Option<usize>,
    count: usize,
    of_ball: Mat3,
    /// Inverse of the covariance of what is known of the paint, and that times the paint.
    information: Mat3,
    weighted: Vec3,
    /// What each ball contributed.
    contributions: [(Mat3, Vec3); MOST_SIBLINGS],
    balls: [usize; MOST_SIBLINGS],
}

/// Snooker's reds, and some that are none.
const MOST_SIBLINGS: usize = 24;

impl Siblings {
    pub fn of(game: &Game, names: &[usize], clues: &[Clue], paints: &[PaintInLight; MOST_PAINTS]) -> Self {
        let mut siblings = Self {
            name: game.names.iter().position(|name| name.count > 1),
            count: 0,
            of_ball: Mat3::ZERO,
            information: Mat3::ZERO,
            weighted: Vec3::ZERO,
            contributions: [(Mat3::ZERO, Vec3::ZERO); MOST_SIBLINGS],
            balls: [usize::MAX; MOST_SIBLINGS],
        };
        let Some(name) = siblings.name else {
            return siblings;
        };
        let paint = &paints[game.names[name].paints[0]];
        siblings.of_ball = paint.of_ball;
        siblings.information = paint.of_paint.inverse();
        siblings.weighted = siblings.information * paint.color;
        for (ball, clue) in clues.iter().enumerate() {
            if names.get(ball) != Some(&name) || !clue.tells_paint() || siblings.count == MOST_SIBLINGS {
                continue;
            }
            let information = (paint.of_ball + clue.noise).inverse();
            let weighted = information * clue.look.color;
            siblings.information += information;
            siblings.weighted += weighted;
            siblings.contributions[siblings.count] = (information, weighted);
            siblings.balls[siblings.count] = ball;
            siblings.count += 1;
        }
        siblings
    }

    /// What the paint of this name looks like, by the other balls that have it.
    pub fn posterior(&self, name: usize, ball: usize) -> Option<(Vec3, Mat3)> {
        if self.name != Some(name) || self.count == 0 {
            return None;
        }
        let own = self.balls[..self.count].iter().position(|b| *b == ball);
        let (own_information, own_weighted) = own.map_or((Mat3::ZERO, Vec3::ZERO), |i| self.contributions[i]);
        let covariance = (self.information - own_information).inverse();
        Some((
            covariance * (self.weighted - own_weighted),
            covariance + self.of_ball,
        ))
    }

    /// How much rarer the name gets by those that have it: a set has only so many. Logarithm.
    pub fn ln_share_left(&self, name: usize, of: &Name) -> f32 {
        if self.name != Some(name) || self.count == 0 {
            return 0.0;
        }
        let left = (of.count + 1).saturating_sub(self.count).max(1);
        libm::logf(left as f32 / of.count as f32)
    }
}
