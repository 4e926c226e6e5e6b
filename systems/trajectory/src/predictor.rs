//! From what is believed of the table to where the balls will go.

use bevy_ecs::resource::Resource;
use ghostball_physics::{BallState, Limits, Physics, Simulator, Strike, strike};
use ghostball_world::{CuePose, Origin, Prediction, Stroke, TableGeometry, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::aim::{aim_of, struck};
use crate::course::Narrator;
use crate::fan::{Fan, MOST_EVENTS};
use crate::scene::{BallOnTable, Scene, state_of};
use crate::spread::Spread;

/// A ball at rest that is believed to lie less than this far from where it was predicted from, in radii, has not moved:
/// half a millimetre, well below what is measured.
const UNMOVED_RADII: f64 = 0.02;
/// A stick whose ends moved less than this, metres, is held still.
const UNMOVED_STICK: f64 = 1e-3;
/// A shot longer than this is not looked at further.
const LIMITS: Limits = Limits {
    events: 300,
    time: 30.0,
};

/// What predictions assume. From configuration and calibration.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct PredictConfig {
    /// Speed of the aimed stick at impact, m/s, above 0: nobody knows it before the stroke. 2 m/s sends the cue ball
    /// about twice up and down the table, a usual shot.
    pub assumed_speed: f64,
    /// Scatter of that speed, as a share of it, 0 to 1.
    pub stick_speed_sigma: f64,
    /// Scatter of the direction in which the stick is seen, radians: half a degree is what two pixels at each end of
    /// half a visible stick amount to.
    pub aim_sigma: f64,
    /// Whether the chances of pots are worked out, which takes twenty more simulations per frame.
    pub outcomes: bool,
    /// How balls, cloth and cushions behave. The radius is replaced by that of the table's balls.
    pub physics: Physics,
}

impl Default for PredictConfig {
    fn default() -> Self {
        Self {
            assumed_speed: 2.0,
            stick_speed_sigma: 0.25,
            aim_sigma: 0.009,
            outcomes: true,
            physics: Physics::default(),
        }
    }
}

/// Predicts; keeps its buffers and what it predicted from last.
#[derive(Clone, Debug)]
pub struct Predictor {
    config: PredictConfig,
    scene: Scene,
    simulator: Simulator,
    narrator: Narrator,
    fan: Fan,
    spreads: Vec<Spread>,
    balls: Vec<BallOnTable>,
    cue: Option<CuePose>,
    /// A prediction that is not shown, for its buffers.
    spare: Option<Prediction>,
}

/// What a [`Predictor`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PredictorMemory {
    assumed_speed: f64,
    geometry: Option<TableGeometry>,
    balls: Vec<BallOnTable>,
    cue: Option<CuePose>,
}

/// The ball that a prediction is about, and how it starts.
struct Start<'a> {
    origin: Origin,
    ball: usize,
    spread: Spread,
    confidence: f64,
    /// Its state, with offsets of direction and speed in standard deviations.
    state: &'a dyn Fn(f64, f64) -> BallState,
}

impl Predictor {
    /// A predictor that has seen nothing yet.
    pub fn new(config: PredictConfig) -> Self {
        Self {
            config,
            scene: Scene::new(config.physics),
            simulator: Simulator::new(),
            narrator: Narrator::default(),
            fan: Fan::default(),
            spreads: Vec::new(),
            balls: Vec::new(),
            cue: None,
            spare: None,
        }
    }

    /// What it predicted from last: only what differs from that is news.
    pub fn memory(&self) -> PredictorMemory {
        PredictorMemory {
            assumed_speed: self.config.assumed_speed,
            geometry: self.scene.geometry().copied(),
            balls: self.balls.clone(),
            cue: self.cue,
        }
    }

    /// Goes on from a memory, with what else `config` says.
    pub fn with_memory(config: PredictConfig, memory: PredictorMemory) -> Self {
        let mut predictor = Self::new(PredictConfig {
            assumed_speed: memory.assumed_speed,
            ..config
        });
        if let Some(geometry) = &memory.geometry {
            predictor.scene.set_table(geometry);
        }
        Self {
            balls: memory.balls,
            cue: memory.cue,
            ..predictor
        }
    }

