//! What a ball's look says, whatever the game.

use glam::{Mat3, Vec3};

use super::look::Look;
use super::paint::Pattern;
use super::spread::{LN_ANY_COLOR, Spread, ln_density, outer};

/// Noise of a colour seen on a whole ball, steps of 255: what is left of 8-bit chroma and compression in a median.
const NOISE: f32 = 4.5;
/// A colour seen on this share of a ball is twice as noisy: it mixes with what is beside it.
const NOISY_SHARE: f32 = 0.1;
/// Of a ball half of which is white, this share of the other half's colour is white, too: chroma is seen at half the
/// resolution, over two or three hundredths of the ball's width on either side of a border.
const MIXED: f32 = 0.05;
/// Less white than this share of a ball has a shorter border.
const SPOT: f32 = 0.2;
/// Less than this share of a ball shows no colour that could be told.
const LEAST_SHARE: f32 = 0.02;
/// One in this many balls of which detection is sure is none, or of another set.
const ONE_IN_NAMELESS: f32 = 300.0;
/// Half of what detection doubts is a ball is none.
const DOUBTFUL: f32 = 0.5;

/// White, where it is balanced.
const WHITE: Vec3 = Vec3::new(250.0, 0.0, 0.0);

/// Share of a cue ball that spots and a maker's mark take: three of the spots on televised ones are seen at once.
const SPOTS: f32 = 0.05;
/// The shade of a low lamp looks like ink: more than this, nats, ink does not say.
const MOST_INK: f32 = 3.0;
/// Largest share of a ball that a number's disc takes.
const MOST_DISC: f32 = 0.2;
/// Mean share of a ball that mirrors a lamp: a lamp a metre long, one and a half above, is two hundredths of the half
/// sphere that a ball mirrors in most of its disc.
const GLINTS: f32 = 0.012;
/// A look, and what can be said about it before the game is known. Scores are in nats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clue {
    pub look: Look,
    /// Covariance of the noise of its colour.
    pub noise: Mat3,
    /// How likely it is none of any game's balls.
    pub nameless: f32,
    /// How likely it looks so if its pattern is each of [`Pattern::ALL`]: by how much white there is, and, where that does
    /// not depend on its paint, by its colour.
    patterns: [f32; Pattern::ALL.len()],
}

impl Clue {
    /// Of a ball that looks like this.
    pub fn of(look: Look) -> Self {
        let noise = noise_of(&look);
        let nameless = (DOUBTFUL * (1.0 - look.confidence)).max(1.0 / ONE_IN_NAMELESS);
        let pattern = |pattern: Pattern| {
            let color = match pattern {
                _ if !shows_color(&look) => no_color_score(pattern),
                Pattern::Cue => shaded_white_score(&look, noise),
                _ => 0.0,
            };
            pattern_score(&look, pattern) + color
        };
        Self {
            noise,
            nameless: LN_ANY_COLOR + libm::logf(nameless),
            patterns: Pattern::ALL.map(pattern),
            look,
        }
    }

    /// How likely it looks so if this is its pattern, but for its paint.
    pub fn pattern(&self, pattern: Pattern) -> f32 {
        self.patterns[pattern as usize]
    }

    /// Whether a name's paint says more.
    pub fn shows_color(&self) -> bool {
        shows_color(&self.look)
    }

    /// Whether enough of its colour is seen to learn from it what the paint looks like.
    pub fn tells_paint(&self) -> bool {
        self.look.color_share >= NOISY_SHARE
    }
}

fn shows_color(look: &Look) -> bool {
    look.color_share >= LEAST_SHARE
}

/// Covariance of the noise of a ball's colour. A small share of it is mixed with the white beside it.
fn noise_of(look: &Look) -> Mat3 {
    let share = look.color_share.max(LEAST_SHARE);
    let noise = NOISE * (1.0 + 0.5 * NOISY_SHARE / share);
    let mixed = MIXED * (look.white / SPOT).min(1.0) / share;
    outer(WHITE - look.color, mixed * mixed) + Mat3::from_diagonal(Vec3::splat(noise * noise))
}

/// How likely a ball shows nothing but white.
fn no_color_score(pattern: Pattern) -> f32 {
    match pattern {
        Pattern::Cue => -0.1,
        // Seen on its cap.
        Pattern::Striped => -3.2,
        Pattern::Plain | Pattern::Pale | Pattern::Numbered => -6.9,
    }
}

/// How likely a cue ball shows this colour: it is its own shade, or, in one of three, anything.
fn shaded_white_score(look: &Look, noise: Mat3) -> f32 {
    let covariance = Spread::OF_SHADED_WHITE.covariance_about(WHITE) + noise;
    let shade = ln_density(look.color - WHITE, covariance);
    let other = LN_ANY_COLOR - 1.2;
    let (more, less) = (shade.max(other), shade.min(other));
    more + libm::logf(1.0 + libm::expf(less - more)) - 0.7
}

/// How likely a ball with this pattern shows so much white, and so spread. Densities over the share of white: even over
/// what its geometry allows, normal beyond. From any side at all, the two caps of a stripe with a belt of half a
/// diameter are 0.33 to 0.8 of what is seen, and a number's disc is up to 0.2; half of the balls hide their numbers at the
/// rim or below. Where there is no white paint, lamps are mirrored.
fn pattern_score(look: &Look, pattern: Pattern) -> f32 {
    let beyond = |value: f32, limit: f32, sigma: f32| {
        let z = (value - limit).max(0.0) / sigma;
        -0.5 * z * z
    };
    let (white, spread) = (look.white, look.white_spread);
    let disc = beyond(white, MOST_DISC, 0.07) + beyond(spread, 0.12, 0.045);
    let glints = libm::expf(-white / GLINTS) / GLINTS;
    let disc_or_glints =
        |share: f32| libm::logf(share / MOST_DISC * libm::expf(disc) + (1.0 - share) * glints + 1e-30);
    match pattern {
        // Shade and spots take some.
        Pattern::Cue => 1.6 - 5.0 * (1.0 - white) - (look.ink / SPOTS).min(MOST_INK),
        Pattern::Striped => {
            0.7 + beyond(-white, -0.33, 0.09)
                + beyond(white, 0.8, 0.08)
                + beyond(-spread, -0.29, 0.06)
                + beyond(-look.color_share, -0.15, 0.05)
        }
        Pattern::Numbered => disc_or_glints(0.5),
        // Chalk marks, projected light.
        Pattern::Plain => disc_or_glints(0.05),
        Pattern::Pale => 1.0 + beyond(white, 0.3, 0.12) + beyond(spread, 0.15, 0.07),
    }
}
