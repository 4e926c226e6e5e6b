//! Which candidates are balls.
//!
//! A ball shows a rim against cloth, or against another ball. So all candidates that could be balls and do not overlap
//! are taken at first; then those go, worst first, whose rim borders on something that is neither cloth nor one of the
//! others. What is broad (an arm, a plank) loses its candidates so from its border inwards; balls in a rack explain each
//! other and stay. What had been kept out only by a candidate that went gets its turn after that.

use glam::DVec2;

use super::ellipse::Ellipse;
use super::place::BallPlace;
use super::rim::{RAYS, Rays, Rim, WHOLE_RIM};
use super::votes::Candidate;

/// Two balls side by side on a flat cloth are two radii apart; perspective and errors take less than this off.
pub(super) const NEAREST_CENTERS: f64 = 1.6;
/// Centres nearer than this share of that are of one thing.
const SAME_PLACE: f64 = 0.2;
/// So much of the side of a candidate that is away from another one tells whether it is a shadow.
const MOST_OF_A_SIDE: f32 = 0.7;
/// Balls farther apart than this many radii do not show behind each other's rims.
const FARTHEST_NEIGHBOURS: f64 = 3.0;
/// A place within this many radii of a ball's centre shows that ball.
const EXPLAINS: f64 = 1.15;
/// And so many pixels more, over which its edge is blurred.
const BLUR: f64 = 1.0;
/// Least share of the rim that has to be seen and explained.
pub(super) const LEAST_SCORE: f32 = 0.7;
/// How much less is asked of a candidate that is wholly surrounded by balls: nothing but a ball fits into such a gap,
/// and little of its rim is seen.
const SURROUNDED: f32 = 0.25;
/// How much less still where a lamp is mirrored in it, from none of what is half surrounded: a quarter of a rim is then
/// enough, as between balls of one colour no more may be seen.
const SURROUNDED_GLOSSY: f32 = 0.2;
/// Least share of the inside that has to differ from lit cloth.
const LEAST_DARK_FILL: f32 = 0.9;
/// Of what could in part be cloth, marked or shaded, or has no highlight, so much of a rim has to vote for it.
const SURE_FILL: f32 = 0.85;
const SHADY_VOTES: f32 = 1.5;
/// What has a [`WHOLE_RIM`] and is brighter in places than lit cloth is a ball if so much of its inside is not lit cloth:
/// whatever its colour is.
const LEAST_WHOLE_FILL: f32 = 0.7;
/// The same of what could be a shadow by its colours: the ball that throws one hides a fifth of its rim or more.
const WHOLE_SHADE: u32 = 28;
/// How much a ray counts that sees what could be cloth in a shadow where the ball should be: a ball of the cloth's own
/// colour looks so all over, a place beside a stick in part.
const WEIGHT_SHADE: f32 = 0.75;
/// How much a ray counts that looks at another ball, or over a cushion or into a pocket, against one that looks at
/// cloth: an edge there is a weaker sign.
const WEIGHT_EXPLAINED: f32 = 0.6;
const WEIGHT_BEYOND: f32 = 0.4;
/// How much a ray counts against a ball where no edge is seen towards the ball that it touches.
const EXCUSED: f32 = 0.3;
/// How much a ray counts that sees an edge, with neither cloth nor a known ball behind it.
const CREDIT: f32 = 0.25;
/// Votes are evidence of their own: edges of a disc point to one centre, edges of clutter do not. So many votes, as a
/// share of a whole rim, count neither for nor against a ball; more than the most add nothing.
const USUAL_VOTES: f32 = 1.2;
const MOST_VOTES: f32 = 2.5;
const WEIGHT_VOTES: f32 = 0.3;
/// Rounds of taking and pruning; two do for almost all pictures.
const ROUNDS: usize = 4;

/// Buffers of the choice.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    order: Vec<usize>,
    is_out: Vec<bool>,
    scores: Vec<f32>,
    /// How far scores are above what is asked for.
    margins: Vec<f32>,
    /// Indices of the balls, best first.
    pub chosen: Vec<usize>,
}

