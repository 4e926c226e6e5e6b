//! Where balls come that touch: physics, from what is known of them in the frame before to the moment of the next.
//!
//! A ball that nothing touches goes straight on, and its filter says where to. Balls that touch are played on by the
//! event-based simulator of `ghostball_physics`, all together: it tells who touches whom, in which order and when, however
//! many touches one frame holds. What it foresees is as good as what is known of the balls; what is seen decides.

use ghostball_physics::{BallState, EventKind, Limits, Physics, Simulator, TableShape};
use ghostball_world::TrackId;
use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::association::Way;
use crate::bed::{Bed, TableForm};
use crate::chains::Chains;
use crate::kalman::BallFilter;
use crate::spacing::{do_lean, set_apart};
use crate::track::Track;

/// Ways that come nearer than so many radii may touch: two, and what is not known of their places.
const NEAR_RADII: f64 = 2.2;
/// Share of the change of velocity, by touches, that is not foreseen: an error of a millimetre and a half in how two balls of
/// 57 mm meet turns the line of their centres by a fortieth, and thin hits by several times that.
const DOUBT: f64 = 0.2;
/// What is not known of a velocity after a touch, whatever else, m/s.
const LEAST_DOUBT: f64 = 0.02;
/// Balls that lean on each other touch again and again at speeds like this, m/s: that is one touch, told already.
const LEAST_CLOSING: f64 = 0.02;
/// Two places farther apart than so many standard deviations of a sighting are told apart.
const TELLING_SIGMAS: f64 = 4.0;
/// More events than this within one frame are no better foreseen than fewer: three times as many as a break has.
const MOST_EVENTS: usize = 200;
/// Plays of a pack, from places a little beside each other, of which the likeliest is taken. Twice as many retell no more.
const VARIANTS: usize = 16;
/// Share of a ball's way in a frame that physics does not tell, its spin and friction being unknown.
const PLAY_DOUBT: f64 = 0.03;

/// Where one ball comes in this frame, if it touches anything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    /// Centre, metres.
    pub position: DVec2,
    /// Metres per second.
    pub velocity: DVec2,
    /// Standard deviation of one component of the velocity, m/s.
    pub velocity_sigma: f64,
    /// Seconds from its first touch to the frame.
    pub since_touch_secs: f64,
    /// How many touches.
    pub touches: u32,
}

impl Foreseen {
    /// What is then known of it, where the ball was known to `sigma`, metres, when it touched.
    pub fn filter(&self, sigma: f64) -> BallFilter {
        BallFilter::after_a_touch(
            self.position,
            self.velocity,
            self.velocity_sigma,
            self.since_touch_secs,
            sigma,
        )
    }
}

/// A touch that is foreseen in this frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForeseenTouch {
    /// Seconds after the frame before.
    pub after_secs: f64,
    /// The balls, by their index among the tracks; one alone touches a cushion.
    pub balls: (usize, Option<usize>),
    /// Their names.
    pub ids: (TrackId, Option<TrackId>),
    /// Where their centres are then, metres.
    pub positions: [DVec2; 2],
    /// Their velocities before, m/s.
    pub before: [DVec2; 2],
    /// Unit vector from the first ball towards what it touches.
    pub normal: DVec2,
    /// The two balls lay against each other: what pushes one pushes the other.
    pub do_lean: bool,
    /// Whether each ball was then seen where touches bring it, rather than where it would have come without; `None` where
    /// the two are too near each other to tell, or it was not seen.
    pub seen_as_foreseen: [Option<bool>; 2],
}

/// Looks one frame ahead. Keeps its buffers; nothing is remembered from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Foresight {
    physics: Physics,
    simulator: Simulator,
    shape: TableShape,
    form: Option<TableForm>,
    /// As they are seen, and as they are played.
    measured: Vec<BallState>,
    states: Vec<BallState>,
    /// Standard deviation of one coordinate of where each was seen last, metres.
    sigmas: Vec<f64>,
    foreseen: Vec<Option<Foreseen>>,
    touches: Vec<ForeseenTouch>,
    chains: Chains,
}

impl Foresight {
    /// Per track, where it comes if it touches anything.
    pub fn foreseen(&self) -> &[Option<Foreseen>] {
        &self.foreseen
    }

    /// All touches of this frame, in order of time.
    pub fn touches(&self) -> &[ForeseenTouch] {
        &self.touches
    }

