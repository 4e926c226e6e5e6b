//! Names stick to tracks, and tracks stick to balls.
//!
//! A name is given once, when a ball is sure of it, and stays with the track. Where balls were mixed up, in a break or under
//! an arm, their looks tell later: then it is not the names that are exchanged but the balls behind them, so that a viewer's
//! `cue` is the cue ball again. Everything is done in the order of the tracks.

use crate::identity::Label;
use crate::track::Track;

/// Keeps the names of `tracks`, whose votes were settled in this frame, with their balls.
pub fn keep(tracks: &mut Vec<Track>) {
    give(tracks);
    revive(tracks);
    exchange(tracks);
}

fn owner(tracks: &[Track], name: Label) -> Option<usize> {
    tracks.iter().position(|track| track.name == Some(name))
}

/// Names the tracks that are sure, unless another has that name.
fn give(tracks: &mut [Track]) {
    for index in 0..tracks.len() {
        let track = &tracks[index];
        let name = track.votes.settled();
        if track.name.is_none()
            && track.votes.is_sure_of(name)
            && !track.provisional
            && owner(tracks, name).is_none()
        {
            tracks[index].name = Some(name);
        }
    }
}

/// A ball without a name that is sure to be one that has not been seen since before it came is that ball. Where others
/// were mixed up meanwhile, it takes the place of the one it looks like, that one the place of the one *it* looks like, and
/// so on to the one that is hidden: as when the balls are racked anew.
fn revive(tracks: &mut Vec<Track>) {
    let mut index = 0;
    while index < tracks.len() {
        if !leads_to_a_hidden_one(tracks, index) {
            index += 1;
            continue;
        }
        let age_frames = tracks[index].age_frames;
        let mut ball = tracks[index];
        while let Some(place) = owner(tracks, ball.votes.strongest()) {
            let displaced = tracks[place];
            if displaced.frames_missed >= age_frames {
                tracks[place].continue_as(&ball);
                break;
            }
            tracks[place] = Track {
                id: displaced.id,
                name: displaced.name,
                ..ball
            };
            ball = displaced;
        }
        tracks.remove(index);
    }
}

/// Whether the track at `index` has no name, is sure of its looks, and from the owner of that name on each looks like the
/// next one's, up to one that was hidden before this track began.
fn leads_to_a_hidden_one(tracks: &[Track], index: usize) -> bool {
    let new = &tracks[index];
    let mut looks = new.votes.strongest();
    if new.name.is_some() || !new.votes.is_sure_of(looks) {
        return false;
    }
    for _ in 0..tracks.len() {
        let Some(place) = owner(tracks, looks) else {
            return false;
        };
        if tracks[place].frames_missed >= new.age_frames {
            return true;
        }
        looks = tracks[place].votes.strongest();
    }
    false
}

