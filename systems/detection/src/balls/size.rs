//! How large balls look on a table, when nobody said: the size that the ball finder fits to what is surely a ball.

use ghostball_world::{BallSet, BallSighting, Planes, TableSighting};

use super::BallFinder;
use crate::cloth::ClothModel;
use crate::median::upper_median;
use crate::quad::Quad;

/// Sizes tried where little tells the size, as a share of half the table's length: balls of full-size snooker have 0.0147,
/// those of carom 0.0217, of pool 0.0225 (nine feet) to 0.0289 (seven). What is fitted reaches 16 % farther, so that
/// steps of 1.25 leave no gap.
const SHARES: [f64; 4] = [0.0288, 0.023, 0.0184, 0.0147];
/// Sizes below are those of full-size snooker, which also stickers and spots have.
pub(crate) const COMMON_SHARE: f64 = 0.0195;
/// So many balls make such a size believed in.
const LEAST_SMALL: usize = 3;
/// So many balls that all fit the size looked for to within this share leave no doubt of it.
const PLENTY: usize = 9;
const FITTING: f64 = 0.06;
/// Only what is surely a ball tells the size.
const SURE: f64 = 0.6;
/// The same where nothing is known of the size.
const SURER: f64 = 0.75;
/// A size that changed by more than this share was looked at from too far: it is looked at once more.
const LEAST_CHANGE: f64 = 0.06;

/// Measures balls by finding them. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct BallScale {
    balls: Vec<BallSighting>,
    ratios: Vec<f64>,
}

impl BallScale {
    /// Apparent radius of a ball at the middle of the table, pixels, where the radius in `table` is about right, and how
    /// many balls told it; `None` where no ball is surely seen. Costs as much as finding balls once or twice.
    pub fn refine(
        &mut self,
        planes: &Planes,
        table: &TableSighting,
        cloth: &ClothModel,
    ) -> Option<(f64, usize)> {
        let mut radius = table.ball_radius_px;
        let mut count = 0;
        for _ in 0..2 {
            let (_, ratio, balls) = self.look(planes, table, cloth, radius, SURE);
            if balls == 0 {
                break;
            }
            (radius, count) = (radius * ratio, balls);
            if (ratio - 1.0).abs() < LEAST_CHANGE {
                break;
            }
        }
        (count > 0).then_some((radius, count))
    }

    /// The same where nothing is known of the size but, where that is seen, whether pockets are for such small balls as those
    /// of full-size snooker. Costs as much as finding balls a few times.
    pub fn measure(
        &mut self,
        planes: &Planes,
        table: &TableSighting,
        cloth: &ClothModel,
        is_small: Option<bool>,
    ) -> Option<(f64, usize)> {
        let half_length = 0.5 * Quad::new(table.corners_in_image).length();
        let mut best = (0.0, 0.0, 0);
        let suits = |share: &&f64| is_small.is_none_or(|is_small| is_small == (**share < COMMON_SHARE));
        for share in SHARES.iter().filter(suits) {
            let radius = share * half_length;
            let (evidence, ratio, balls) = self.look(planes, table, cloth, radius, SURER);
            if evidence > best.0 {
                best = (evidence, radius * ratio, balls);
            }
            if balls >= PLENTY && (ratio - 1.0).abs() < FITTING {
                break;
            }
        }
        let (_, radius, balls) = best;
        let is_believed =
            is_small == Some(true) || radius > COMMON_SHARE * half_length || balls >= LEAST_SMALL;
        (balls > 0 && is_believed).then_some((radius, balls))
    }

    /// How much speaks for balls of about this size; the median ratio of the radii that were fitted; of how many balls.
    fn look(
        &mut self,
        planes: &Planes,
        table: &TableSighting,
        cloth: &ClothModel,
        radius: f64,
        sure: f64,
    ) -> (f64, f64, usize) {
        let table = TableSighting {
            ball_radius_px: radius,
            ..*table
        };
        let size = [planes.luma.width as u32, planes.luma.height as u32];
        let mut finder = BallFinder::new(&table, size, BallSet::Auto).with_guessed_size();
        finder.find_nameless(planes, cloth, &mut self.balls);
        self.balls.retain(|ball| ball.confidence >= sure);
        // Large things that look like balls are rarer than small ones: what speaks for a ball grows with its area.
        let surely = |ball: &BallSighting| (ball.confidence - sure + 0.01) * (ball.confidence - sure + 0.01);
        let evidence = radius * radius * self.balls.iter().map(surely).sum::<f64>();
        self.ratios.clear();
        self.ratios
            .extend(self.balls.iter().map(|ball| finder.size_against_expected(ball)));
        let ratio = upper_median(&mut self.ratios).unwrap_or(1.0);
        (evidence, ratio, self.ratios.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BALLS, Drawn, draw};

    #[test]
    fn the_size_of_balls_is_measured_where_nobody_told() {
        let drawn = Drawn::default();
        let picture = draw(&drawn);
        let planes = picture.planes().unwrap();
        let mut cloth = ClothModel::new();
        cloth.learn(&planes, &drawn.corners_in_image);
        let told_wrong = TableSighting {
            corners_in_image: drawn.corners_in_image,
            pockets_in_image: Default::default(),
            ball_radius_px: 3.0,
            lens: None,
            confidence: 1.0,
        };
        let (radius, count) = BallScale::default()
            .measure(&planes, &told_wrong, &cloth, None)
            .unwrap();
        let expected = 0.5 * drawn.ball_radius * Quad::new(drawn.corners_in_image).length();
        assert!(
            (radius / expected - 1.0).abs() < 0.05 && count + 1 >= BALLS.len(),
            "{radius} of {count}"
        );
    }
}
