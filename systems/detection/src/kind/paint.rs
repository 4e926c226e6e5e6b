//! What the balls of each game are painted with.
//!
//! Colours are Y, U, V of full range (BT.601) with U and V about 0, of a paint under light that makes white
//! (255, 0, 0). The rules only name colours (WPA equipment specifications §16, WPBSA rules §1.3, UMB rules art. 12); the
//! values below stand in the middle of what makers of phenolic balls sell under these names. How far one maker's paint
//! is from another's is [`Spread::OF_PAINT`](super::spread::Spread::OF_PAINT).

use ghostball_world::{BallKind, BallSet};
use glam::Vec3;

/// Most names in a set: pool's cue ball and 1 to 15.
pub(super) const MOST_NAMES: usize = 16;
/// Most paints in a set, one of a number's two counted apart.
pub(super) const MOST_PAINTS: usize = 10;

/// A paint, sRGB.
type Rgb = [u8; 3];

const WHITE: Rgb = [250, 246, 236];
const BLACK: Rgb = [24, 24, 27];
const YELLOW: Rgb = [244, 190, 32];
const BLUE: Rgb = [24, 66, 160];
const RED: Rgb = [200, 22, 46];
const PURPLE: Rgb = [92, 52, 140];
const ORANGE: Rgb = [238, 88, 34];
const GREEN: Rgb = [10, 92, 62];
const MAROON: Rgb = [118, 30, 42];
const PINK: Rgb = [232, 96, 150];
const BROWN: Rgb = [140, 74, 44];
const PLAIN_RED: Rgb = [200, 20, 26];
const PLAIN_YELLOW: Rgb = [246, 204, 40];
const SNOOKER_GREEN: Rgb = [0, 104, 84];
const SNOOKER_BROWN: Rgb = [150, 66, 40];
const SNOOKER_BLUE: Rgb = [14, 96, 180];
const SNOOKER_PINK: Rgb = [244, 130, 150];

/// Chance that a ball is on the table that lies there for most of a game.
const STAYS: f32 = 0.8;
/// The same of the cue ball, which is away while it is in hand.
const CUE_STAYS: f32 = 0.95;

/// What is painted where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// White all over, but for spots and a maker's mark.
    Cue,
    /// One paint all over.
    Plain,
    /// One paint so pale that the brightest light on it clips to white.
    Pale,
    /// One paint and two white discs with a number.
    Numbered,
    /// A belt of paint between white caps.
    Striped,
}

impl Pattern {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Cue, Self::Plain, Self::Pale, Self::Numbered, Self::Striped];
}

/// A name that a set has, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub kind: BallKind,
    pub number: Option<u8>,
    pub pattern: Pattern,
    /// Indices of the paints it comes in: usually one, given twice.
    pub paints: [usize; 2],
    /// How many balls of the set have this name.
    pub count: usize,
    /// The chance that such a ball is on the table, for the cue ball, those that end the game, and snooker's colours. The
    /// others come and go.
    pub stays: Option<f32>,
}

/// The balls of one game.
#[derive(Clone, Debug)]
pub(super) struct Game {
    pub set: BallSet,
    pub names: Vec<Name>,
    pub paints: Vec<Vec3>,
    /// How much rarer the game is than others before any ball is seen, nats.
    pub rarity: f32,
    /// The highest number; 0 without numbers.
    last: u8,
}

impl Game {
    /// All games that are told apart. Nine-ball leaves the balls beyond 9 in their box, so it is a game of its own here.
    pub fn all() -> [Self; 6] {
        [
            Self::snooker(),
            Self::pool(BallSet::AmericanPool, 15, 0.0),
            Self::pool(BallSet::AmericanPool, 9, 0.7),
            Self::pool(BallSet::TvPool, 15, 1.1),
            Self::pool(BallSet::TvPool, 9, 1.1),
            Self::carom(),
        ]
    }

    /// The name that shares its paint with this one: a solid for a stripe, a stripe for a solid.
    pub fn partner(&self, name: usize) -> Option<usize> {
        let partner = match self.names.get(name)?.number? {
            8 => return None,
            number @ 1..8 => number + 8,
            number => number - 8,
        };
        // The cue ball has index 0, so every numbered ball the index of its number.
        (usize::from(partner) < self.names.len()).then_some(usize::from(partner))
    }

