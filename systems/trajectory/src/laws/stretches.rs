//! Ways of balls, cut where other balls, pockets or lost time come in.

use std::collections::BTreeMap;

use ghostball_physics::{Physics, PocketShape, TableShape};
use ghostball_world::{TableGeometry, TrackId};
use glam::DVec2;

use crate::scene::Scene;

/// A stretch shorter than this, seconds, tells less than its own start costs.
pub(super) const LEAST_SECS: f64 = 0.3;
/// Fewer sightings than this do neither: six unknowns of the start, and as much again.
const LEAST_SIGHTINGS: usize = 8;
/// Balls whose ways come nearer than this, in diameters, may have touched.
const TOUCHING_DIAMETERS: f64 = 1.1;
/// Nearer to a pocket's hole than this, in radii of the ball, the jaws decide.
const AT_POCKET_RADII: f64 = 2.0;
/// A step that differs from those before and after it by more than this share shows lost time, not friction: sliding takes
/// 13 % of the speed of a ball at 0.5 m/s from one frame to the next.
const TIME_SLIP: f64 = 0.4;
/// Steps shorter than this, metres, differ by noise.
const LEAST_STEP: f64 = 5e-3;
/// A sighting this near the one before, metres, of a ball that moves on is the same picture once more.
const REPEAT: f64 = 1e-6;
/// The least speed a stretch is taken to have, m/s.
const LEAST_SPEED: f64 = 0.05;

/// One ball as it was seen in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenBall {
    /// Its name.
    pub id: TrackId,
    /// Where it was seen, metres in table space.
    pub position: DVec2,
    /// Where tracking says it is: in a picture that is shown twice this stays, bit by bit.
    pub tracked: DVec2,
    /// Whether it moves.
    pub is_moving: bool,
}

/// What is seen of one ball between touches of others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// The shot that it is part of, from 0.
    pub shot: usize,
    /// Seconds from its start, and place, metres in table space.
    pub seen: Vec<(f64, DVec2)>,
}

impl Stretch {
    /// Mean speed at the start, m/s, not 0.
    pub(super) fn speed(&self) -> f64 {
        match (self.seen.first(), self.seen.get(3)) {
            (Some(first), Some(later)) => {
                (later.1.distance(first.1) / (later.0 - first.0).max(1e-3)).max(LEAST_SPEED)
            }
            _ => LEAST_SPEED,
        }
    }
}

/// Gathers what is seen of a table, frame by frame.
#[derive(Clone, Debug)]
pub struct Ways {
    shape: TableShape,
    ball_radius: f64,
    open: BTreeMap<TrackId, Open>,
    pub(super) done: Vec<Stretch>,
    last: Vec<SeenBall>,
    pub(super) shots: usize,
    moves: bool,
    frames: u64,
}

/// The way of a ball that moves.
#[derive(Clone, Debug, Default)]
struct Open {
    shot: usize,
    /// Time since the recording's start, seconds, and place.
    seen: Vec<(f64, DVec2)>,
    tracked: DVec2,
}

impl Ways {
    /// None yet, of a table.
    pub fn new(geometry: &TableGeometry) -> Self {
        let mut scene = Scene::new(Physics::default());
        scene.set_table(geometry);
        Self {
            shape: scene.shape,
            ball_radius: geometry.ball_radius,
            open: BTreeMap::new(),
            done: Vec::new(),
            last: Vec::new(),
            shots: 0,
            moves: false,
            frames: 0,
        }
    }

    /// Frames that were looked at.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Shots that have begun.
    pub fn shots(&self) -> usize {
        self.shots
    }

    /// Takes in a frame, `time` seconds after the recording's start: every ball that was seen in it.
    pub fn look(&mut self, time: f64, balls: &[SeenBall]) {
        self.frames += 1;
        let moves = balls.iter().any(|ball| ball.is_moving);
        if moves && !self.moves {
            self.shots += 1;
        }
        self.moves = moves;
        for ball in balls {
            if !ball.is_moving || self.is_at_pocket(ball.position) {
                self.close(ball.id);
                continue;
            }
            let touched = self.may_have_touched(ball, balls);
            let open = self.open.entry(ball.id).or_insert_with(|| Open {
                shot: self.shots - 1,
                ..Open::default()
            });
            let is_repeat = !open.seen.is_empty() && open.tracked.distance(ball.tracked) < REPEAT;
            if is_repeat {
                continue;
            }
            open.tracked = ball.tracked;
            if touched {
                let seen = std::mem::take(&mut open.seen);
                self.done
                    .extend(cut(open.shot, seen, &self.shape, self.ball_radius));
            }
            open.seen.push((time, ball.position));
        }
        let gone: Vec<_> = self.open.keys().copied().collect();
        // Hidden for a frame or gone: what comes later is another stretch.
        for id in gone {
            if !balls.iter().any(|ball| ball.id == id) {
                self.close(id);
            }
        }
        self.last.clear();
        self.last.extend_from_slice(balls);
    }

