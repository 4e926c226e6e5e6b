//! A simulated shot told as a prediction: lines, contacts, ghost balls, ends.

use ghostball_physics::{Event, EventKind, Shot};
use ghostball_world::{
    GhostBall, PathKind, PathLine, PredictedCollision, PredictedContact, PredictedRest, Prediction,
};

use crate::scene::{Scene, is_within};
use crate::spread::Spread;

/// How far a line may be from the curve it stands for, metres.
const TOLERANCE: f64 = 1e-3;
/// The farthest a ball gets behind the noses, in its radii: over the middle of a pocket. A course that goes farther slipped
/// between cushions that were believed elsewhere; it is cut there.
const BEHIND_RADII: f64 = 2.5;

/// Tells courses; keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct Narrator {
    /// What is known of each ball at its latest contact.
    stages: Vec<Stage>,
    /// Every stage of every ball.
    history: Vec<Stage>,
}

/// A ball's way from one contact to the next.
#[derive(Clone, Copy, Debug)]
struct Stage {
    ball: usize,
    /// How many stages of all balls came before.
    order: usize,
    start_time: f64,
    start: glam::DVec2,
    kind: PathKind,
    spread: Spread,
    has_touched_a_ball: bool,
}

impl Narrator {
    /// Writes `shot`, which started from `scene` with errors `spreads` (ball by ball), into `prediction`: everything but
    /// its origin, its ball, its outcomes and its confidence. `moving_first` says which balls move by themselves.
    pub fn tell(
        &mut self,
        shot: &Shot,
        scene: &Scene,
        spreads: &[Spread],
        moving_first: impl Fn(usize) -> bool,
        prediction: &mut Prediction,
    ) {
        self.stages.clear();
        self.stages
            .extend(spreads.iter().enumerate().map(|(ball, spread)| Stage {
                ball,
                order: ball,
                start_time: 0.0,
                start: scene.states[ball].position,
                kind: PathKind::Primary,
                spread: *spread,
                has_touched_a_ball: false,
            }));
        self.history.clear();
        self.history.extend_from_slice(&self.stages);
        prediction.collisions.clear();
        prediction.ghost_balls.clear();
        for event in &shot.events {
            self.tell_event(event, scene, &moving_first, prediction);
        }
        // Stages of one ball come in order of time; a stable sort would allocate.
        self.history
            .sort_unstable_by_key(|stage| (stage.ball, stage.order));
        self.tell_lines(shot, scene, prediction);
        tell_ends(shot, scene, prediction);
        prediction
            .collisions
            .retain(|contact| is_on_table(scene, contact.position));
        prediction
            .ghost_balls
            .retain(|ghost| is_on_table(scene, ghost.position));
    }

    fn tell_event(
        &mut self,
        event: &Event,
        scene: &Scene,
        moving_first: &impl Fn(usize) -> bool,
        prediction: &mut Prediction,
    ) {
        let radius = scene.physics.ball.radius;
        let id = |ball: usize| scene.balls[ball].id;
        match event.kind {
            EventKind::BallBall { a, b } => {
                let Some(second) = &event.second else { return };
                let toward_b = event.first.before.velocity.dot(event.normal);
                let toward_a = -second.before.velocity.dot(event.normal);
                let (runner, other, change) = if toward_b >= toward_a {
                    (a, b, &event.first)
                } else {
                    (b, a, second)
                };
                let angle = angle_off(change.before.velocity, event.normal);
                let position = change.before.position;
                let before = self.arrive(runner, position);
                let other_before = self.arrive(other, scene_position(event, other, position));
                let confidence = before.spread.confidence(radius) * scene.balls[runner].confidence;
                prediction.collisions.push(PredictedCollision {
                    ball: id(runner),
                    contact: PredictedContact::Ball(id(other)),
                    position,
                    angle,
                    time: event.time,
                    confidence,
                });
                if moving_first(runner) && !before.has_touched_a_ball {
                    prediction.ghost_balls.push(GhostBall {
                        ball: id(runner),
                        position,
                    });
                }
                for (stage, against) in [(before, other_before), (other_before, before)] {
                    self.begin(Stage {
                        start_time: event.time,
                        kind: PathKind::Collision,
                        spread: stage.spread.collided(against.spread, angle, radius),
                        has_touched_a_ball: true,
                        ..stage
                    });
                }
            }
            EventKind::Cushion { ball, .. } | EventKind::Jaw { ball, .. } => {
                let before = self.arrive(ball, event.first.before.position);
                self.push_contact(event, ball, PredictedContact::Cushion, before, scene, prediction);
                self.begin(Stage {
                    start_time: event.time,
                    kind: PathKind::Reflection,
                    spread: before.spread.reflected(),
                    ..before
                });
            }
            EventKind::Pocket { ball, pocket } => {
                let before = self.arrive(ball, event.first.before.position);
                let contact = PredictedContact::Pocket(scene.pocket_name(pocket));
                self.push_contact(event, ball, contact, before, scene, prediction);
            }
            EventKind::SlideToRoll { .. }
            | EventKind::RollToSpin { .. }
            | EventKind::RollToRest { .. }
            | EventKind::SpinToRest { .. } => {}
        }
    }

