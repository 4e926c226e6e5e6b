//! Plays one game after another: racks, breaks, aims, strikes, waits until the balls rest, and so on for ever.

use ghostball_physics::{BallState, Ended, EventKind, Limits, Physics, Simulator, Strike, strike};
use ghostball_world::BallKind;
use glam::{DQuat, DVec2, DVec3};

use crate::rack::rack;
use crate::shot_choice::{Plan, choose, least_elevation, turned};
use crate::stroke::Stroke;
use crate::{Game, Random, Scene, SceneBall, SceneCue, TableModel, Touched, TrueContact};

/// A game goes on for this many shots at most.
const MOST_SHOTS: u32 = 40;

/// One ball of the game that is on the table.
#[derive(Clone, Copy, Debug)]
struct Played {
    id: u32,
    kind: BallKind,
    number: Option<u8>,
    state: BallState,
    table_from_body: DQuat,
}

/// What the player is doing.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Waits with the stick away from the table.
    Pausing,
    /// Points the stick at the cue ball and swings it.
    Aiming(Plan, Stroke),
    /// Watches the balls run; the stick follows through and goes.
    Watching(Plan, Stroke),
}

/// A table in play.
#[derive(Clone, Debug)]
pub struct Player {
    game: Game,
    table: TableModel,
    physics: Physics,
    simulator: Simulator,
    random: Random,
    balls: Vec<Played>,
    /// States at the start of the shot, in order of `balls`.
    start: Vec<BallState>,
    next_id: u32,
    shots: u32,
    phase: Phase,
    /// When the phase began and when it ends, seconds since the start.
    began: f64,
    ends: f64,
    /// When the running shot began.
    struck: f64,
    now: f64,
    /// Since the last frame.
    contacts: Vec<TrueContact>,
    /// Events of the running shot that are among them, or were.
    events_told: usize,
}

impl Player {
    /// Racks the balls. The seed decides all that is to come.
    pub fn new(game: Game, table: TableModel, seed: u64) -> Self {
        let mut physics = Physics::default();
        physics.ball.radius = table.ball_radius;
        physics.ball.mass = match game {
            Game::EightBall | Game::NineBall => physics.ball.mass,
            Game::Snooker => 0.142,
            Game::Carom => 0.21,
        };
        let mut player = Self {
            game,
            table,
            physics,
            simulator: Simulator::new(),
            random: Random::for_purpose(seed, 1),
            balls: Vec::new(),
            start: Vec::new(),
            next_id: 0,
            shots: 0,
            phase: Phase::Pausing,
            began: 0.0,
            ends: 0.6,
            struck: 0.0,
            now: 0.0,
            contacts: Vec::new(),
            events_told: 0,
        };
        player.rack();
        player
    }

    /// Plays on to `time_secs` since the start (never back) and puts what is then on the table into `scene`.
    pub fn play_until(&mut self, time_secs: f64, scene: &mut Scene) {
        let dt = (time_secs - self.now).max(0.0);
        self.now = self.now.max(time_secs);
        self.contacts.clear();
        while self.now >= self.ends {
            self.next_phase();
        }
        if let Phase::Watching(..) = self.phase {
            self.follow_balls();
            self.note_contacts(self.now);
        }
        for ball in &mut self.balls {
            ball.table_from_body = rotated(ball.table_from_body, ball.state.spin * dt);
        }
        scene.balls.clear();
        scene.balls.extend(
            self.balls
                .iter()
                .filter(|ball| !ball.state.motion.is_pocketed())
                .map(|ball| SceneBall {
                    id: ball.id,
                    kind: ball.kind,
                    number: ball.number,
                    position_in_table: ball.state.position,
                    velocity_in_table: ball.state.velocity,
                    is_moving: ball.state.motion.is_moving(),
                    table_from_body: ball.table_from_body,
                }),
        );
        scene.cue = self.cue();
    }

    /// What touched between the last two calls of [`Player::play_until`].
    pub fn contacts(&self) -> &[TrueContact] {
        &self.contacts
    }

    /// Adds the contacts of the running shot up to `time` that are not told yet.
    fn note_contacts(&mut self, time: f64) {
        let events = self.simulator.shot().events.iter().skip(self.events_told);
        for event in events.take_while(|event| self.struck + event.time <= time) {
            self.events_told += 1;
            let (index, touched) = match event.kind {
                EventKind::BallBall { a, b } => (a, Touched::Ball(self.balls[b].id)),
                EventKind::Cushion { ball, .. } | EventKind::Jaw { ball, .. } => (ball, Touched::Cushion),
                EventKind::Pocket { ball, .. } => (ball, Touched::Pocket),
                _ => continue,
            };
            self.contacts.push(TrueContact {
                time_secs: self.struck + event.time,
                ball: self.balls[index].id,
                touched,
            });
        }
    }

