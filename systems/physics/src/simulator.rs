//! The event loop: from one event straight to the next, with the exact motion between them.

use glam::DVec2;

use crate::contact::{self, Chatter};
use crate::{
    BallBallModel, BallMotion, BallProperties, BallState, Change, CushionModel, Ended, Event, EventKind,
    Motion, PhysicsError, Segment, Shot, TableShape,
};

/// The laws a table obeys: its balls, and the models of their collisions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Physics {
    /// Size, mass and friction of the balls.
    pub ball: BallProperties,
    /// Collisions of two balls.
    pub ball_ball: BallBallModel,
    /// Collisions with cushions and jaws.
    pub cushion: CushionModel,
}

/// When a simulation ends though balls still move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Most events; the shot then ends as [`Ended::EventBudget`]. A break takes some 130, one in
    /// thousands with balls that push each other along close to 1,000.
    pub events: usize,
    /// Most seconds of the shot; it then ends as [`Ended::TimeLimit`] with the state at that very time.
    pub time: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 2_000,
            time: f64::INFINITY,
        }
    }
}

/// Simulates shots; keeps its buffers, so that one simulator used again and again does not allocate.
///
/// A shot depends on its inputs alone. Events at the same instant are taken in the order: changes of motion, cushions,
/// jaws and pockets by index of ball, then collisions of balls by index.
#[derive(Clone, Debug, Default)]
pub struct Simulator {
    bodies: Vec<Body>,
    pairs: Vec<Pair>,
    shot: Shot,
}

/// One ball on its current segment.
#[derive(Clone, Copy, Debug)]
struct Body {
    motion: Motion,
    start_time: f64,
    /// When the motion changes by itself.
    end_time: f64,
    /// Box around the way to the next event.
    lower: DVec2,
    upper: DVec2,
    next_time: f64,
    next: Next,
    cushion_chatter: Chatter,
}

/// What happens next to a ball, other balls apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    ChangeOfMotion,
    Cushion(usize),
    Jaw(usize),
    Pocket(usize),
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    contact_time: f64,
    chatter: Chatter,
}

impl Body {
    fn position_at(&self, time: f64) -> DVec2 {
        self.motion.position_at(time - self.start_time)
    }

    fn state_at(&self, time: f64) -> BallState {
        self.motion.state_at(time - self.start_time)
    }
}

impl Simulator {
    /// A simulator without buffers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays a shot from these states to its end. The order of `balls` is their index in the [`Shot`].
    pub fn run(
        &mut self,
        table: &TableShape,
        physics: &Physics,
        balls: &[BallState],
        limits: &Limits,
    ) -> Result<&Shot, PhysicsError> {
        crate::error::check(table, physics, balls)?;
        self.reset(table, physics, balls);
        let (end_time, ended) = loop {
            let Some((time, what)) = self.earliest() else {
                break (self.shot.duration, Ended::AtRest);
            };
            if time > limits.time {
                break (limits.time, Ended::TimeLimit);
            }
            if self.shot.events.len() >= limits.events {
                break (self.shot.duration, Ended::EventBudget);
            }
            match what {
                What::Ball(ball) => self.happen_to_ball(table, physics, ball, time),
                What::Pair(a, b) => self.collide(table, physics, a, b, time),
            }
            self.shot.duration = time;
        };
        self.finish(end_time, ended);
        Ok(&self.shot)
    }

    /// The last shot that was played.
    pub fn shot(&self) -> &Shot {
        &self.shot
    }

    fn reset(&mut self, table: &TableShape, physics: &Physics, balls: &[BallState]) {
        self.shot.events.clear();
        self.shot.segments.clear();
        self.shot.end.clear();
        self.shot.duration = 0.0;
        self.bodies.clear();
        for &state in balls {
            let motion = Motion::new(state, &physics.ball);
            self.bodies.push(Body {
                motion,
                start_time: 0.0,
                end_time: motion.duration,
                lower: state.position,
                upper: state.position,
                next_time: f64::INFINITY,
                next: Next::ChangeOfMotion,
                cushion_chatter: Chatter::default(),
            });
        }
        self.pairs.clear();
        self.pairs.resize(
            balls.len() * balls.len(),
            Pair {
                contact_time: f64::INFINITY,
                chatter: Chatter::default(),
            },
        );
        for ball in 0..balls.len() {
            self.foresee_ball(table, physics, ball, 0.0);
        }
        for b in 1..balls.len() {
            for a in 0..b {
                self.foresee_pair(physics, a, b, 0.0);
            }
        }
    }

