//! Which pixels of the work picture show balls: their edges are not asked for a stick.

use ghostball_world::BallSighting;

use crate::balls::work::WorkPicture;

/// The edges of a ball's outline lie within this many radii of its centre: a tenth beside where it was found, blurred
/// over a pixel of a ball of ten.
const OUTLINE: f64 = 1.2;

/// A map of the balls, drawn anew for each picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct BallMap {
    is_ball: Vec<bool>,
    /// First and one past the last pixel of each row of each ball.
    spans: Vec<[usize; 2]>,
    width: usize,
}

impl BallMap {
    /// Forgets the last picture's balls and draws these.
    pub fn draw(&mut self, balls: &[BallSighting], work: &WorkPicture) {
        for [first, end] in self.spans.drain(..) {
            self.is_ball[first..end].fill(false);
        }
        self.width = work.width;
        self.is_ball.resize(work.width * work.height, false);
        let [x0, y0] = work.in_image(0.0, 0.0);
        let scale = work.scale as f64;
        for ball in balls {
            let [x, y] = [ball.circle.center.x - x0, ball.circle.center.y - y0].map(|v| v / scale);
            let reach = OUTLINE * ball.circle.radius / scale;
            let rows = (y - reach).ceil().max(0.0) as usize..((y + reach) as usize + 1).min(work.height);
            for row in rows {
                let half = (reach * reach - (row as f64 - y) * (row as f64 - y))
                    .max(0.0)
                    .sqrt();
                let first = ((x - half).max(0.0) as usize).min(work.width);
                let end = ((x + half).max(0.0) as usize + 1).clamp(first, work.width);
                let span = [row * work.width + first, row * work.width + end];
                self.is_ball[span[0]..span[1]].fill(true);
                self.spans.push(span);
            }
        }
    }

    /// Whether a pixel shows none.
    pub fn is_beside(&self, [x, y]: [i16; 2]) -> bool {
        !self.is_ball[y as usize * self.width + x as usize]
    }
}