    fn next_phase(&mut self) {
        let time = self.ends;
        self.began = time;
        match self.phase {
            Phase::Pausing => {
                self.clear_up();
                let plan = self.plan();
                let swings = 1 + self.random.below(3) as u32;
                let wander = 0.02 * self.random.normal();
                let stroke = Stroke::new(plan.stick_speed, swings, wander);
                self.ends = time + stroke.strikes_at();
                self.phase = Phase::Aiming(plan, stroke);
            }
            Phase::Aiming(plan, stroke) => {
                self.strike(&plan);
                self.shots += 1;
                self.struck = time;
                // The stick is gone before the next shot, also where the balls rest at once.
                self.ends = time + self.simulator.shot().duration.max(Stroke::LEAVES_WITHIN);
                self.phase = Phase::Watching(plan, stroke);
            }
            Phase::Watching(..) => {
                self.follow_to_end();
                self.note_contacts(f64::INFINITY);
                if self.simulator.shot().ended == Ended::AtRest {
                    self.balls.retain(|ball| !ball.state.motion.is_pocketed());
                    self.ends = time + self.random.between(0.4, 1.0);
                    self.phase = Phase::Pausing;
                } else {
                    // Cut short by the limits: goes on from where it was.
                    self.run_shot();
                    self.struck = time;
                    self.ends = time + self.simulator.shot().duration.max(1e-3);
                }
            }
        }
    }

    fn strike(&mut self, plan: &Plan) {
        let angle = libm::atan2(plan.direction.y, plan.direction.x);
        let (velocity, spin) = strike(
            &self.physics.ball,
            &Strike {
                stick_speed: plan.stick_speed,
                direction: angle,
                offset_left: plan.offset.x,
                offset_up: plan.offset.y,
                elevation: plan.elevation,
                ..Strike::default()
            },
        );
        if let Some(cue_ball) = self.balls.iter_mut().find(|ball| ball.kind == BallKind::Cue) {
            cue_ball.state = BallState::moving(cue_ball.state.position, velocity, spin);
            self.contacts.push(TrueContact {
                time_secs: self.began,
                ball: cue_ball.id,
                touched: Touched::Stick,
            });
        }
        self.run_shot();
    }

    fn run_shot(&mut self) {
        self.events_told = 0;
        self.start.clear();
        self.start.extend(self.balls.iter().map(|ball| ball.state));
        let limits = Limits {
            time: 60.0,
            ..Limits::default()
        };
        let ran = self
            .simulator
            .run(&self.table.shape, &self.physics, &self.start, &limits);
        if ran.is_err() {
            // A layout that the physics refuses is no layout to go on with.
            self.rack();
            self.simulator = Simulator::new();
        }
    }

    fn follow_balls(&mut self) {
        let elapsed = self.now - self.struck;
        for (i, ball) in self.balls.iter_mut().enumerate() {
            if let Some(state) = self.simulator.shot().state_at(i, elapsed) {
                ball.state = state;
            }
        }
    }

    fn follow_to_end(&mut self) {
        for (ball, end) in self.balls.iter_mut().zip(&self.simulator.shot().end) {
            ball.state = *end;
        }
    }

    /// Racks again when the game is over, and brings back a potted cue ball.
    fn clear_up(&mut self) {
        let has = |number: u8| self.balls.iter().any(|ball| ball.number == Some(number));
        let objects = self
            .balls
            .iter()
            .filter(|ball| ball.kind != BallKind::Cue)
            .count();
        let is_over = match self.game {
            Game::EightBall => objects < 3 || !has(8),
            Game::NineBall => objects < 2 || !has(9),
            Game::Snooker => objects < 6,
            Game::Carom => self.shots >= 12 || objects < 2,
        };
        if is_over || self.shots >= MOST_SHOTS {
            self.rack();
        } else if !self.balls.iter().any(|ball| ball.kind == BallKind::Cue) {
            self.place_cue_ball();
        }
    }

    fn rack(&mut self) {
        self.balls.clear();
        self.shots = 0;
        for placed in rack(self.game, &self.table, &mut self.random) {
            self.put(placed.kind, placed.number, placed.position_in_table);
        }
    }