    /// The recording is over: what comes next is another shot.
    pub fn end_recording(&mut self) {
        for (_, open) in std::mem::take(&mut self.open) {
            self.done
                .extend(cut(open.shot, open.seen, &self.shape, self.ball_radius));
        }
        self.last.clear();
        self.moves = false;
    }

    /// All stretches so far that are worth anything, in order of shot.
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut stretches = self.done.clone();
        for open in self.open.values() {
            stretches.extend(cut(open.shot, open.seen.clone(), &self.shape, self.ball_radius));
        }
        stretches.sort_by_key(|stretch| stretch.shot);
        stretches
    }

    fn close(&mut self, id: TrackId) {
        if let Some(open) = self.open.remove(&id) {
            self.done
                .extend(cut(open.shot, open.seen, &self.shape, self.ball_radius));
        }
    }

    fn is_at_pocket(&self, position: DVec2) -> bool {
        let at = |pocket: &PocketShape| {
            position.distance(pocket.center) < pocket.radius + AT_POCKET_RADII * self.ball_radius
        };
        self.shape.pockets.iter().any(at)
    }

    /// Whether the ball's step from the frame before came so near another's that they may have touched.
    fn may_have_touched(&self, ball: &SeenBall, balls: &[SeenBall]) -> bool {
        let before = |id| {
            self.last
                .iter()
                .find(|last| last.id == id)
                .map(|last| last.position)
        };
        let Some(from) = before(ball.id) else {
            return false;
        };
        balls.iter().filter(|other| other.id != ball.id).any(|other| {
            // In the other's frame of reference it stands.
            let start = from - before(other.id).unwrap_or(other.position);
            let end = ball.position - other.position;
            let along = end - start;
            let share = (-start.dot(along) / along.length_squared().max(1e-12)).clamp(0.0, 1.0);
            (start + share * along).length() < TOUCHING_DIAMETERS * 2.0 * self.ball_radius
        })
    }
}

/// Cuts where time was lost, and midway between two bounces; leaves out what is too short.
///
/// The next bounce but one depends on the start so strongly, and with jumps at corners and jaws, that no start could be
/// found for it by going downhill.
fn cut(
    shot: usize,
    seen: Vec<(f64, DVec2)>,
    shape: &TableShape,
    ball_radius: f64,
) -> impl Iterator<Item = Stretch> {
    let mut pieces: Vec<Vec<(f64, DVec2)>> = vec![Vec::new()];
    // Sightings of the last piece until its bounce.
    let mut bounced_at = None;
    for (i, sighting) in seen.iter().enumerate() {
        let around = i.checked_sub(2).and_then(|from| seen.get(from..=i + 1));
        if let Some([before, last, _, next]) = around {
            let velocity = |a: &(f64, DVec2), b: &(f64, DVec2)| (b.1 - a.1) / (b.0 - a.0).max(1e-3);
            let (usual, now) = (
                0.5 * (velocity(before, last) + velocity(sighting, next)),
                velocity(last, sighting),
            );
            let step = sighting.1 - last.1;
            let reach = 0.5 * DVec2::new(shape.length, shape.width)
                - DVec2::splat(ball_radius + step.length().max(ball_radius));
            let at_cushion = [last, sighting, next]
                .iter()
                .any(|seen| seen.1.abs().cmpgt(reach).any());
            let is_slip = (now - usual).length() > TIME_SLIP * usual.length();
            let turns = (last.1 - before.1) * (next.1 - sighting.1);
            if is_slip && step.length() > LEAST_STEP && !at_cushion {
                pieces.push(Vec::new());
                bounced_at = None;
            } else if at_cushion && turns.min_element() < -LEAST_STEP * LEAST_STEP {
                let piece = pieces.last_mut().map_or(0, |piece| piece.len());
                match bounced_at.replace(piece) {
                    // The same bounce, seen from the next sighting.
                    Some(bounced) if piece <= bounced + 2 => {}
                    Some(bounced) => {
                        let middle = (bounced + piece) / 2;
                        let rest = pieces.last_mut().map(|piece| piece.split_off(middle));
                        bounced_at = rest.as_ref().map(Vec::len);
                        pieces.extend(rest);
                    }
                    None => {}
                }
            }
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(*sighting);
        }
    }
    pieces.into_iter().filter_map(move |mut seen| {
        let (first, last) = (seen.first()?.0, seen.last()?.0);
        let is_long = seen.len() >= LEAST_SIGHTINGS && last - first >= LEAST_SECS;
        for sighting in &mut seen {
            sighting.0 -= first;
        }
        is_long.then_some(Stretch { shot, seen })
    })
}