impl Choice {
    /// Score of a candidate when it was last looked at, 0 to 1.
    pub fn score(&self, index: usize) -> f32 {
        self.scores.get(index).copied().unwrap_or(0.0)
    }

    /// Chooses the balls among candidates.
    pub fn choose(&mut self, rims: &[(Candidate, Rim)], place: &BallPlace, rays: &Rays) {
        self.chosen.clear();
        self.scores.clear();
        self.scores.resize(rims.len(), 0.0);
        self.margins.clear();
        self.margins.resize(rims.len(), 0.0);
        self.is_out.clear();
        self.is_out
            .extend(rims.iter().map(|candidate| !may_be_ball(candidate)));
        self.leave_shadows(rims, place, rays);
        self.order.clear();
        self.order.extend((0..rims.len()).filter(|i| !self.is_out[*i]));
        self.order
            .sort_by(|a, b| promise(&rims[*b]).total_cmp(&promise(&rims[*a])).then(a.cmp(b)));
        for _ in 0..ROUNDS {
            let before = self.chosen.len();
            self.take(rims, place);
            if self.chosen.len() == before {
                break;
            }
            self.prune(rims, place, rays);
        }
        let scores = &self.scores;
        self.chosen
            .sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    }

    /// Of two candidates in each other's way, one may be a ball and the other lie half on it and half on its shadow: what
    /// each shows on the side away from the other tells.
    fn leave_shadows(&mut self, rims: &[(Candidate, Rim)], place: &BallPlace, rays: &Rays) {
        for i in 0..rims.len() {
            let rim = &rims[i].1;
            if self.is_out[i] || rim.covered == !0 {
                continue;
            }
            let nearest = NEAREST_CENTERS * place.radius_at(rim.ellipse.center);
            let is_shadow = rims.iter().any(|other| {
                let away = rim.ellipse.center - other.1.ellipse.center;
                let distance = away.length();
                SAME_PLACE * nearest < distance
                    && distance < nearest
                    && best_score(other) >= LEAST_SCORE
                    && is_shade(rim, rays_towards(rays, away))
                    && is_paint(&other.1, rays_towards(rays, -away))
            });
            self.is_out[i] = is_shadow;
        }
    }

    fn take(&mut self, rims: &[(Candidate, Rim)], place: &BallPlace) {
        for i in &self.order {
            let center = rims[*i].1.ellipse.center;
            let nearest = NEAREST_CENTERS * place.radius_at(center);
            let is_free = |j: &usize| rims[*j].1.ellipse.center.distance(center) >= nearest;
            if !self.is_out[*i] && self.chosen.iter().all(is_free) {
                self.chosen.push(*i);
            }
        }
    }

    fn prune(&mut self, rims: &[(Candidate, Rim)], place: &BallPlace, rays: &Rays) {
        for at in 0..self.chosen.len() {
            self.look_again(self.chosen[at], rims, place, rays);
        }
        while let Some(at) = (0..self.chosen.len())
            .min_by(|a, b| self.margins[self.chosen[*a]].total_cmp(&self.margins[self.chosen[*b]]))
        {
            let worst = self.chosen[at];
            if self.margins[worst] >= 0.0 {
                break;
            }
            self.chosen.swap_remove(at);
            self.is_out[worst] = true;
            for at in 0..self.chosen.len() {
                if are_neighbours(&rims[self.chosen[at]].1, &rims[worst].1) {
                    self.look_again(self.chosen[at], rims, place, rays);
                }
            }
        }
    }

    fn look_again(&mut self, i: usize, rims: &[(Candidate, Rim)], place: &BallPlace, rays: &Rays) {
        let explained = explained(i, &self.chosen, rims, place, rays);
        // A place at a cushion or pocket is no gap among balls: other things fit in there.
        let surrounding = if rims[i].1.beyond == 0 { explained } else { 0 };
        let share = surrounding.count_ones() as f32 / RAYS as f32;
        self.scores[i] = score(&rims[i], explained);
        let glossy = if rims[i].1.is_glossy {
            (2.0 * share - 1.0).max(0.0)
        } else {
            0.0
        };
        let least = LEAST_SCORE - SURROUNDED * share - SURROUNDED_GLOSSY * glossy;
        self.margins[i] = self.scores[i] - least;
    }
}