    /// The ball's stage, with the errors it has at the end of it.
    fn arrive(&self, ball: usize, position: glam::DVec2) -> Stage {
        let stage = self.stages[ball];
        Stage {
            spread: stage.spread.after(stage.start.distance(position)),
            start: position,
            ..stage
        }
    }

    fn begin(&mut self, stage: Stage) {
        self.stages[stage.ball] = stage;
        self.history.push(Stage {
            order: self.history.len(),
            ..stage
        });
    }

    fn push_contact(
        &self,
        event: &Event,
        ball: usize,
        contact: PredictedContact,
        stage: Stage,
        scene: &Scene,
        prediction: &mut Prediction,
    ) {
        prediction.collisions.push(PredictedCollision {
            ball: scene.balls[ball].id,
            contact,
            position: event.first.before.position,
            angle: angle_off(event.first.before.velocity, event.normal),
            time: event.time,
            confidence: stage.spread.confidence(scene.physics.ball.radius) * scene.balls[ball].confidence,
        });
    }

    fn tell_lines(&self, shot: &Shot, scene: &Scene, prediction: &mut Prediction) {
        prediction.lines.clear();
        let radius = scene.physics.ball.radius;
        let mut current = 0;
        let mut has_left = None;
        for segment in &shot.segments {
            if has_left == Some(segment.ball) {
                continue;
            }
            // Both are in order of ball, then time: the latest stage that began before the segment is its own.
            while self
                .history
                .get(current + 1)
                .is_some_and(|next| (next.ball, next.start_time) <= (segment.ball, segment.start_time))
            {
                current += 1;
            }
            let Some(stage) = self
                .history
                .get(current)
                .filter(|stage| stage.ball == segment.ball)
            else {
                continue;
            };
            let mut start = segment.motion.start.position;
            for end in segment.polyline(TOLERANCE) {
                if !is_on_table(scene, end) {
                    has_left = Some(segment.ball);
                    break;
                }
                let spread = stage.spread.after(stage.start.distance(end));
                prediction.lines.push(PathLine {
                    ball: scene.balls[segment.ball].id,
                    start,
                    end,
                    kind: stage.kind,
                    confidence: spread.confidence(radius) * scene.balls[segment.ball].confidence,
                });
                start = end;
            }
        }
    }
}

fn tell_ends(shot: &Shot, scene: &Scene, prediction: &mut Prediction) {
    prediction.rest.clear();
    for (index, (ball, end)) in scene.balls.iter().zip(&shot.end).enumerate() {
        let moved = shot
            .segments_of(index)
            .iter()
            .any(|segment| segment.motion.start.motion.is_moving());
        if moved {
            // A shot that was cut short says nothing of where its balls come to rest.
            if !is_on_table(scene, end.position) || end.motion.is_moving() {
                continue;
            }
            let pocketed = match end.motion {
                ghostball_physics::BallMotion::Pocketed(pocket) => Some(scene.pocket_name(pocket)),
                _ => None,
            };
            prediction.rest.push(PredictedRest {
                ball: ball.id,
                position: end.position,
                pocketed,
            });
        }
    }
}

fn is_on_table(scene: &Scene, position: glam::DVec2) -> bool {
    is_within(&scene.shape, position, BEHIND_RADII * scene.physics.ball.radius)
}

fn scene_position(event: &Event, ball: usize, otherwise: glam::DVec2) -> glam::DVec2 {
    event
        .change_of(ball)
        .map_or(otherwise, |change| change.before.position)
}

/// Angle between a way and the normal of contact, whichever way the normal points: 0 (full) to π/2 (grazing).
fn angle_off(velocity: glam::DVec2, normal: glam::DVec2) -> f64 {
    let along = velocity.dot(normal).abs();
    let across = velocity.perp_dot(normal).abs();
    libm::atan2(across, along)
}