    fn new(set: BallSet, last: u8, rarity: f32) -> Self {
        let mut game = Self {
            set,
            names: Vec::with_capacity(MOST_NAMES),
            paints: Vec::with_capacity(MOST_PAINTS),
            rarity,
            last,
        };
        game.add(BallKind::Cue, None, Pattern::Cue, [WHITE; 2], 1);
        game
    }

    fn add(&mut self, kind: BallKind, number: Option<u8>, pattern: Pattern, paints: [Rgb; 2], count: usize) {
        let paints = paints.map(yuv).map(|paint| {
            let known = self.paints.iter().position(|p| *p == paint);
            known.unwrap_or_else(|| {
                self.paints.push(paint);
                self.paints.len() - 1
            })
        });
        let stays = match kind {
            BallKind::Cue => Some(CUE_STAYS),
            // The only stripe of nine-ball ends it.
            BallKind::Stripe if self.last == 9 => Some(STAYS),
            BallKind::Solid | BallKind::Stripe => None,
            BallKind::Red if count > 1 => None,
            _ => Some(STAYS),
        };
        self.names.push(Name {
            kind,
            number,
            pattern,
            paints,
            count,
            stays,
        });
    }

    fn pool(set: BallSet, last: u8, rarity: f32) -> Self {
        let is_tv = set == BallSet::TvPool;
        let mut game = Self::new(set, last, rarity);
        for number in 1..=last {
            let paints = match number % 8 {
                1 => [YELLOW; 2],
                2 => [BLUE; 2],
                3 => [RED; 2],
                4 => [if is_tv { PINK } else { PURPLE }; 2],
                5 => [ORANGE; 2],
                6 => [GREEN; 2],
                // Many sets have the light brown of television with the purple of old.
                7 => [if is_tv { BROWN } else { MAROON }, BROWN],
                _ => [BLACK; 2],
            };
            let (kind, pattern) = match number {
                1..8 => (BallKind::Solid, Pattern::Numbered),
                8 => (BallKind::Eight, Pattern::Numbered),
                _ => (BallKind::Stripe, Pattern::Striped),
            };
            game.add(kind, Some(number), pattern, paints, 1);
        }
        game
    }

    fn snooker() -> Self {
        let mut game = Self::new(BallSet::Snooker, 0, 0.0);
        game.add(BallKind::Red, None, Pattern::Plain, [PLAIN_RED; 2], 15);
        for (kind, pattern, paint) in [
            (BallKind::Yellow, Pattern::Plain, PLAIN_YELLOW),
            (BallKind::Green, Pattern::Plain, SNOOKER_GREEN),
            (BallKind::Brown, Pattern::Plain, SNOOKER_BROWN),
            (BallKind::Blue, Pattern::Plain, SNOOKER_BLUE),
            (BallKind::Pink, Pattern::Pale, SNOOKER_PINK),
            (BallKind::Black, Pattern::Plain, BLACK),
        ] {
            game.add(kind, None, pattern, [paint; 2], 1);
        }
        game
    }

    fn carom() -> Self {
        let mut game = Self::new(BallSet::Carom, 0, 1.0);
        game.add(BallKind::Yellow, None, Pattern::Plain, [PLAIN_YELLOW; 2], 1);
        game.add(BallKind::Red, None, Pattern::Plain, [PLAIN_RED; 2], 1);
        game
    }
}

fn yuv(rgb: Rgb) -> Vec3 {
    let [y, u, v] = ghostball_world::ColorEncoding::default().yuv_from_rgb(rgb.map(f32::from));
    Vec3::new(y, u - 128.0, v - 128.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solids_and_stripes_of_a_paint_are_partners() {
        let [_, pool, nine_ball, ..] = Game::all();
        assert_eq!(pool.partner(3), Some(11));
        assert_eq!(pool.partner(11), Some(3));
        assert_eq!(pool.partner(8), None);
        assert_eq!(pool.partner(0), None);
        assert_eq!(nine_ball.partner(1), Some(9));
        assert_eq!(nine_ball.partner(3), None);
    }

    #[test]
    fn every_game_has_its_balls() {
        assert_eq!(
            Game::all().map(|game| game.names.iter().map(|name| name.count).sum::<usize>()),
            [22, 16, 10, 16, 10, 3]
        );
        assert!(
            Game::all()
                .iter()
                .all(|game| game.names.len() <= MOST_NAMES && game.paints.len() <= MOST_PAINTS)
        );
    }
}
