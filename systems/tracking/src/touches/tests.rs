use super::*;
use crate::bed::tests::geometry;
use crate::kalman::BallFilter;
use crate::scenario::{label_of, seen_ball};
use crate::track::Observation;
use crate::tracks::Tick;

/// A ball that goes on with this velocity, known to `velocity_sigma`, m/s; one that stands where that is zero.
fn track(id: u32, velocity: DVec2, velocity_sigma: f64) -> Track {
    let mut track = Track::new(Observation::at(DVec2::ZERO));
    track.id = TrackId(id);
    if velocity != DVec2::ZERO {
        track.motion.set_moving(DVec2::ZERO);
        track.filter = BallFilter::after_a_touch(DVec2::ZERO, velocity, velocity_sigma, 0.01, 5e-4);
    }
    track
}

/// Whether ball 1, which came at 2 m/s, touched ball 2, which lay, by what they do after it.
fn happened(first: Track, second: Track) -> bool {
    let meeting = Meeting {
        touch: Touch {
            at: Duration::ZERO,
            id: TrackId(1),
            position: DVec2::ZERO,
            touched: Touched::Ball(TrackId(2), DVec2::X * 0.057),
        },
        normal: DVec2::X,
        closing: 2.0,
        before: [2.0 * DVec2::X, DVec2::ZERO],
        frames: 3,
        seen_as_foreseen: None,
    };
    meeting.happened(&[first, second])
}

#[test]
fn a_ball_that_stays_where_it_lay_was_not_touched_though_the_other_was_turned_by_something() {
    let turned = track(1, DVec2::new(0.2, 0.5), 0.05);
    assert!(happened(turned, track(2, DVec2::X * 1.8, 0.05)));
    assert!(!happened(turned, track(2, DVec2::ZERO, 0.0)));
    assert!(!happened(
        track(1, DVec2::X * 1.9, 0.05),
        track(2, DVec2::X * 0.1, 0.05)
    ));
}

#[test]
fn balls_of_a_pack_that_creep_apart_after_it_was_hit_do_not_touch_again() {
    let frames = [1, 2].map(|frame| secs(f64::from(frame) / 30.0));
    let meeting = |closing: f64| Meeting {
        touch: Touch {
            at: Duration::ZERO,
            id: TrackId(1),
            position: DVec2::ZERO,
            touched: Touched::Ball(TrackId(2), DVec2::X * 0.057),
        },
        normal: DVec2::X,
        closing,
        before: [closing * DVec2::X, DVec2::ZERO],
        frames: 0,
        seen_as_foreseen: None,
    };
    let finder = TouchFinder {
        shaken: vec![(TrackId(2), frames[0])],
        ..TouchFinder::default()
    };
    assert!(!finder.is_part_of_a_shake(&meeting(0.1), frames[0]));
    assert!(finder.is_part_of_a_shake(&meeting(0.1), frames[1]));
    assert!(!finder.is_part_of_a_shake(&meeting(1.0), frames[1]));
}

#[test]
fn a_ball_that_one_grazes_cannot_have_turned_it_by_more_than_it_came_in_with() {
    // It came by at 2 m/s, half a radius from passing clear, and was turned by a third ball.
    let normal = DVec2::new(0.05, 0.998_749);
    let meeting = Meeting {
        touch: Touch {
            at: Duration::ZERO,
            id: TrackId(1),
            position: DVec2::ZERO,
            touched: Touched::Ball(TrackId(2), normal * 0.057),
        },
        normal,
        closing: 0.1,
        before: [2.0 * DVec2::X, DVec2::ZERO],
        frames: 3,
        seen_as_foreseen: None,
    };
    let stands = || track(2, DVec2::ZERO, 0.0);
    let turned = |aside: f64| track(1, DVec2::new(1.9, -aside), 0.01);
    assert!(meeting.happened(&[turned(0.1), stands()]));
    assert!(!meeting.happened(&[turned(1.0), stands()]));
}

