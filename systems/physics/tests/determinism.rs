//! The same shots give the same bits on every machine. `aarch64.sh` beside this file runs it for another one.

mod scenes;

use ghostball_physics::{BallState, Limits, Shot, Simulator};
use scenes::{Game, Scene, random_break, sixteen_balls};

/// What 100 shots hash to. When a change of the physics changes it on purpose, take the number that the failure tells, and
/// see that `aarch64.sh` finds the same.
const HASH: u64 = 0x947f_85d7_ce48_b059;

/// Fowler, Noll & Vo, FNV-1a, over the bits of numbers.
struct Hash(u64);

impl Hash {
    fn number(&mut self, number: f64) {
        for byte in number.to_bits().to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn state(&mut self, state: &BallState) {
        let numbers = [
            state.position.to_array(),
            state.velocity.to_array(),
            [state.spin.x, state.spin.y],
        ];
        numbers
            .into_iter()
            .flatten()
            .for_each(|number| self.number(number));
        self.number(state.spin.z);
    }

    fn shot(&mut self, shot: &Shot) {
        for event in &shot.events {
            self.number(event.time);
            event.changes().for_each(|change| self.state(&change.after));
        }
        shot.end.iter().for_each(|state| self.state(state));
    }
}

#[test]
fn a_hundred_shots_give_the_bits_they_always_gave() {
    let breaks = (0..60).map(|seed| random_break(Game::ALL[seed as usize % Game::ALL.len()], seed));
    let scenes: Vec<Scene> = breaks.chain((0..40).map(sixteen_balls)).collect();
    assert_eq!(scenes.len(), 100);
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    let mut simulator = Simulator::new();
    for scene in &scenes {
        let shot = simulator
            .run(&scene.table, &scene.physics, &scene.balls, &Limits::default())
            .expect("a sound shot");
        hash.shot(shot);
    }
    assert_eq!(
        hash.0, HASH,
        "the shots hash to {:#x}: on this machine alone (a defect), or because the physics changed (see HASH)",
        hash.0
    );
}