    fn put(&mut self, kind: BallKind, number: Option<u8>, position: DVec2) {
        let table_from_body = random_orientation(&mut self.random);
        self.balls.push(Played {
            id: self.next_id,
            kind,
            number,
            state: BallState::at_rest(position),
            table_from_body,
        });
        self.next_id += 1;
    }

    /// Ball in hand behind the head string; where all tries fail, the game begins anew.
    fn place_cue_ball(&mut self) {
        let half = self.table.half_size() - DVec2::splat(1.5 * self.table.ball_radius);
        for _ in 0..50 {
            let at = DVec2::new(
                self.random.between(-half.x, -0.5 * half.x),
                self.random.between(-half.y, half.y),
            );
            let room = 2.2 * self.table.ball_radius;
            if self
                .balls
                .iter()
                .all(|ball| ball.state.position.distance(at) > room)
            {
                self.put(BallKind::Cue, None, at);
                return;
            }
        }
        self.rack();
    }

    fn plan(&mut self) -> Plan {
        let is_cue = |ball: &&Played| ball.kind == BallKind::Cue;
        let cue_ball = self
            .balls
            .iter()
            .find(is_cue)
            .map_or(DVec2::ZERO, |ball| ball.state.position);
        let others: Vec<DVec2> = self
            .balls
            .iter()
            .filter(|ball| !is_cue(ball))
            .map(|ball| ball.state.position)
            .collect();
        let mut plan = if self.shots == 0 {
            self.opening(cue_ball)
        } else {
            self.choice(cue_ball, &others)
        };
        let tip_height = self.table.ball_radius * (1.0 + plan.offset.y);
        plan.elevation = least_elevation(&self.table, cue_ball, plan.direction, tip_height, &others);
        plan
    }

    fn opening(&mut self, cue_ball: DVec2) -> Plan {
        let half = self.table.half_size();
        let radius = self.table.ball_radius;
        let (target, stick_speed) = match self.game {
            Game::EightBall | Game::NineBall => {
                (DVec2::new(0.5 * half.x, 0.0), self.random.between(6.0, 7.5))
            }
            // Thin on the rearmost red, to come back to baulk.
            Game::Snooker => {
                let rear = 2.0 * radius * (1.0 + 4.0 * 0.75_f64.sqrt());
                let beside = 4.0 * radius + 1.6 * radius;
                (
                    DVec2::new(0.5 * half.x + rear, beside),
                    self.random.between(1.8, 2.3),
                )
            }
            Game::Carom => (
                DVec2::new(0.5 * half.x, 1.2 * radius),
                self.random.between(1.8, 2.6),
            ),
        };
        let aim = (target - cue_ball).try_normalize().unwrap_or(DVec2::X);
        Plan {
            direction: turned(aim, 0.002 * self.random.normal()),
            stick_speed,
            offset: DVec2::new(0.0, self.random.between(0.0, 0.2)),
            elevation: 0.0,
        }
    }

    fn choice(&mut self, cue_ball: DVec2, others: &[DVec2]) -> Plan {
        // Lowest number first where that is the rule; the 8 last where others are left.
        let objects = self.balls.iter().filter(|ball| ball.kind != BallKind::Cue);
        let lowest = objects.clone().filter_map(|ball| ball.number).min();
        let targets: Vec<DVec2> = objects
            .filter(|ball| match self.game {
                Game::NineBall => ball.number == lowest,
                Game::EightBall => ball.kind != BallKind::Eight,
                Game::Snooker | Game::Carom => true,
            })
            .map(|ball| ball.state.position)
            .collect();
        choose(&self.table, cue_ball, &targets, others, &mut self.random)
    }

    fn cue(&self) -> Option<SceneCue> {
        let (plan, stroke, elapsed) = match &self.phase {
            Phase::Pausing => return None,
            Phase::Aiming(plan, stroke) => (plan, stroke, self.now - self.began),
            Phase::Watching(plan, stroke) => (plan, stroke, stroke.strikes_at() + self.now - self.struck),
        };
        let (gap, wander) = stroke.at(elapsed)?;
        // Where the tip meets the ball, which has stood there since the strike.
        let i = self.balls.iter().position(|ball| ball.kind == BallKind::Cue)?;
        let ball = match self.phase {
            Phase::Watching(..) => self.start.get(i)?.position,
            _ => self.balls[i].state.position,
        };
        let radius = self.table.ball_radius;
        let direction = turned(plan.direction, wander);
        let level = DVec3::new(direction.x, direction.y, 0.0);
        let (sin, cos) = libm::sincos(plan.elevation);
        let forward = level * cos - DVec3::Z * sin;
        let upward = level * sin + DVec3::Z * cos;
        let leftward = direction.perp().extend(0.0);
        let offset = radius * plan.offset;
        let inwards = (radius * radius - offset.length_squared()).max(0.0).sqrt();
        let contact = ball.extend(radius) + leftward * offset.x + upward * offset.y - forward * inwards;
        Some(SceneCue {
            tip: contact - forward * gap,
            direction,
            elevation: plan.elevation,
            length: SceneCue::USUAL_LENGTH,
        })
    }
}