    /// Whether anything is different from when [`predict`](Self::predict) was called last; remembers it if so. `balls`
    /// in order of name.
    pub fn is_news(
        &mut self,
        config: &PredictConfig,
        geometry: &TableGeometry,
        balls: &[BallOnTable],
        cue: Option<&CuePose>,
    ) -> bool {
        let mut news = false;
        if self.config != *config {
            *self = Self::new(*config);
            news = true;
        }
        news |= self.scene.set_table(geometry);
        let near = UNMOVED_RADII * geometry.ball_radius;
        if self.balls.len() != balls.len()
            || self
                .balls
                .iter()
                .zip(balls)
                .any(|(before, now)| is_changed(before, now, near))
        {
            self.balls.clear();
            self.balls.extend_from_slice(balls);
            news = true;
        }
        let same_cue = match (&self.cue, cue) {
            (None, None) => true,
            (Some(before), Some(now)) => {
                before.tip_in_table.distance(now.tip_in_table) < UNMOVED_STICK
                    && before.butt_in_table.distance(now.butt_in_table) < UNMOVED_STICK
            }
            _ => false,
        };
        if !same_cue {
            self.cue = cue.copied();
            news = true;
        }
        news
    }

    /// Forgets the table.
    pub fn clear(&mut self) {
        *self = Self::new(self.config);
    }

    /// Predicts from what [`is_news`](Self::is_news) was told last, into `current`: balls that move, or else the aimed
    /// stick, or else `None`.
    pub fn predict(&mut self, current: &mut Option<Prediction>) {
        self.scene.set_balls(self.balls.iter().copied());
        if self.scene.moves() {
            self.predict_motion(current);
        } else {
            self.predict_aim(current);
        }
    }

    /// Where balls at rest would go after a stroke, with the usual scatter of strokes; `None` where its ball is not on
    /// the table.
    pub fn predict_stroke(
        &mut self,
        geometry: &TableGeometry,
        balls: &[BallOnTable],
        stroke: &Stroke,
    ) -> Option<Prediction> {
        self.scene.set_table(geometry);
        self.scene.set_balls(balls.iter().copied());
        let index = self.scene.balls.iter().position(|ball| ball.id == stroke.ball)?;
        let ball = self.scene.balls[index];
        let config = self.config;
        let properties = self.scene.physics.ball;
        let aim = libm::atan2(stroke.direction_in_table.y, stroke.direction_in_table.x);
        let state = |direction: f64, faster: f64| {
            let (velocity, spin) = strike(
                &properties,
                &Strike {
                    stick_speed: stroke.stick_speed * (1.0 + faster * config.stick_speed_sigma),
                    direction: aim + direction * config.aim_sigma,
                    offset_left: -stroke.side,
                    offset_up: stroke.top,
                    elevation: stroke.elevation,
                    ..Strike::default()
                },
            );
            BallState::moving(ball.position, velocity, spin)
        };
        let spread = Spread {
            angular: config.aim_sigma,
            ..Spread::at_rest(properties.radius)
        };
        let mut prediction = None;
        self.play(
            &Start {
                origin: Origin::Aim,
                ball: index,
                spread,
                confidence: ball.confidence,
                state: &state,
            },
            &mut prediction,
        );
        prediction
    }

    fn predict_motion(&mut self, current: &mut Option<Prediction>) {
        let speed = |ball: &BallOnTable| ball.velocity.length();
        let fastest = (0..self.scene.balls.len())
            .max_by(|a, b| speed(&self.scene.balls[*a]).total_cmp(&speed(&self.scene.balls[*b])));
        let Some(index) = fastest else {
            return self.show_nothing(current);
        };
        let ball = self.scene.balls[index];
        let spread = Spread::moving(self.scene.physics.ball.radius, speed(&ball));
        let properties = self.scene.physics.ball;
        let state = |direction: f64, faster: f64| {
            let (sin, cos) = libm::sincos(direction * spread.angular);
            let turn = DVec2::new(cos, sin);
            let velocity = turn.rotate(ball.velocity) * (1.0 + faster * spread.angular);
            state_of(&BallOnTable { velocity, ..ball }, &properties)
        };
        self.play(
            &Start {
                origin: Origin::Motion,
                ball: index,
                spread,
                confidence: ball.confidence,
                state: &state,
            },
            current,
        );
    }