/// Balls of which each looks like the next one's name, round in a circle, were mixed up: each goes back to its own track.
fn exchange(tracks: &mut [Track]) {
    for first in 0..tracks.len() {
        let next_of = |at: usize| {
            let looks = tracks[at].votes.settled();
            tracks[at].name?;
            owner(tracks, looks).filter(|next| *next != at)
        };
        let mut at = first;
        let is_circle = (0..tracks.len()).any(|_| match next_of(at) {
            Some(next) => {
                at = next;
                next == first
            }
            None => false,
        });
        if !is_circle {
            continue;
        }
        let mut ball = tracks[first];
        while let Some(place) = owner(tracks, ball.votes.settled()) {
            let displaced = tracks[place];
            tracks[place] = Track {
                id: displaced.id,
                name: displaced.name,
                ..ball
            };
            ball = displaced;
            if place == first {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::TrackId;
    use glam::DVec2;

    use super::*;
    use crate::identity::Registrar;
    use crate::scenario::label_of;
    use crate::track::Observation;

    fn observation(x: f64, label: Label) -> Observation {
        Observation {
            sigma: 1e-3,
            label,
            ..Observation::at(DVec2::new(x, 0.0))
        }
    }

    fn track(id: u32, x: f64, ball: usize) -> Track {
        Track {
            id: TrackId(id),
            ..Track::new(observation(x, label_of(ball)))
        }
    }

    fn look(tracks: &mut Vec<Track>, balls: &[usize], frames: u32) {
        for _ in 0..frames {
            for (track, ball) in tracks.iter_mut().zip(balls) {
                track.age_frames += 1;
                track.votes.cast(label_of(*ball), 0.9);
            }
            Registrar::default().settle(tracks, |track| &mut track.votes);
            keep(tracks);
        }
    }

    fn names(tracks: &[Track]) -> Vec<(u32, Option<Label>, f64)> {
        let name = |track: &Track| (track.id.0, track.name, track.filter.position.x);
        tracks.iter().map(name).collect()
    }

    #[test]
    fn a_name_is_given_once_and_never_changed() {
        let mut tracks = vec![track(1, 0.0, 3)];
        assert_eq!(tracks[0].label(), Label::default());
        look(&mut tracks, &[3], 15);
        assert_eq!(tracks[0].label(), label_of(3));
        look(&mut tracks, &[5], 300);
        assert_eq!(tracks[0].label(), label_of(3));
    }

    #[test]
    fn balls_that_were_mixed_up_go_back_to_their_tracks() {
        let mut tracks = vec![
            track(1, 0.1, 0),
            track(2, 0.2, 14),
            track(3, 0.3, 12),
            track(4, 0.4, 2),
        ];
        look(&mut tracks, &[0, 14, 12, 2], 30);
        look(&mut tracks, &[14, 12, 0, 2], 1);
        assert_eq!(names(&tracks)[0], (1, Some(label_of(0)), 0.1));
        for _ in 0..100 {
            // What is seen belongs to the places.
            let balls: Vec<usize> = tracks
                .iter()
                .map(|track| [14, 12, 0, 2][(track.filter.position.x * 10.0 - 0.5) as usize])
                .collect();
            look(&mut tracks, &balls, 1);
        }
        let expected = [(1, 0, 0.3), (2, 14, 0.1), (3, 12, 0.2), (4, 2, 0.4)];
        let expected = expected.map(|(id, ball, x)| (id, Some(label_of(ball)), x));
        assert_eq!(names(&tracks), expected);
    }

    #[test]
    fn a_new_ball_pushes_those_mixed_up_on_to_the_hidden_one() {
        let mut tracks = vec![track(1, 0.1, 0), track(2, 0.2, 4)];
        look(&mut tracks, &[0, 4], 12);
        // The cue ball's track is on the four; the four is hidden; a new ball is the cue ball.
        for _ in 0..30 {
            tracks[1].miss(0.033);
        }
        tracks.push(track(3, 0.3, 0));
        for _ in 0..20 {
            if let Some(new) = tracks.get_mut(2) {
                new.age_frames += 1;
                new.votes.cast(label_of(0), 0.9);
                tracks[0].votes.cast(label_of(4), 0.9);
                tracks[1].miss(0.033);
            }
            Registrar::default().settle(&mut tracks, |track| &mut track.votes);
            keep(&mut tracks);
        }
        let expected = [(1, Some(label_of(0)), 0.3), (2, Some(label_of(4)), 0.1)];
        assert_eq!(names(&tracks), expected);
    }

    #[test]
    fn a_ball_that_is_sure_to_be_a_hidden_one_is_that_one() {
        let mut tracks = vec![track(1, 0.1, 0), track(2, 0.2, 4)];
        look(&mut tracks, &[0, 4], 30);
        for _ in 0..10 {
            tracks[1].miss(0.033);
        }
        tracks.push(track(3, 0.3, 4));
        for _ in 0..20 {
            if let Some(new) = tracks.get_mut(2) {
                new.age_frames += 1;
                new.votes.cast(label_of(4), 0.9);
                tracks[1].miss(0.033);
            }
            Registrar::default().settle(&mut tracks, |track| &mut track.votes);
            keep(&mut tracks);
        }
        assert_eq!(
            names(&tracks),
            [(1, Some(label_of(0)), 0.1), (2, Some(label_of(4)), 0.3)]
        );
    }
}