/// Uniform over all orientations (Shoemake, Uniform Random Rotations, Graphics Gems III, 1992).
fn random_orientation(random: &mut Random) -> DQuat {
    let share = random.unit();
    let [a, b] = [0, 1].map(|_| libm::sincos(random.between(0.0, core::f64::consts::TAU)));
    let (first, second) = ((1.0 - share).sqrt(), share.sqrt());
    DQuat::from_xyzw(first * a.0, first * a.1, second * b.0, second * b.1)
}

/// An orientation turned by a rotation vector, radians in table space.
fn rotated(orientation: DQuat, turn: DVec3) -> DQuat {
    let angle = turn.length();
    if angle < 1e-9 {
        return orientation;
    }
    let (sin, cos) = libm::sincos(0.5 * angle);
    let axis = turn * (sin / angle);
    (DQuat::from_xyzw(axis.x, axis.y, axis.z, cos) * orientation).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balls_stay_on_the_table_and_out_of_each_other_through_many_shots() {
        for game in Game::ALL {
            let table = TableModel::for_game(game);
            let radius = table.ball_radius;
            let mut player = Player::new(game, table.clone(), 11);
            let mut scene = Scene::default();
            let mut aimed = 0;
            for frame in 0..3000 {
                player.play_until(f64::from(frame) / 30.0, &mut scene);
                aimed += u32::from(scene.cue.is_some());
                for (i, ball) in scene.balls.iter().enumerate() {
                    let at = ball.position_in_table;
                    let is_in_mouth = table
                        .shape
                        .pockets
                        .iter()
                        .any(|pocket| pocket.center.distance(at) < pocket.radius + 2.5 * radius);
                    assert!(
                        is_in_mouth || table.shape.holds(at, radius - 1e-6),
                        "{game:?} frame {frame}: {ball:?}"
                    );
                    for other in &scene.balls[..i] {
                        let distance = at.distance(other.position_in_table);
                        assert!(
                            distance > 2.0 * radius - 1e-6,
                            "{game:?} frame {frame}: {distance}"
                        );
                    }
                }
            }
            assert!(
                player.shots > 2 || player.next_id > 30,
                "{game:?}: {}",
                player.shots
            );
            assert!((200..2500).contains(&aimed), "{game:?}: {aimed}");
        }
    }

    #[test]
    fn an_id_names_one_ball_only() {
        let mut player = Player::new(Game::EightBall, TableModel::for_game(Game::EightBall), 5);
        let mut scene = Scene::default();
        let mut known: Vec<(u32, BallKind, Option<u8>)> = Vec::new();
        for second in 0..2000 {
            player.play_until(f64::from(second), &mut scene);
            for ball in &scene.balls {
                match known.iter().find(|(id, ..)| *id == ball.id) {
                    Some((_, kind, number)) => assert_eq!((*kind, *number), (ball.kind, ball.number)),
                    None => known.push((ball.id, ball.kind, ball.number)),
                }
            }
        }
        assert!(
            known.len() > 40,
            "no second rack within the time: {}",
            known.len()
        );
    }

    #[test]
    fn the_stick_touches_the_cue_ball_when_it_begins_to_move() {
        let table = TableModel::for_game(Game::EightBall);
        let mut player = Player::new(Game::EightBall, table.clone(), 3);
        let mut scene = Scene::default();
        let mut last_gap = f64::INFINITY;
        for frame in 0..20_000 {
            player.play_until(f64::from(frame) / 2000.0, &mut scene);
            let Some(cue_ball) = scene.balls.iter().find(|ball| ball.kind == BallKind::Cue) else {
                break;
            };
            if cue_ball.is_moving {
                break;
            }
            if let Some(cue) = &scene.cue {
                let center = cue_ball.position_in_table.extend(table.ball_radius);
                last_gap = cue.tip.distance(center) - table.ball_radius;
                assert!(last_gap > -1e-6, "{last_gap}");
            }
        }
        assert!(last_gap < 0.004, "{last_gap}");
    }
}