    /// Plays `tracks`, which go these `ways` if nothing stops them, on for `elapsed_secs`.
    pub fn look(&mut self, tracks: &[Track], ways: &[Way], elapsed_secs: f64, bed: &Bed) {
        self.touches.clear();
        self.foreseen.clear();
        self.foreseen.resize(tracks.len(), None);
        if elapsed_secs <= 0.0 || !may_touch(ways, elapsed_secs, bed) {
            return;
        }
        self.set_table(bed);
        self.states.clear();
        for (track, way) in tracks.iter().zip(ways) {
            let state = if track.filter.is_sliding() {
                BallState::moving(way.start, way.velocity, DVec3::ZERO)
            } else {
                BallState::rolling(way.start, way.velocity, &self.physics.ball)
            };
            self.states.push(state);
        }
        self.measured.clone_from(&self.states);
        self.play(0, ways, elapsed_secs, bed.ball_radius);
    }

    /// Plays the balls on from where they are seen, or from a little beside it.
    fn play(&mut self, variant: usize, ways: &[Way], elapsed_secs: f64, radius: f64) {
        self.touches.clear();
        self.foreseen.fill(None);
        self.states.clone_from(&self.measured);
        if variant > 0 {
            let displaced = self.states.iter_mut().zip(&self.sigmas).enumerate();
            displaced
                .for_each(|(ball, (state, sigma))| state.position += displacement(variant, ball, *sigma));
        }
        set_apart(&mut self.states, radius);
        let limits = Limits {
            events: MOST_EVENTS,
            time: elapsed_secs,
        };
        let Ok(shot) = self
            .simulator
            .run(&self.shape, &self.physics, &self.states, &limits)
        else {
            return;
        };
        for event in &shot.events {
            let balls = match event.kind {
                EventKind::BallBall { a, b } => (a, Some(b)),
                EventKind::Cushion { ball, .. } | EventKind::Jaw { ball, .. } => (ball, None),
                _ => continue,
            };
            for change in event.changes() {
                let gain = change.before.velocity.distance(change.after.velocity);
                let since_touch_secs = elapsed_secs - event.time;
                let foreseen = self.foreseen[change.ball].get_or_insert(Foreseen {
                    position: DVec2::ZERO,
                    velocity: DVec2::ZERO,
                    velocity_sigma: LEAST_DOUBT,
                    since_touch_secs,
                    touches: 0,
                });
                foreseen.touches += 1;
                foreseen.velocity_sigma += DOUBT * gain;
            }
            let second = event.second.as_ref();
            let closing =
                event.first.before.velocity - second.map_or(DVec2::ZERO, |change| change.before.velocity);
            if closing.dot(event.normal) < LEAST_CLOSING {
                continue;
            }
            let leans = |other: usize| do_lean(&self.measured[balls.0], &self.measured[other], radius);
            self.touches.push(ForeseenTouch {
                after_secs: event.time,
                balls,
                ids: (ways[balls.0].id, balls.1.map(|other| ways[other].id)),
                positions: [
                    event.first.before.position,
                    second.map_or(DVec2::ZERO, |change| change.before.position),
                ],
                before: [
                    event.first.before.velocity,
                    second.map_or(DVec2::ZERO, |change| change.before.velocity),
                ],
                normal: event.normal,
                do_lean: balls.1.is_some_and(leans),
                seen_as_foreseen: [None; 2],
            });
        }
        for (foreseen, end) in self.foreseen.iter_mut().zip(&shot.end) {
            if let Some(foreseen) = foreseen {
                (foreseen.position, foreseen.velocity) = (end.position, end.velocity);
            }
        }
    }

    /// Compares with what was then seen of `tracks`, which went these `ways` for `elapsed_secs`.
    pub fn compare(&mut self, tracks: &[Track], ways: &[Way], elapsed_secs: f64, bed: &Bed) {
        let leans = |ball: usize| {
            let ball = &self.measured[ball];
            self.measured
                .iter()
                .any(|other| other != ball && do_lean(ball, other, bed.ball_radius))
        };
        let is_of_pack = |touch: &ForeseenTouch| leans(touch.balls.0) || touch.balls.1.is_some_and(leans);
        if self.touches.iter().any(is_of_pack) {
            self.look_back(tracks, ways, elapsed_secs, bed.ball_radius);
        }
        let foreseen = &self.foreseen;
        let verdict = |ball: usize| {
            let (seen, foreseen) = (tracks[ball].seen?, foreseen[ball]?);
            let told = TELLING_SIGMAS * seen.sigma;
            let straight = ways[ball].start + elapsed_secs * ways[ball].velocity;
            let (off, went) = (foreseen.position - straight, seen.position - straight);
            if off.length() <= told {
                return None;
            }
            let goes_as_foreseen = went.dot(off) > 0.5 * off.length_squared();
            // Where a ball comes that is touched several times, as in a pack, is foreseen less well than that it is.
            Some(goes_as_foreseen || foreseen.touches > 1 && went.length() > told)
        };
        for touch in &mut self.touches {
            touch.seen_as_foreseen = [verdict(touch.balls.0), touch.balls.1.and_then(verdict)];
        }
        self.chains.tell(&mut self.touches, tracks.len());
    }