/// Rays within 60 degrees of a direction.
fn rays_towards(rays: &Rays, direction: DVec2) -> u32 {
    let [x, y] = direction.normalize_or_zero().as_vec2().to_array();
    (0..RAYS).fold(0, |towards, ray| {
        towards | u32::from(rays.cos[ray] * x + rays.sin[ray] * y > 0.5) << ray
    })
}

/// Whether most of these rays see cloth in a shadow; whether most see something that is no cloth.
fn is_shade(rim: &Rim, rays: u32) -> bool {
    share(rim.dark & !rim.covered & rays, rays) >= MOST_OF_A_SIDE
}

fn is_paint(rim: &Rim, rays: u32) -> bool {
    share(rim.covered & rays, rays) >= MOST_OF_A_SIDE
}

/// Which of two candidates in each other's way is tried first: the one with more votes, more of a rim, more inside.
fn promise(candidate: &(Candidate, Rim)) -> f32 {
    let rim = candidate.1.agreeing.count_ones() as f32;
    candidate.0.share.min(MOST_VOTES) * best_score(candidate) * (0.5 + 0.5 * candidate.1.fill) * rim
}

fn are_neighbours(a: &Rim, b: &Rim) -> bool {
    a.ellipse.center.distance(b.ellipse.center) < FARTHEST_NEIGHBOURS * a.ellipse.radius
}

/// Rays of ball `i` that look at one of the other balls. Among others, with blur between them, a ball seems smaller than it is.
fn explained(i: usize, balls: &[usize], rims: &[(Candidate, Rim)], place: &BallPlace, rays: &Rays) -> u32 {
    let rim = &rims[i].1;
    balls
        .iter()
        .filter(|j| **j != i)
        .map(|j| &rims[*j].1)
        .filter(|other| are_neighbours(rim, other))
        .map(|other| {
            let Ellipse { center, radius, .. } = other.ellipse;
            let radius = radius.max(place.radius_at(center));
            rim.rays_that_see(rays, center, EXPLAINS * radius + BLUR)
        })
        .fold(0, |all, seen| all | seen)
}

/// How sure it is that a candidate is a ball; `explained` are the rays that look at other balls.
fn score((candidate, rim): &(Candidate, Rim), explained: u32) -> f32 {
    let is_whole = is_whole(rim);
    // Where a lamp is mirrored and hardly anything is lit cloth, less may be unlike it by much.
    let is_filled = rim.dark_fill >= LEAST_DARK_FILL || rim.is_glossy && rim.dark_fill >= LEAST_WHOLE_FILL;
    if !is_filled && !is_whole || rim.is_hollow {
        return 0.0;
    }
    let may_be_cloth = rim.fill < SURE_FILL || !rim.has_highlight;
    // No shadow or mark has an edge all round, and something else than shaded cloth behind it.
    let is_round = (rim.agreeing & rim.covered).count_ones() >= WHOLE_SHADE;
    if may_be_cloth && !is_whole && !is_round && candidate.share < SHADY_VOTES && !rim.is_glossy {
        return 0.0;
    }
    let votes = WEIGHT_VOTES * (candidate.share.min(MOST_VOTES) - USUAL_VOTES);
    (rim_score(rim, explained) + votes).clamp(0.0, 1.0)
}

pub(super) fn is_whole(rim: &Rim) -> bool {
    let seen = (rim.agreeing & rim.free).count_ones();
    let least = if rim.is_shade { WHOLE_SHADE } else { WHOLE_RIM };
    seen >= least && rim.has_highlight && rim.dark_fill >= LEAST_WHOLE_FILL
}

