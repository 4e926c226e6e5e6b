//! What was seen and what is predicted, drawn over the picture.
//!
//! Kept as dots, row by row of the picture as it is sent: the encoder puts them into each row on its way. The picture
//! itself is neither copied nor converted for it.

use ghostball_world::{ColorEncoding, Snapshot, TableGeometry};
use glam::DVec2;

use crate::wire::color_of;

/// How far a moving ball's track is drawn ahead of it.
const TRACK_SECS: f64 = 0.25;

/// Half of a line's width for each pixel of the picture's: 2 px where it has 1280, which can be seen from across a room.
const HALF_WIDTH: f64 = 1.0 / 1280.0;

/// Longer lines than so many widths of the picture are somewhere else.
const LONGEST: f64 = 10.0;

const PATH: [u8; 3] = [255, 255, 255];
const STICK: [u8; 3] = [255, 170, 40];
const GHOST: [u8; 3] = [90, 220, 255];

/// A pixel that is drawn: full-range BT.601, as JPEG has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dot {
    pub(super) x: usize,
    pub(super) yuv: [u8; 3],
}

/// The dots of each row.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    rows: Vec<Vec<Dot>>,
    width: usize,
    /// Output pixels per pixel of the picture.
    scale: DVec2,
}

impl Overlay {
    /// Balls, their tracks, the cue stick and what is predicted, for a picture of `full` pixels that is sent at `sent`.
    pub(super) fn new(snapshot: &Snapshot, full: [u32; 2], sent: [u16; 2]) -> Self {
        let [width, height] = sent.map(usize::from);
        let mut overlay = Self {
            rows: vec![Vec::new(); height],
            width,
            scale: DVec2::new(
                width as f64 / f64::from(full[0].max(1)),
                height as f64 / f64::from(full[1].max(1)),
            ),
        };
        if let Some(table) = &snapshot.table {
            overlay.draw_prediction(snapshot, table);
            for ball in &snapshot.balls {
                if ball.is_moving {
                    let ahead = ball.position_in_table + TRACK_SECS * ball.velocity_in_table;
                    let ends = [ball.position_in_table, ahead].map(|end| table.ball_in_image(end).center);
                    overlay.line(ends, rgb(color_of(ball.kind, ball.number)));
                }
            }
        }
        for ball in &snapshot.balls {
            let color = rgb(color_of(ball.kind, ball.number));
            let predicted = |table: &TableGeometry| table.ball_in_image(ball.position_in_table);
            if let Some(circle) = ball.seen_in_image.or(snapshot.table.as_ref().map(predicted)) {
                overlay.circle(circle.center, circle.radius, color);
            }
        }
        if let Some(stick) = snapshot.cue.as_ref().and_then(|cue| cue.in_image) {
            overlay.line([stick.butt_in_image, stick.tip_in_image], STICK);
        }
        overlay
    }

    fn draw_prediction(&mut self, snapshot: &Snapshot, table: &TableGeometry) {
        let Some(prediction) = &snapshot.prediction else {
            return;
        };
        for line in &prediction.lines {
            let ends = [line.start, line.end].map(|end| table.ball_in_image(end).center);
            self.line(ends, PATH);
        }
        for ghost in &prediction.ghost_balls {
            let circle = table.ball_in_image(ghost.position);
            self.circle(circle.center, circle.radius, GHOST);
        }
    }

    /// The dots of a row.
    pub(super) fn row(&self, y: usize) -> &[Dot] {
        self.rows.get(y).map_or(&[], Vec::as_slice)
    }

    /// From one point of the picture to another.
    fn line(&mut self, ends: [DVec2; 2], color: [u8; 3]) {
        let [start, end] = ends.map(|end| self.sent_from_picture(end));
        let length = start.distance(end);
        // Also false where it is no number.
        if length <= LONGEST * self.width as f64 {
            let steps = length.ceil().max(1.0) as u32;
            for step in 0..=steps {
                self.spot(start.lerp(end, f64::from(step) / f64::from(steps)), color);
            }
        }
    }