    /// Who touches whom in a pack hangs on less than can be measured: of several plays, from places a little beside those
    /// seen, takes the one that brings the balls where they are seen now.
    fn look_back(&mut self, tracks: &[Track], ways: &[Way], elapsed_secs: f64, radius: f64) {
        self.sigmas.clear();
        self.sigmas
            .extend(tracks.iter().map(|track| track.last_seen.sigma));
        let (mut best, mut best_fit) = (0, self.fit(tracks, ways, elapsed_secs));
        for variant in 1..VARIANTS {
            self.play(variant, ways, elapsed_secs, radius);
            let fit = self.fit(tracks, ways, elapsed_secs);
            if fit > best_fit {
                (best, best_fit) = (variant, fit);
            }
        }
        if best + 1 != VARIANTS {
            self.play(best, ways, elapsed_secs, radius);
        }
    }

    /// Log-likelihood of where `tracks` are seen, but for a constant, if they went as played last: their distances follow
    /// Student's distribution of one degree of freedom, as some are far off.
    fn fit(&self, tracks: &[Track], ways: &[Way], elapsed_secs: f64) -> f64 {
        let fit = |(ball, track): (usize, &Track)| {
            let seen = track.seen?;
            let straight = ways[ball].start + elapsed_secs * ways[ball].velocity;
            let place = self.foreseen[ball].map_or(straight, |foreseen| foreseen.position);
            let sigma = 2.0 * seen.sigma + PLAY_DOUBT * place.distance(ways[ball].start);
            Some(-libm::log1p(
                seen.position.distance_squared(place) / (2.0 * sigma * sigma),
            ))
        };
        tracks.iter().enumerate().filter_map(fit).sum()
    }

    fn set_table(&mut self, bed: &Bed) {
        if self.form == Some(bed.form) {
            return;
        }
        self.form = Some(bed.form);
        self.physics.ball.radius = bed.form.ball_radius;
        self.shape = bed.form.shape();
    }
}

/// Where a ball is played from in one of several variants, beside where it was seen with this standard deviation: as far off
/// as a sighting is on average, in directions that are spread evenly over variants and balls (Roberts, The Unreasonable
/// Effectiveness of Quasirandom Sequences, 2018).
fn displacement(variant: usize, ball: usize, sigma: f64) -> DVec2 {
    const PLASTIC_NUMBER: f64 = 1.324_717_957_244_746;
    let turns = variant as f64 / PLASTIC_NUMBER + ball as f64 / (PLASTIC_NUMBER * PLASTIC_NUMBER);
    let angle = std::f64::consts::TAU * turns.fract();
    std::f64::consts::SQRT_2 * sigma * DVec2::new(libm::cos(angle), libm::sin(angle))
}