#[test]
fn a_ball_between_the_jaws_is_not_told_to_touch_the_cushion_beside_them() {
    let bed = Bed::of(&geometry());
    let cushions_met = |start: DVec2| {
        let mut tracker = BallTracker::default();
        let mut finder = TouchFinder::default();
        for n in 0..4 {
            let place = start + 0.01 * f64::from(n) * DVec2::NEG_X + 0.002 * f64::from(n) * DVec2::Y;
            let seen = seen_ball(
                &geometry(),
                geometry().image_from_table.apply(place),
                label_of(1),
                0.9,
            );
            let tick = Tick {
                dt_secs: 1.0 / 30.0,
                jumped_back: false,
            };
            tracker.follow(tick, &[seen], &bed, None);
            finder.follow(secs(f64::from(n) / 30.0), &tracker, &bed);
        }
        finder.meetings.len()
    };
    let at_line = bed.half_reach.y - 0.002;
    assert_eq!(cushions_met(DVec2::new(0.5, at_line)), 1);
    assert_eq!(cushions_met(DVec2::new(0.02, at_line + 0.01)), 0);
}

#[test]
fn one_ball_whose_speed_is_well_known_is_enough() {
    let hit = track(2, DVec2::X * 1.8, 0.8);
    assert!(happened(track(1, DVec2::X * 0.2, 0.05), hit));
    assert!(!happened(track(1, DVec2::X * 0.2, 0.8), hit));
}

/// The touches told of a ball that comes to another at 0.06 m/s; hits it, or passes it half a millimetre away; places are known to
/// a tenth of a pixel. When the touch is, seconds.
fn told_of_a_gentle_meeting(does_touch: bool) -> (Vec<Touch>, f64) {
    let (bed, geometry) = (Bed::of(&geometry()), geometry());
    let (speed, fps) = (0.06, 30.0);
    // At 45 degrees to the line of the centres.
    let beside = if does_touch {
        2.0 * bed.ball_radius * DVec2::ONE.normalize()
    } else {
        (2.0 * bed.ball_radius + 5e-4) * DVec2::Y
    };
    let touch_secs = 1.51;
    let mut random = crate::scenario::Random(7);
    let mut tracker = BallTracker::default();
    let mut finder = TouchFinder::default();
    let mut told = Vec::new();
    for frame in 0..90_u32 {
        let now = f64::from(frame) / fps;
        // Half a second of rest, then as if struck.
        let before_secs = (now - 0.5).clamp(0.0, touch_secs - 0.5);
        let after_secs = (now - touch_secs).max(0.0);
        let come = speed * (before_secs - (touch_secs - 0.5)) * DVec2::X - beside;
        let given = if does_touch {
            0.5 * speed * DVec2::ONE
        } else {
            DVec2::ZERO
        };
        let places = [come + after_secs * (speed * DVec2::X - given), after_secs * given];
        let seen: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(ball, place)| {
                let noise = 0.1 * DVec2::new(random.normal(), random.normal());
                let center = geometry.image_from_table.apply(*place) + noise;
                seen_ball(&geometry, center, label_of(ball), 0.9)
            })
            .collect();
        let tick = Tick {
            dt_secs: 1.0 / fps,
            jumped_back: false,
        };
        tracker.follow(tick, &seen, &bed, None);
        finder.follow(secs(now), &tracker, &bed);
        told.extend(finder.touches());
    }
    (told, touch_secs)
}

#[test]
fn balls_that_touch_gently_are_told_to_and_those_that_just_miss_are_not() {
    let (told, touch_secs) = told_of_a_gentle_meeting(true);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        (told[0].at.as_secs_f64() - touch_secs).abs() < 2.0 / 30.0,
        "{told:?}"
    );
    let (told, _) = told_of_a_gentle_meeting(false);
    assert_eq!(told, []);
}