    /// The next event of all.
    fn earliest(&self) -> Option<(f64, What)> {
        let count = self.bodies.len();
        let mut earliest = f64::INFINITY;
        let mut what = None;
        for (ball, body) in self.bodies.iter().enumerate() {
            if body.next_time < earliest {
                earliest = body.next_time;
                what = Some(What::Ball(ball));
            }
        }
        for a in 0..count {
            for (b, pair) in self.pairs[a * count..(a + 1) * count]
                .iter()
                .enumerate()
                .skip(a + 1)
            {
                if pair.contact_time < earliest {
                    earliest = pair.contact_time;
                    what = Some(What::Pair(a, b));
                }
            }
        }
        what.map(|what| (earliest, what))
    }

    fn happen_to_ball(&mut self, table: &TableShape, physics: &Physics, ball: usize, time: f64) {
        let body = &mut self.bodies[ball];
        let before = body.state_at(time);
        let event = |kind, normal, before, after| Event {
            time,
            kind,
            normal,
            first: Change { ball, before, after },
            second: None,
        };
        let mut reflect = |kind, to_ball: DVec2| {
            let mut after = before;
            let normal = to_ball.normalize_or(DVec2::X);
            physics
                .cushion
                .collide(&mut after, to_ball, table.cushion_height, &physics.ball);
            if let Some(speed) = body.cushion_chatter.parting_speed(-before.velocity.dot(normal)) {
                contact::part_from_cushion(&mut after, normal, speed, physics.ball.radius);
            }
            after.motion = BallMotion::Sliding;
            event(kind, -normal, before, after)
        };
        let event = match body.next {
            Next::ChangeOfMotion => {
                let after = body.motion.end(&physics.ball);
                let kind = match (before.motion, after.motion) {
                    (BallMotion::Sliding, _) => EventKind::SlideToRoll { ball },
                    (BallMotion::Rolling, BallMotion::Spinning) => EventKind::RollToSpin { ball },
                    (BallMotion::Rolling, _) => EventKind::RollToRest { ball },
                    _ => EventKind::SpinToRest { ball },
                };
                // The same numbers before and after: they differ by rounding alone.
                let motion = before.motion;
                event(kind, DVec2::ZERO, BallState { motion, ..after }, after)
            }
            Next::Cushion(cushion) => reflect(
                EventKind::Cushion { ball, cushion },
                physics.ball.radius * table.cushions[cushion].normal,
            ),
            Next::Jaw(jaw) => reflect(
                EventKind::Jaw { ball, jaw },
                before.position - table.jaws[jaw].center,
            ),
            Next::Pocket(pocket) => {
                let center = table.pockets[pocket].center;
                let after = BallState {
                    motion: BallMotion::Pocketed(pocket),
                    ..BallState::at_rest(center)
                };
                let normal = (center - before.position).normalize_or_zero();
                event(EventKind::Pocket { ball, pocket }, normal, before, after)
            }
        };
        self.shot.events.push(event);
        self.go_on(physics, ball, event.first.after, time);
        self.foresee(table, physics, ball, None, time);
    }

    fn collide(&mut self, table: &TableShape, physics: &Physics, a: usize, b: usize, time: f64) {
        let (before_a, before_b) = (self.bodies[a].state_at(time), self.bodies[b].state_at(time));
        let (mut after_a, mut after_b) = (before_a, before_b);
        let normal = (before_b.position - before_a.position).normalize_or(DVec2::X);
        physics
            .ball_ball
            .collide(&mut after_a, &mut after_b, normal, &physics.ball);
        let count = self.bodies.len();
        let closing = (before_a.velocity - before_b.velocity).dot(normal);
        if let Some(speed) = self.pairs[a * count + b].chatter.parting_speed(closing) {
            contact::part_balls(&mut after_a, &mut after_b, normal, speed, physics.ball.radius);
        }
        after_a.motion = BallMotion::Sliding;
        after_b.motion = BallMotion::Sliding;
        self.shot.events.push(Event {
            time,
            kind: EventKind::BallBall { a, b },
            normal,
            first: Change {
                ball: a,
                before: before_a,
                after: after_a,
            },
            second: Some(Change {
                ball: b,
                before: before_b,
                after: after_b,
            }),
        });
        self.go_on(physics, a, after_a, time);
        self.go_on(physics, b, after_b, time);
        self.foresee(table, physics, a, Some(b), time);
        self.foresee(table, physics, b, Some(a), time);
        self.foresee_pair(physics, a, b, time);
    }

    /// Ends a ball's segment and starts the next.
    fn go_on(&mut self, physics: &Physics, ball: usize, state: BallState, time: f64) {
        let body = &mut self.bodies[ball];
        if time > body.start_time {
            self.shot.segments.push(Segment {
                ball,
                start_time: body.start_time,
                end_time: time,
                motion: body.motion,
            });
        }
        body.motion = Motion::new(state, &physics.ball);
        body.start_time = time;
        body.end_time = time + body.motion.duration;
    }

