//! What is painted on a ball.

use ghostball_world::BallKind;

use crate::color::{Linear, linear, mixed, smooth_step};

/// Sine of the angle between a number's centre and the edge of its white disc: 19 mm on a ball of 57 mm.
const DISC: f32 = 0.34;
/// Half the width of a stripe, in radii.
const STRIPE: f32 = 0.56;
/// Radius of a spot on a televised game's cue ball, in radii.
const SPOT: f32 = 0.13;

/// The paint of one ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BallPaint {
    color: Linear,
    white: Linear,
    pattern: Pattern,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pattern {
    Plain,
    Spotted,
    Numbered(u8),
    Striped(u8),
}

impl BallPaint {
    /// As the sets of each game have it.
    pub fn new(kind: BallKind, number: Option<u8>, has_spotted_cue_ball: bool) -> Self {
        let pattern = match (kind, number) {
            (BallKind::Cue, _) if has_spotted_cue_ball => Pattern::Spotted,
            (BallKind::Stripe, _) => Pattern::Striped(number.unwrap_or(9)),
            (BallKind::Solid | BallKind::Eight, Some(number)) => Pattern::Numbered(number),
            (BallKind::Eight, None) => Pattern::Numbered(8),
            _ => Pattern::Plain,
        };
        Self {
            color: linear(base_color(kind, number)),
            white: linear(IVORY),
            pattern,
        }
    }

    /// Albedo at a point of the unit sphere, in the ball's own axes. `blur` is about the size of a pixel, in radii.
    pub fn at(&self, [x, y, z]: [f32; 3], blur: f32) -> Linear {
        let inside = |edge: f32, value: f32| smooth_step(edge + 0.6 * blur, edge - 0.6 * blur, value);
        match self.pattern {
            Pattern::Plain => self.color,
            Pattern::Spotted => {
                let largest = x.abs().max(y.abs()).max(z.abs());
                let from_spot = (1.0 - largest * largest).max(0.0).sqrt();
                mixed(self.color, linear_spot(), inside(SPOT, from_spot))
            }
            Pattern::Numbered(number) => self.numbered(self.color, number, [x, y, z], blur),
            Pattern::Striped(number) => {
                let ground = mixed(self.white, self.color, inside(STRIPE, y.abs()));
                self.numbered(ground, number, [x, y, z], blur)
            }
        }
    }

    fn numbered(&self, ground: Linear, number: u8, [x, y, z]: [f32; 3], blur: f32) -> Linear {
        let from_axis = (x * x + y * y).sqrt();
        if from_axis > DISC + blur {
            return ground;
        }
        let disc = smooth_step(DISC + 0.6 * blur, DISC - 0.6 * blur, from_axis);
        // Mirrored on the far side, so that it reads right from there, too.
        let ink = digits(number, [x * z.signum() / DISC, y / DISC], blur / DISC);
        mixed(ground, mixed(self.white, [0.012; 3], ink), disc)
    }
}

const IVORY: [u8; 3] = [242, 237, 222];

fn linear_spot() -> Linear {
    [0.55, 0.02, 0.025]
}

/// sRGB.
fn base_color(kind: BallKind, number: Option<u8>) -> [u8; 3] {
    match kind {
        BallKind::Cue | BallKind::Unknown => IVORY,
        BallKind::Eight => [22, 22, 25],
        BallKind::Solid | BallKind::Stripe => match number.unwrap_or(1) % 8 {
            1 => [246, 190, 28],
            2 => [20, 62, 168],
            3 => [208, 30, 34],
            4 => [92, 44, 140],
            5 => [240, 108, 24],
            6 => [4, 78, 50],
            7 => [102, 18, 30],
            _ => [22, 22, 25],
        },
        BallKind::Red => [198, 20, 26],
        BallKind::Yellow => [246, 200, 40],
        BallKind::Green => [0, 88, 62],
        BallKind::Brown => [122, 64, 30],
        BallKind::Blue => [20, 84, 186],
        BallKind::Pink => [242, 134, 152],
        BallKind::Black => [22, 22, 25],
    }
}

/// Three columns by five rows, the top row first, the left column in the highest bit.
const DIGITS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b011, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

/// Share of ink, 0 to 1, at a point of a number's disc (unit radius, y up).
fn digits(number: u8, [x, y]: [f32; 2], blur: f32) -> f32 {
    let columns: u8 = if number >= 10 { 7 } else { 3 };
    // The number fills most of its disc: five rows within 1.15 radii.
    let cell = if number >= 10 { 0.19 } else { 0.23 };
    let column = x / cell + 0.5 * f32::from(columns);
    let row = 2.5 - y / cell;
    // Smooth over a pixel: mean of the cells around, weighted by their share of it.
    let reach = (0.5 * blur / cell).clamp(0.25, 1.5);
    let mut ink = 0.0;
    for r in 0..5_u8 {
        let row_share = overlap(f32::from(r), row, reach);
        if row_share == 0.0 {
            continue;
        }
        for c in 0..columns {
            if is_inked(number, r, c) {
                ink += row_share * overlap(f32::from(c), column, reach);
            }
        }
    }
    ink.min(1.0)
}

/// Share of the interval `center` ± `reach` that lies in the cell from `start` to `start` + 1.
fn overlap(start: f32, center: f32, reach: f32) -> f32 {
    let from = (center - reach).max(start);
    let to = (center + reach).min(start + 1.0);
    (to - from).max(0.0) / (2.0 * reach)
}

fn is_inked(number: u8, row: u8, column: u8) -> bool {
    let (digit, column) = match (number >= 10, column) {
        (true, 0..=2) => (number / 10, column),
        (true, 4..=6) => (number % 10, column - 4),
        (true, _) => return false,
        (false, _) => (number, column),
    };
    let rows = DIGITS[usize::from(digit % 10)];
    rows[usize::from(row.min(4))] >> (2 - column.min(2)) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stripe_has_white_caps_and_a_coloured_belt() {
        let paint = BallPaint::new(BallKind::Stripe, Some(10), false);
        assert_eq!(paint.at([0.0, 1.0, 0.0], 0.05), linear(IVORY));
        assert_eq!(paint.at([1.0, 0.0, 0.0], 0.05), linear([20, 62, 168]));
    }

    #[test]
    fn numbers_are_printed_on_both_sides() {
        let paint = BallPaint::new(BallKind::Solid, Some(1), false);
        for z in [1.0, -1.0] {
            // The stroke of the 1 passes through the middle of its disc.
            assert!(paint.at([0.0, 0.0, z], 0.02)[1] < 0.1);
        }
    }
}
