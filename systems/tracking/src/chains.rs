//! Balls that push each other on within one frame, as in a pack: if most of them go as foreseen, so did what they passed on.
//!
//! What a ball of a pack gets it passes on, and keeps so little that its own way hardly tells that it was touched. The ways of
//! all of them do: they can have got it only through each other.

use crate::foresight::ForeseenTouch;

/// Finds the chains of one frame. Keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    /// Per ball, another one of its chain, up to the first, which is its own.
    before: Vec<usize>,
    /// Per first ball: how many balls of the chain were seen as foreseen, less those that were not.
    seen: Vec<i32>,
}

impl Chains {
    /// Where the balls of a chain are seen as foreseen, mostly, so is each that leans on another and says nothing by itself.
    pub fn tell(&mut self, touches: &mut [ForeseenTouch], balls: usize) {
        self.before.clear();
        self.before.extend(0..balls);
        self.seen.clear();
        self.seen.resize(balls, 0);
        for touch in &*touches {
            if let (a, Some(b)) = touch.balls {
                let (a, b) = (self.first(a), self.first(b));
                self.before[a.max(b)] = a.min(b);
            }
        }
        for touch in &*touches {
            let first = self.first(touch.balls.0);
            for seen in touch.seen_as_foreseen.into_iter().flatten() {
                self.seen[first] += if seen { 1 } else { -1 };
            }
        }
        for touch in touches {
            let is_seen = self.seen[self.first(touch.balls.0)] > 0;
            if touch.do_lean && is_seen {
                touch.seen_as_foreseen = touch.seen_as_foreseen.map(|seen| seen.or(Some(true)));
            }
        }
    }

    fn first(&self, mut ball: usize) -> usize {
        while self.before[ball] != ball {
            ball = self.before[ball];
        }
        ball
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::TrackId;
    use glam::DVec2;

    use super::*;

    /// Ball 0 comes to ball 1, which leans on 2, which leans on 3; what is seen of each of them.
    fn told(seen: [Option<bool>; 4]) -> Vec<[Option<bool>; 2]> {
        let mut touches: Vec<ForeseenTouch> = (0..3)
            .map(|ball| ForeseenTouch {
                after_secs: 0.01,
                balls: (ball, Some(ball + 1)),
                ids: (TrackId(ball as u32), Some(TrackId(ball as u32 + 1))),
                positions: [DVec2::ZERO; 2],
                before: [DVec2::ZERO; 2],
                normal: DVec2::X,
                do_lean: ball > 0,
                seen_as_foreseen: [seen[ball], seen[ball + 1]],
            })
            .collect();
        Chains::default().tell(&mut touches, 4);
        touches.iter().map(|touch| touch.seen_as_foreseen).collect()
    }

    #[test]
    fn what_balls_of_a_pack_passed_on_is_told_by_those_it_came_to() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(told([yes, None, None, yes])[1..], [[yes, yes]; 2]);
        assert_eq!(told([no, None, None, no])[1..], [[None, None], [None, no]]);
        // One that stayed speaks for itself.
        assert_eq!(told([yes, None, yes, no])[1..], [[yes, yes], [yes, no]]);
    }
}