/// Whether any two balls, or a ball and a cushion or jaw, come near each other.
fn may_touch(ways: &[Way], elapsed_secs: f64, bed: &Bed) -> bool {
    let near = NEAR_RADII * bed.ball_radius;
    ways.iter().enumerate().any(|(index, way)| {
        way.is_moving()
            && (bed.turns_at(way.start, way.start + elapsed_secs * way.velocity, 0.0)
                || ways
                    .iter()
                    .enumerate()
                    .any(|(other, at)| other != index && way.distance_to(at) < near))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bed::tests::geometry;
    use crate::track::Observation;

    const DT: f64 = 1.0 / 30.0;

    /// Looks a frame ahead at balls at these places with these velocities.
    fn look(balls: &[(DVec2, DVec2)]) -> (Foresight, Vec<Track>, Vec<Way>) {
        let bed = Bed::of(&geometry());
        let tracks: Vec<Track> = (1..)
            .zip(balls)
            .map(|(id, (place, _))| Track {
                id: TrackId(id),
                ..Track::new(Observation::at(*place))
            })
            .collect();
        let ways: Vec<Way> = tracks
            .iter()
            .zip(balls)
            .map(|(track, (start, velocity))| Way {
                id: track.id,
                start: *start,
                end: *start + DT * *velocity,
                velocity: *velocity,
            })
            .collect();
        let mut foresight = Foresight::default();
        foresight.look(&tracks, &ways, DT, &bed);
        (foresight, tracks, ways)
    }

    #[test]
    fn a_full_hit_passes_the_speed_on_within_the_frame() {
        let radius = geometry().ball_radius;
        let still = DVec2::new(2.0 * radius + 0.03, 0.0);
        let (mut foresight, mut tracks, ways) = look(&[(DVec2::ZERO, 2.0 * DVec2::X), (still, DVec2::ZERO)]);
        let touch = foresight.touches()[0];
        assert_eq!(touch.ids, (TrackId(1), Some(TrackId(2))));
        assert!((touch.after_secs - 0.015).abs() < 2e-4, "{touch:?}");
        let hit = foresight.foreseen()[1].unwrap();
        assert!(hit.velocity.x > 1.8 && hit.position.x > still.x + 0.03, "{hit:?}");
        tracks[0].seen = Some(Observation::at(DVec2::X * 0.031));
        tracks[1].seen = Some(Observation::at(hit.position));
        foresight.compare(&tracks, &ways, DT, &Bed::of(&geometry()));
        assert_eq!(foresight.touches()[0].seen_as_foreseen, [Some(true); 2]);
        tracks[0].seen = Some(Observation::at(ways[0].end));
        tracks[1].seen = Some(Observation::at(still));
        foresight.compare(&tracks, &ways, DT, &Bed::of(&geometry()));
        assert_eq!(foresight.touches()[0].seen_as_foreseen, [Some(false); 2]);
    }

    #[test]
    fn one_frame_may_hold_several_touches_of_one_ball() {
        let geometry = geometry();
        let radius = geometry.ball_radius;
        let at_cushion = DVec2::new(0.3, 0.5 * geometry.width - radius - 0.01);
        let second = at_cushion - DVec2::Y * (2.0 * radius + 0.02);
        let (foresight, ..) = look(&[(at_cushion, 3.0 * DVec2::Y), (second, DVec2::ZERO)]);
        let ids: Vec<_> = foresight.touches().iter().map(|touch| touch.ids).collect();
        assert_eq!(
            ids,
            [(TrackId(1), None), (TrackId(1), Some(TrackId(2)))],
            "{:?}",
            foresight.touches()
        );
    }

    #[test]
    fn balls_that_touch_nothing_are_not_played() {
        let (foresight, ..) = look(&[
            (DVec2::ZERO, DVec2::X),
            (DVec2::new(0.0, 0.3), -DVec2::X),
            (DVec2::new(-0.5, 0.0), DVec2::ZERO),
        ]);
        assert!(foresight.touches().is_empty());
        assert_eq!(foresight.foreseen(), [None; 3]);
    }

    #[test]
    fn of_two_balls_that_lean_on_each_other_the_one_was_hit_that_is_seen_to_go() {
        let radius = geometry().ball_radius;
        let apart = radius * 1.01;
        let balls = [
            (DVec2::X * -0.1, 3.0 * DVec2::X),
            (DVec2::Y * apart, DVec2::ZERO),
            (DVec2::Y * -apart, DVec2::ZERO),
        ];
        // Truly it came a millimetre to the side; by what is known in the middle.
        let mut truly = balls;
        truly[0].0.y = -1e-3;
        let (truth, ..) = look(&truly);
        let (mut foresight, mut tracks, ways) = look(&balls);
        for (track, foreseen) in tracks.iter_mut().zip(truth.foreseen()) {
            track.seen = foreseen.map(|foreseen| Observation::at(foreseen.position));
        }
        foresight.compare(&tracks, &ways, DT, &Bed::of(&geometry()));
        let first = |foresight: &Foresight| foresight.touches()[0].ids;
        assert_eq!(first(&truth), (TrackId(1), Some(TrackId(3))));
        assert_eq!(first(&foresight), first(&truth), "{:?}", foresight.touches());
    }

    #[test]
    fn balls_measured_a_millimetre_into_each_other_are_played_all_the_same() {
        let radius = geometry().ball_radius;
        let places = [0.0, 1.97, 3.94].map(|radii| DVec2::new(radii * radius, 0.0));
        let (foresight, ..) = look(&[
            (places[0], DVec2::X),
            (places[1], DVec2::ZERO),
            (places[2], DVec2::ZERO),
        ]);
        assert!(foresight.foreseen()[2].is_some_and(|last| last.velocity.x > 0.8));
    }
}