/// Share of the rim that is seen and explained.
fn rim_score(rim: &Rim, explained: u32) -> f32 {
    let is_whole = is_whole(rim);
    // A shadow lies beside the ball that throws it.
    let may_be_shadow = rim.is_shade && explained != !0 && explained != 0;
    if !is_whole && (rim.is_shade && !rim.has_highlight || may_be_shadow && !rim.is_glossy) {
        return 0.0;
    }
    let edge = if is_whole {
        rim.agreeing
    } else {
        rim.agreeing & (rim.covered | rim.dark)
    };
    let seen = edge & (rim.free | explained | rim.beyond);
    let explained = explained & !rim.free;
    let beyond = rim.beyond & !explained;
    let weigh = |rays: u32| {
        let [b, e] = [rays & beyond, rays & explained].map(|r| r.count_ones() as f32);
        rays.count_ones() as f32 - (1.0 - WEIGHT_BEYOND) * b - (1.0 - WEIGHT_EXPLAINED) * e
    };
    let excused = (rim.covered | rim.dark) & explained & !seen;
    let shade = WEIGHT_SHADE + (1.0 - WEIGHT_SHADE) * share(edge & rim.covered, edge);
    shade * (weigh(seen) + CREDIT * weigh(edge & !seen)) / (weigh(!0) - (1.0 - EXCUSED) * weigh(excused))
}

fn share(rays: u32, of: u32) -> f32 {
    rays.count_ones() as f32 / of.count_ones().max(1) as f32
}

/// Whether a candidate is a ball even if nothing beside it is, and no part of it may be shadow.
pub(super) fn stands_alone(candidate: &(Candidate, Rim)) -> bool {
    score(candidate, 0) >= LEAST_SCORE
        && candidate.1.fill >= SURE_FILL
        && candidate.1.agreeing.count_ones() >= WHOLE_SHADE
}

/// Whether a candidate is a ball if all that is beside it are.
pub(super) fn may_be_ball(candidate: &(Candidate, Rim)) -> bool {
    best_score(candidate) >= LEAST_SCORE - SURROUNDED
}