    fn predict_aim(&mut self, current: &mut Option<Prediction>) {
        let aimed = self
            .cue
            .and_then(|pose| Some((pose, aim_of(&pose, &self.scene)?)));
        let Some((pose, aim)) = aimed else {
            return self.show_nothing(current);
        };
        let ball = self.scene.balls[aim.ball];
        let config = self.config;
        let properties = self.scene.physics.ball;
        let aim_sigma = libm::hypot(config.aim_sigma, pose.direction_sigma);
        let state = |direction: f64, faster: f64| {
            struck(
                ball.position,
                aim.direction + direction * aim_sigma,
                config.assumed_speed * (1.0 + faster * config.stick_speed_sigma),
                &properties,
            )
        };
        let spread = Spread {
            angular: aim_sigma,
            ..Spread::at_rest(properties.radius)
        };
        self.play(
            &Start {
                origin: Origin::Aim,
                ball: aim.ball,
                spread,
                confidence: ball.confidence * pose.confidence,
                state: &state,
            },
            current,
        );
    }

    fn play(&mut self, start: &Start, current: &mut Option<Prediction>) {
        self.scene.states[start.ball] = (start.state)(0.0, 0.0);
        let scene = &self.scene;
        let radius = scene.physics.ball.radius;
        self.spreads.clear();
        self.spreads
            .extend(scene.states.iter().enumerate().map(|(index, state)| {
                if index == start.ball {
                    start.spread
                } else if state.motion.is_moving() {
                    Spread::moving(radius, state.velocity.length())
                } else {
                    Spread::at_rest(radius)
                }
            }));
        let Ok(shot) = self
            .simulator
            .run(&scene.shape, &scene.physics, &scene.states, &LIMITS)
        else {
            // Only what is not finite is refused, and that was left out; a table without size is left to others.
            return self.show_nothing(current);
        };
        let id = scene.balls[start.ball].id;
        let prediction = current.get_or_insert_with(|| self.spare.take().unwrap_or_else(|| empty(id)));
        prediction.origin = start.origin;
        prediction.ball = id;
        let moving_first = |index: usize| scene.states[index].motion.is_moving();
        self.narrator
            .tell(shot, scene, &self.spreads, moving_first, prediction);
        prediction.outcomes.clear();
        if self.config.outcomes && shot.events.len() <= MOST_EVENTS {
            self.fan
                .play(scene, start.ball, start.state, &mut prediction.outcomes);
        }
        // As sure as where its ball goes until it touches something.
        let first = prediction
            .lines
            .iter()
            .rfind(|line| line.ball == id && line.kind == ghostball_world::PathKind::Primary);
        prediction.confidence = start.confidence.min(first.map_or(1.0, |line| line.confidence));
    }

    fn show_nothing(&mut self, current: &mut Option<Prediction>) {
        if let Some(prediction) = current.take() {
            self.spare = Some(prediction);
        }
    }
}

fn is_changed(before: &BallOnTable, now: &BallOnTable, near: f64) -> bool {
    before.id != now.id
        || before.kind != now.kind
        || before.velocity != now.velocity
        || before.position.distance(now.position) > near
}