    fn circle(&mut self, center: DVec2, radius: f64, color: [u8; 3]) {
        let pixels = std::f64::consts::TAU * radius * self.scale.max_element();
        if pixels <= LONGEST * self.width as f64 {
            let steps = pixels.ceil().max(8.0) as u32;
            for step in 0..steps {
                let turn = std::f64::consts::TAU * f64::from(step) / f64::from(steps);
                let (sin, cos) = libm::sincos(turn);
                let point = self.sent_from_picture(center + radius * DVec2::new(cos, sin));
                self.spot(point, color);
            }
        }
    }

    /// Where a point of the picture is in what is sent; (0, 0) is the centre of the first pixel of both.
    fn sent_from_picture(&self, point: DVec2) -> DVec2 {
        (point + 0.5) * self.scale - 0.5
    }

    fn spot(&mut self, center: DVec2, color: [u8; 3]) {
        let half = (HALF_WIDTH * self.width as f64).max(0.5);
        let yuv = ColorEncoding::default()
            .yuv_from_rgb(color.map(f32::from))
            .map(|sample| sample.round() as u8);
        // What is not in the picture rounds to where no row or column is.
        let [left, top] = (center - half + 0.5).floor().to_array();
        let [right, bottom] = (center + half - 0.5).ceil().to_array();
        for y in top.max(0.0) as usize..=bottom.max(-1.0) as usize {
            let Some(row) = self.rows.get_mut(y).filter(|_| bottom >= 0.0 && right >= 0.0) else {
                continue;
            };
            let columns = left.max(0.0) as usize..=right as usize;
            row.extend(columns.filter(|x| *x < self.width).map(|x| Dot { x, yuv }));
        }
    }
}

/// Of `#rrggbb`; black where it is none.
fn rgb(color: &str) -> [u8; 3] {
    let digits = color
        .strip_prefix('#')
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let [_, r, g, b] = digits.unwrap_or(0).to_be_bytes();
    [r, g, b]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn drawn(overlay: &Overlay, x: f64, y: f64) -> bool {
        let (x, y) = (x.round() as usize, y.round() as usize);
        overlay.row(y).iter().any(|dot| dot.x == x)
    }

    #[test]
    fn balls_stick_and_predicted_lines_are_drawn_where_they_are_in_the_picture() {
        let snapshot = fixture::snapshot();
        let [width, height] = snapshot.picture_size;
        let table = snapshot.table.unwrap();
        for shrunk in [1, 2] {
            let scale = f64::from(shrunk).recip();
            let sent = [width / shrunk, height / shrunk].map(|side| side as u16);
            let overlay = Overlay::new(&snapshot, [width, height], sent);
            let has = |point: DVec2| {
                let at = (point + 0.5) * scale - 0.5;
                drawn(&overlay, at.x, at.y)
            };
            for ball in &snapshot.balls {
                let circle = ball
                    .seen_in_image
                    .unwrap_or(table.ball_in_image(ball.position_in_table));
                assert!(has(circle.center + DVec2::new(circle.radius, 0.0)), "{ball:?}");
            }
            let stick = snapshot.cue.unwrap().in_image.unwrap();
            assert!(has(stick.tip_in_image.midpoint(stick.butt_in_image)));
            let line = snapshot.prediction.as_ref().unwrap().lines[0];
            assert!(has(table.ball_in_image(line.start.midpoint(line.end)).center));
            assert!(!drawn(&overlay, 2.0, 2.0), "nothing is in the corner");
        }
    }

    #[test]
    fn what_is_outside_or_no_number_is_not_drawn() {
        let mut overlay = Overlay::new(&Snapshot::default(), [64, 32], [64, 32]);
        let white = [255; 3];
        overlay.line([DVec2::new(-50.0, -50.0), DVec2::new(-1.0, 10.0)], white);
        overlay.line([DVec2::NAN, DVec2::ZERO], white);
        overlay.line([DVec2::ZERO, DVec2::new(1e300, 0.0)], white);
        overlay.circle(DVec2::ZERO, f64::INFINITY, white);
        overlay.circle(DVec2::new(1e6, 1e6), 5.0, white);
        assert!((0..32).all(|y| overlay.row(y).is_empty()));
        // Over the border: only what is inside.
        overlay.line([DVec2::new(-5.0, 5.0), DVec2::new(70.0, 40.0)], white);
        assert!((0..32).all(|y| overlay.row(y).iter().all(|dot| dot.x < 64)));
        assert!(drawn(&overlay, 5.0, 10.0));
    }
}