    /// Finds anew what happens next to a ball whose motion has changed; the pair with `except` is left out.
    fn foresee(
        &mut self,
        table: &TableShape,
        physics: &Physics,
        ball: usize,
        except: Option<usize>,
        time: f64,
    ) {
        self.foresee_ball(table, physics, ball, time);
        for other in 0..self.bodies.len() {
            if other != ball && Some(other) != except {
                self.foresee_pair(physics, ball.min(other), ball.max(other), time);
            }
        }
    }

    fn foresee_ball(&mut self, table: &TableShape, physics: &Physics, ball: usize, time: f64) {
        let body = &mut self.bodies[ball];
        body.next = Next::ChangeOfMotion;
        body.next_time = body.end_time;
        body.lower = body.motion.start.position;
        body.upper = body.lower;
        if !body.motion.start.motion.is_moving() {
            return;
        }
        let radius = physics.ball.radius;
        let motion = body.motion;
        // The sooner a contact is, the shorter is the way on which the rest has to be looked for.
        let mut horizon = motion.duration;
        let (mut lower, mut upper) = motion.bounds(horizon);
        let mut sooner = |contact: Option<f64>, next: Next, horizon: &mut f64| {
            if let Some(after) = contact
                && time + after < body.next_time
            {
                body.next_time = time + after;
                body.next = next;
                *horizon = after;
            }
        };
        for (i, cushion) in table.cushions.iter().enumerate() {
            let (start, end) = (cushion.start.min(cushion.end), cushion.start.max(cushion.end));
            if lower.cmple(end + radius).all() && upper.cmpge(start - radius).all() {
                let contact = contact::with_cushion(&motion, cushion, radius, horizon);
                sooner(contact, Next::Cushion(i), &mut horizon);
            }
        }
        (lower, upper) = motion.bounds(horizon);
        for (i, jaw) in table.jaws.iter().enumerate() {
            let reach = jaw.radius + radius;
            if lower.cmple(jaw.center + reach).all() && upper.cmpge(jaw.center - reach).all() {
                let contact = contact::with_jaw(&motion, jaw, radius, horizon);
                sooner(contact, Next::Jaw(i), &mut horizon);
            }
        }
        for (i, pocket) in table.pockets.iter().enumerate() {
            let reach = pocket.radius;
            if lower.cmple(pocket.center + reach).all() && upper.cmpge(pocket.center - reach).all() {
                let contact = contact::with_pocket(&motion, pocket, horizon);
                sooner(contact, Next::Pocket(i), &mut horizon);
            }
        }
        (body.lower, body.upper) = motion.bounds(horizon);
    }

    fn foresee_pair(&mut self, physics: &Physics, a: usize, b: usize, time: f64) {
        let (first, second) = (&self.bodies[a], &self.bodies[b]);
        let contact_time = pair_contact(first, second, physics.ball.radius, time);
        let count = self.bodies.len();
        self.pairs[a * count + b].contact_time = contact_time;
    }

    fn finish(&mut self, time: f64, ended: Ended) {
        for (ball, body) in self.bodies.iter().enumerate() {
            if time > body.start_time {
                self.shot.segments.push(Segment {
                    ball,
                    start_time: body.start_time,
                    end_time: time,
                    motion: body.motion,
                });
            }
            self.shot.end.push(body.state_at(time));
        }
        self.shot
            .segments
            .sort_unstable_by(|a, b| a.ball.cmp(&b.ball).then(a.start_time.total_cmp(&b.start_time)));
        self.shot.duration = time;
        self.shot.ended = ended;
    }
}

/// Who the next event happens to.
#[derive(Clone, Copy, Debug)]
enum What {
    Ball(usize),
    Pair(usize, usize),
}

/// When two balls touch on their current segments, from `time` on; infinite if they do not.
fn pair_contact(a: &Body, b: &Body, radius: f64, time: f64) -> f64 {
    let (motion_a, motion_b) = (a.motion.start.motion, b.motion.start.motion);
    if !(motion_a.is_moving() || motion_b.is_moving()) || motion_a.is_pocketed() || motion_b.is_pocketed() {
        return f64::INFINITY;
    }
    let reach = DVec2::splat(2.0 * radius);
    if (a.lower - reach).cmpgt(b.upper).any() || (b.lower - reach).cmpgt(a.upper).any() {
        return f64::INFINITY;
    }
    // What comes after the next event of either ball is foreseen anew then.
    let horizon = a.next_time.min(b.next_time) - time;
    let between = b.position_at(time) - a.position_at(time);
    let velocity = b.motion.velocity_at(time - b.start_time) - a.motion.velocity_at(time - a.start_time);
    let acceleration = b.motion.acceleration - a.motion.acceleration;
    contact::within(between, velocity, acceleration, 2.0 * radius, horizon)
        .map_or(f64::INFINITY, |after| time + after)
}