fn empty(ball: TrackId) -> Prediction {
    Prediction {
        origin: Origin::Motion,
        ball,
        lines: Vec::new(),
        collisions: Vec::new(),
        ghost_balls: Vec::new(),
        rest: Vec::new(),
        outcomes: Vec::new(),
        confidence: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use ghostball_simulation::Random;
    use ghostball_world::{BallKind, PathKind, PocketName, PredictedContact};

    use super::*;
    use crate::scene::tests::{ball, geometry};
    use proptest::prelude::*;

    const RADIUS: f64 = 0.028_575;

    fn moving(id: u32, place: [f64; 2], velocity: [f64; 2]) -> BallOnTable {
        BallOnTable {
            velocity: DVec2::from(velocity),
            moving_secs: 1.0,
            ..ball(id, BallKind::Unknown, place[0], place[1])
        }
    }

    fn stick(tip: [f64; 2], direction: DVec2) -> CuePose {
        let tip = DVec2::from(tip);
        CuePose {
            tip_in_table: tip,
            butt_in_table: tip - direction.normalize(),
            confidence: 0.9,
            direction_sigma: 0.0,
        }
    }

    fn predict(balls: &[BallOnTable], cue: Option<CuePose>) -> Option<Prediction> {
        let config = PredictConfig::default();
        let mut predictor = Predictor::new(config);
        assert!(predictor.is_news(&config, &geometry(), balls, cue.as_ref()));
        let mut current = None;
        predictor.predict(&mut current);
        current
    }

    #[test]
    fn nothing_is_predicted_while_nothing_moves_and_no_stick_aims() {
        assert_eq!(predict(&[ball(1, BallKind::Cue, 0.0, 0.0)], None), None);
        let beside = stick([-0.1, 0.2], DVec2::X);
        assert_eq!(predict(&[ball(1, BallKind::Cue, 0.0, 0.0)], Some(beside)), None);
    }

    #[test]
    fn a_lone_rolling_ball_comes_to_rest_where_friction_stops_it() {
        let prediction = predict(&[moving(4, [-0.5, 0.0], [0.4, 0.0])], None).unwrap();
        assert_eq!((prediction.origin, prediction.ball), (Origin::Motion, TrackId(4)));
        assert_eq!(prediction.lines.len(), 1);
        assert_eq!(prediction.lines[0].kind, PathKind::Primary);
        assert!(prediction.collisions.is_empty() && prediction.ghost_balls.is_empty());
        // v² / (2 μ g)
        let rest = DVec2::new(-0.5 + 0.16 / (2.0 * 0.01 * 9.81), 0.0);
        assert!(prediction.rest[0].position.abs_diff_eq(rest, 1e-9));
        assert_eq!(prediction.rest[0].pocketed, None);
    }

    #[test]
    fn a_ball_that_hits_another_has_a_ghost_ball_and_both_have_paths() {
        let balls = [
            moving(1, [-0.5, 0.0], [1.0, 0.0]),
            ball(2, BallKind::Unknown, 0.0, 0.02),
        ];
        let prediction = predict(&balls, None).unwrap();
        let ghost = prediction.ghost_balls[0];
        assert_eq!((prediction.ghost_balls.len(), ghost.ball), (1, TrackId(1)));
        assert!((ghost.position.distance(DVec2::new(0.0, 0.02)) - 2.0 * RADIUS).abs() < 1e-6);
        let contact = prediction.collisions[0];
        assert_eq!(contact.contact, PredictedContact::Ball(TrackId(2)));
        assert!((contact.angle - libm::asin(0.02 / (2.0 * RADIUS))).abs() < 1e-6);
        let kinds = |id| {
            let lines = prediction.lines.iter();
            let mut kinds: Vec<_> = lines
                .filter(|line| line.ball == TrackId(id))
                .map(|line| line.kind)
                .collect();
            kinds.dedup();
            kinds
        };
        assert_eq!(kinds(1)[..2], [PathKind::Primary, PathKind::Collision]);
        assert_eq!(kinds(2)[0], PathKind::Collision);
        assert!(prediction.lines.is_sorted_by_key(|line| line.ball));
        for pair in prediction.lines.windows(2) {
            if pair[0].ball == pair[1].ball {
                assert!(pair[0].end.abs_diff_eq(pair[1].start, 1e-9));
                if pair[0].kind == pair[1].kind {
                    assert!(pair[1].confidence <= pair[0].confidence + 1e-12);
                }
            }
        }
    }

    #[test]
    fn a_bank_is_a_reflection_after_a_cushion() {
        let prediction = predict(&[moving(1, [0.9, 0.0], [1.5, 0.4])], None).unwrap();
        assert_eq!(prediction.collisions[0].contact, PredictedContact::Cushion);
        let kinds: Vec<_> = prediction.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds[0], PathKind::Primary);
        assert!(kinds[1..].iter().all(|kind| *kind == PathKind::Reflection));
    }

    #[test]
    fn an_aimed_stick_sends_the_cue_ball_and_the_pot_it_aims_at_is_likely() {
        let corner = DVec2::new(1.27, 0.635);
        let object = DVec2::new(1.0, 0.365);
        let cue_ball = object - 0.4 * (corner - object).normalize();
        let balls = [
            ball(1, BallKind::Cue, cue_ball.x, cue_ball.y),
            ball(2, BallKind::Red, object.x, object.y),
        ];
        let tip = cue_ball - 0.05 * (corner - object).normalize();
        let cue = stick([tip.x, tip.y], corner - object);
        let prediction = predict(&balls, Some(cue)).unwrap();
        assert_eq!((prediction.origin, prediction.ball), (Origin::Aim, TrackId(1)));
        assert_eq!(prediction.ghost_balls.len(), 1);
        let red = prediction
            .rest
            .iter()
            .find(|rest| rest.ball == TrackId(2))
            .unwrap();
        assert_eq!(red.pocketed, Some(PocketName::TopRight));
        let pot = *prediction
            .outcomes
            .iter()
            .find(|outcome| outcome.ball == TrackId(2) && outcome.pocket == PocketName::TopRight)
            .unwrap();
        assert!(pot.probability > 0.5, "{pot:?}");
        assert!(prediction.confidence > 0.5 && prediction.confidence <= 0.9);
        let unsure = CuePose {
            direction_sigma: 0.1,
            ..cue
        };
        let prediction = predict(&balls, Some(unsure)).unwrap();
        let unsure = prediction
            .outcomes
            .iter()
            .find(|outcome| outcome.ball == TrackId(2) && outcome.pocket == PocketName::TopRight);
        assert!(
            unsure.is_none_or(|unsure| unsure.probability < 0.7 * pot.probability),
            "{unsure:?} {pot:?}"
        );
    }

    #[test]
    fn a_still_table_is_no_news_and_a_moved_ball_is() {
        let config = PredictConfig::default();
        let mut predictor = Predictor::new(config);
        let mut balls = [ball(1, BallKind::Cue, 0.0, 0.0)];
        assert!(predictor.is_news(&config, &geometry(), &balls, None));
        assert!(!predictor.is_news(&config, &geometry(), &balls, None));
        balls[0].position.x += 1e-4;
        assert!(!predictor.is_news(&config, &geometry(), &balls, None));
        balls[0].position.x += 1e-3;
        assert!(predictor.is_news(&config, &geometry(), &balls, None));
        assert!(predictor.is_news(&config, &geometry(), &balls, Some(&stick([0.0, 0.0], DVec2::X))));
        let slower = PredictConfig {
            assumed_speed: 1.0,
            ..config
        };
        assert!(predictor.is_news(&slower, &geometry(), &balls, None));
    }

    #[test]
    fn a_used_predictor_predicts_as_a_new_one_does() {
        let config = PredictConfig::default();
        let mut predictor = Predictor::new(config);
        let mut current = None;
        let first = [
            moving(1, [-0.5, 0.1], [2.0, 0.3]),
            ball(2, BallKind::Unknown, 0.0, 0.2),
        ];
        predictor.is_news(&config, &geometry(), &first, None);
        predictor.predict(&mut current);
        let second = [moving(4, [-0.5, 0.0], [0.4, 0.0])];
        predictor.is_news(&config, &geometry(), &second, None);
        predictor.predict(&mut current);
        assert_eq!(current, predict(&second, None));
        predictor.is_news(&config, &geometry(), &[], None);
        predictor.predict(&mut current);
        assert_eq!(current, None);
    }

    proptest! {
        #[test]
        fn a_ball_believed_anywhere_about_a_pocket_stays_on_the_table(
            pocket in 0..3u8, off in (-0.2..0.2_f64, -0.2..0.2_f64), velocity in (-3.0..3.0_f64, -3.0..3.0_f64),
        ) {
            let place = [1.27 * (f64::from(pocket) - 1.0) + off.0, 0.635 + off.1];
            if let Some(prediction) = predict(&[moving(1, place, [velocity.0, velocity.1])], None) {
                // The course itself, not only what is told of it.
                prop_assert_eq!(prediction.rest.len(), 1, "left the table from {:?}", place);
                // A ball may hang in a mouth.
                prop_assert!(prediction.rest[0].pocketed.is_some()
                    || (prediction.rest[0].position.abs() - DVec2::new(1.27, 0.635)).max_element() <= RADIUS);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_table_is_survived_and_every_number_is_finite(
            balls in prop::collection::vec((-1.4..1.4_f64, -0.8..0.8_f64, -3.0..3.0_f64, -3.0..3.0_f64, 0..3u8), 0..10),
            tip in (-1.5..1.5_f64, -1.0..1.0_f64), angle in 0.0..6.3_f64,
        ) {
            let balls: Vec<_> = balls
                .iter()
                .zip(1..)
                .map(|((x, y, vx, vy, moves), id)| match moves {
                    0 => moving(id, [*x, *y], [*vx, *vy]),
                    _ => ball(id, BallKind::Unknown, *x, *y),
                })
                .collect();
            let cue = stick([tip.0, tip.1], DVec2::new(libm::cos(angle), libm::sin(angle)));
            if let Some(prediction) = predict(&balls, Some(cue)) {
                // The farthest a ball gets is over the middle of a hole: 2.4 radii behind the noses.
                for place in prediction.lines.iter().flat_map(|line| [line.start, line.end])
                    .chain(prediction.rest.iter().map(|rest| rest.position))
                    .chain(prediction.collisions.iter().map(|contact| contact.position))
                {
                    let behind = (place.abs() - DVec2::new(1.27, 0.635)).max_element();
                    prop_assert!(behind <= 2.4 * RADIUS, "{behind} m behind the noses at {place}");
                }
                for line in &prediction.lines {
                    prop_assert!(line.start.is_finite() && line.end.is_finite());
                    prop_assert!((0.0..=1.0).contains(&line.confidence));
                }
                prop_assert!(prediction.collisions.is_sorted_by(|a, b| a.time <= b.time));
                for contact in &prediction.collisions {
                    prop_assert!((0.0..=std::f64::consts::FRAC_PI_2 + 1e-9).contains(&contact.angle));
                }
                for outcome in &prediction.outcomes {
                    prop_assert!(outcome.probability > 0.0 && outcome.probability <= 1.0);
                }
            }
        }
    }

    #[test]
    fn of_pots_said_to_be_as_likely_as_not_about_half_happen() {
        let config = PredictConfig::default();
        let mut random = Random::from_seed(5);
        let mut predictor = Predictor::new(config);
        let mut simulator = Simulator::new();
        let mut current = None;
        // What happened, what was expected to, and of how many, by fifths of the probability.
        let mut told = [[0.0; 3]; 5];
        for _ in 0..2_500 {
            let object = DVec2::new(2.0 * random.unit() - 1.0, random.unit() - 0.5);
            let toward = (DVec2::new(1.27, 0.635) - object).normalize();
            let cue_ball = object - (0.25 + 0.3 * random.unit()) * toward.rotate(DVec2::from_angle(0.3));
            let ghost = object - 2.0 * RADIUS * toward;
            let aimed = (ghost - cue_ball).normalize();
            let balls = [
                ball(1, BallKind::Cue, cue_ball.x, cue_ball.y),
                ball(2, BallKind::Red, object.x, object.y),
            ];
            let inside = |place: DVec2| place.x.abs() < 1.2 && place.y.abs() < 0.59;
            if !inside(object) || !inside(cue_ball) {
                continue;
            }
            let tip = cue_ball - 0.05 * aimed;
            predictor.is_news(&config, &geometry(), &balls, Some(&stick([tip.x, tip.y], aimed)));
            predictor.predict(&mut current);
            let scene = &predictor.scene;
            let mut states = scene.states.clone();
            let direction = aimed.to_angle() + config.aim_sigma * random.normal();
            let speed = config.assumed_speed * (1.0 + config.stick_speed_sigma * random.normal()).max(0.05);
            states[0] = struck(cue_ball, direction, speed, &scene.physics.ball);
            let shot = simulator
                .run(&scene.shape, &scene.physics, &states, &LIMITS)
                .unwrap();
            for outcome in &current.as_ref().unwrap().outcomes {
                if outcome.ball == TrackId(2) && outcome.pocket == PocketName::TopRight {
                    let bin = ((5.0 * outcome.probability) as usize).min(4);
                    told[bin][0] += f64::from(shot.end[1].motion.is_pocketed());
                    told[bin][1] += outcome.probability;
                    told[bin][2] += 1.0;
                }
            }
        }
        for [happened, expected, of] in told {
            // Three standard deviations of a count, and a fortieth for the fan, which has 21 courses.
            let spread = 3.0 * (0.25 / of).sqrt() + 0.025;
            assert!(of > 20.0, "{told:?}");
            assert!((happened - expected).abs() < spread * of, "{told:?}");
        }
        let [happened, _, of] = told[2];
        assert!(of > 200.0 && (0.4..0.6).contains(&(happened / of)), "{told:?}");
    }
}