/// The score if all neighbours were balls.
fn best_score(candidate: &(Candidate, Rim)) -> f32 {
    score(candidate, !0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disc_is_a_ball_though_its_band_could_be_cloth_and_few_edges_vote_for_it() {
        let of_a_band_like_shaded_cloth = Rim {
            dark_fill: 1.0,
            fill: 0.75,
            has_highlight: true,
            agreeing: !0,
            covered: !0,
            dark: !0,
            // Beside others.
            free: 0x001f_ffff,
            ..Rim::default()
        };
        let candidate = Candidate {
            center: DVec2::ZERO,
            share: 1.4,
        };
        let stands = |rim| score(&(candidate, rim), !0) >= LEAST_SCORE;
        assert!(stands(of_a_band_like_shaded_cloth));
        let with_gaps = 0x00ff_ffff;
        assert!(!stands(Rim {
            agreeing: with_gaps,
            ..of_a_band_like_shaded_cloth
        }));
        // A lamp is mirrored in it, and hardly any of it could be lit cloth.
        let mirroring = Rim {
            dark_fill: 0.8,
            is_glossy: true,
            ..of_a_band_like_shaded_cloth
        };
        assert!(stands(mirroring));
        assert!(!stands(Rim {
            is_glossy: false,
            ..mirroring
        }));
    }

    #[test]
    fn a_whole_rim_is_a_balls_whatever_its_colour_but_not_a_rings() {
        let of_cloths_colour = Rim {
            dark_fill: 0.9,
            fill: 0.1,
            is_shade: true,
            has_highlight: true,
            agreeing: 0x0fff_ffff,
            dark: !0,
            free: !0,
            ..Rim::default()
        };
        let candidate = Candidate {
            center: DVec2::ZERO,
            share: 1.4,
        };
        let stands = |rim| score(&(candidate, rim), 0) >= LEAST_SCORE;
        assert!(stands(of_cloths_colour));
        let of_a_shadow = 0x00ff_ffff;
        assert!(!stands(Rim {
            free: of_a_shadow,
            ..of_cloths_colour
        }));
        let half = 0xffff;
        assert!(!stands(Rim {
            free: half,
            ..of_cloths_colour
        }));
        assert!(!stands(Rim {
            is_hollow: true,
            ..of_cloths_colour
        }));
        assert!(!stands(Rim {
            has_highlight: false,
            ..of_cloths_colour
        }));
    }

    #[test]
    fn a_neighbour_that_blur_makes_smaller_explains_as_much_as_it_covers() {
        let (place, rays) = (BallPlace::from_above(), Rays::default());
        let at = |x: f64, radius: f64| {
            let center = DVec2::new(x, 300.0);
            let ellipse = Ellipse::circle(center, radius);
            let rim = Rim {
                ellipse,
                ..Rim::default()
            };
            (Candidate { center, share: 1.0 }, rim)
        };
        let by = |radius: f64| explained(0, &[0, 1], &[at(300.0, 15.0), at(330.0, radius)], &place, &rays);
        assert_eq!(by(12.0), by(place.radius_at(DVec2::new(330.0, 300.0))));
        assert_eq!(by(12.0).count_ones(), 7, "35 degrees to both sides");
    }

    #[test]
    fn what_lies_half_on_a_ball_and_half_on_its_shadow_gives_way_to_the_ball() {
        let place = BallPlace::from_above();
        let rays = Rays::default();
        let at = |x: f64, votes: f32, covered: u32| {
            let center = DVec2::new(x, 300.0);
            let ellipse = Ellipse::circle(center, 15.0);
            let rim = Rim {
                ellipse,
                fill: 0.9,
                dark_fill: 1.0,
                has_highlight: true,
                agreeing: !0,
                covered,
                dark: !0,
                free: !0,
                ..Rim::default()
            };
            (Candidate { center, share: votes }, rim)
        };
        // On the right of the ball, and covered on the left alone.
        let left = rays_towards(&rays, -DVec2::X);
        let rims = [at(312.0, 2.4, left), at(300.0, 1.5, !0)];
        let mut choice = Choice::default();
        choice.choose(&rims, &place, &rays);
        assert_eq!(choice.chosen, [1]);
        // One that is covered all round is a ball, and has more votes.
        let rims = [at(312.0, 2.4, !0), at(300.0, 1.5, !0)];
        choice.choose(&rims, &place, &rays);
        assert_eq!(choice.chosen, [0]);
    }

    #[test]
    fn what_shows_little_of_a_rim_is_a_ball_in_a_gap_among_balls_but_not_in_a_pockets_mouth() {
        let (place, rays) = (BallPlace::from_above(), Rays::default());
        let rim = |center: DVec2, agreeing: u32, beyond: u32| {
            let ellipse = Ellipse::circle(center, 15.0);
            let rim = Rim {
                ellipse,
                fill: 1.0,
                dark_fill: 1.0,
                has_highlight: true,
                agreeing,
                beyond,
                covered: !0,
                dark: !0,
                free: if agreeing == !0 { !0 } else { 0 },
                ..Rim::default()
            };
            (Candidate { center, share: 1.2 }, rim)
        };
        let middle = DVec2::new(300.0, 300.0);
        let is_chosen = |beyond: u32, neighbours: i32, is_glossy: bool| {
            let mut rims = vec![rim(middle, 0xff, beyond)];
            rims[0].1.is_glossy = is_glossy;
            rims.extend((0..neighbours).map(|i| {
                let (sin, cos) = libm::sincos(std::f64::consts::TAU * f64::from(i) / 6.0);
                rim(middle + 30.0 * DVec2::new(cos, sin), !0, 0)
            }));
            let mut choice = Choice::default();
            choice.choose(&rims, &place, &rays);
            choice.chosen.contains(&0)
        };
        assert!(is_chosen(0, 6, false));
        assert!(!is_chosen(1 << 31, 6, false));
        // Less where a lamp is mirrored.
        assert!(is_chosen(0, 5, true));
        assert!(!is_chosen(0, 5, false));
    }
}
