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
/// So many balls make such a size believed in; of those that mirror a lamp, as stickers and spots do not, one.
const LEAST_SMALL: usize = 3;
/// So many balls that all fit the size looked for to within this share leave no doubt of it.
const PLENTY: usize = 9;
const FITTING: f64 = 0.06;
/// Only what is surely a ball tells the size.
const SURE: f64 = 0.6;
/// The same where nothing is known of the size.
const SURER: f64 = 0.75;
/// The same of a lone ball by which alone such a size is believed in: all of its rim is seen.
const SUREST: f32 = 0.9;
/// A size that changed by more than this share was looked at from too far: it is looked at once more.
const LEAST_CHANGE: f64 = 0.06;

/// Measures balls by finding them. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct BallScale {
    balls: Vec<BallSighting>,
    ratios: Vec<f64>,
    /// Of the balls that told the size last: how many mirror a lamp.
    mirroring: usize,
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
        let mut best = (0.0, 0.0, 0, 0);
        let suits = |share: &&f64| is_small.is_none_or(|is_small| is_small == (**share < COMMON_SHARE));
        for share in SHARES.iter().filter(suits) {
            let radius = share * half_length;
            let (evidence, ratio, balls) = self.look(planes, table, cloth, radius, SURER);
            let mirroring = self.mirroring;
            if evidence > best.0 {
                best = (evidence, radius * ratio, balls, mirroring);
            }
            if balls >= PLENTY && (ratio - 1.0).abs() < FITTING {
                break;
            }
        }
        let (_, radius, balls, mirroring) = best;
        let is_believed = is_small == Some(true)
            || radius > COMMON_SHARE * half_length
            || balls >= LEAST_SMALL
            || mirroring > 0;
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
        self.mirroring = finder.count_of_mirroring(SUREST);
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

    #[test]
    fn one_small_ball_tells_its_size_by_the_lamp_in_it_and_a_sticker_does_not() {
        let (width, height) = (1280_usize, 720_usize);
        let (center, radius) = (glam::DVec2::new(400.3, 300.6), 8.5);
        let measured = |has_glint: bool| {
            let mut bytes = vec![128; width * height * 3 / 2];
            let mut state = 1_u32;
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let p = glam::DVec2::new(x as f64, y as f64);
                let inside = (radius + 0.5 - p.distance(center)).clamp(0.0, 1.0);
                let is_glint = has_glint && p.distance(center - 2.0) < 2.0;
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(state >> 30) - 1.5;
                let luma = if is_glint { 240.0 } else { 110.0 - 40.0 * inside };
                bytes[y * width + x] = (luma + noise) as u8;
                let chroma = width * height + (y / 2) * (width / 2) + x / 2;
                bytes[chroma] = (118.0 - 20.0 * inside) as u8;
                bytes[chroma + width * height / 4] = (100.0 + 100.0 * inside) as u8;
            }
            let (format, color) = (ghostball_world::PixelFormat::Yuv420, Default::default());
            let picture = ghostball_world::Picture::new(format, 1280, 720, color, bytes).unwrap();
            let planes = picture.planes().unwrap();
            let corners = [[60.0, 70.0], [1220.0, 70.0], [1220.0, 650.0], [60.0, 650.0]];
            let table = TableSighting {
                corners_in_image: corners.map(glam::DVec2::from),
                pockets_in_image: Default::default(),
                ball_radius_px: 13.0,
                lens: None,
                confidence: 1.0,
            };
            let mut cloth = ClothModel::new();
            cloth.learn(&planes, &table.corners_in_image);
            BallScale::default().measure(&planes, &table, &cloth, None)
        };
        let (found, _) = measured(true).unwrap();
        assert!((found / radius - 1.0).abs() < 0.06, "{found}");
        assert_eq!(measured(false), None);
    }
}
