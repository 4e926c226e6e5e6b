use ghostball_world::BallKind;

use super::*;
use crate::bed::tests::geometry;
use crate::scenario::label_of;
use crate::scenario::{FPS, Faults, Scene, seen_ball, shot};
use crate::tracks::{SeenBall, Tick};

fn context(bed: &Bed) -> Context<'_> {
    Context {
        bed,
        prediction: None,
        cue: None,
    }
}

/// Follows frames of sightings and tells what happened, with the frame in which it was told.
struct Watch {
    tracker: BallTracker,
    teller: EventTeller,
    bed: Bed,
    frame: u32,
    told: Vec<(u32, TableEvent)>,
}

impl Watch {
    fn new() -> Self {
        Self {
            tracker: BallTracker::default(),
            teller: EventTeller::default(),
            bed: Bed::of(&geometry()),
            frame: 0,
            told: Vec::new(),
        }
    }

    fn see(&mut self, seen: &[SeenBall]) {
        let dt = secs(1.0 / FPS);
        let tick = Tick {
            dt_secs: 1.0 / FPS,
            jumped_back: false,
        };
        self.tracker.follow(tick, seen, &self.bed, None);
        let moment = Moment {
            now: dt * self.frame,
            dt,
        };
        self.teller.follow(moment, &self.tracker, &context(&self.bed));
        let told = self
            .teller
            .events()
            .iter()
            .map(|event| (self.frame, event.clone()));
        self.told.extend(told);
        self.frame += 1;
    }

    fn see_all(&mut self, scenes: &[Scene]) {
        scenes.iter().for_each(|scene| self.see(&scene.seen));
    }

    /// What was told but single motions, by name.
    fn names(&self) -> Vec<&'static str> {
        let events = self.told.iter().filter(|(_, event)| !event.kind.is_motion());
        events.map(|(_, event)| event.kind.name()).collect()
    }

    fn pots(&self) -> Vec<(u32, &TableEvent)> {
        let pots = self
            .told
            .iter()
            .filter(|(_, event)| event.kind.name() == "potted");
        pots.map(|(frame, event)| (*frame, event)).collect()
    }
}

/// Balls lying still, in view.
fn lying(places: &[DVec2]) -> Vec<SeenBall> {
    let geometry = geometry();
    let balls = places.iter().enumerate();
    balls
        .map(|(n, place)| {
            seen_ball(
                &geometry,
                geometry.image_from_table.apply(*place),
                label_of(n),
                0.9,
            )
        })
        .collect()
}

const PLACES: [DVec2; 3] = [DVec2::new(-0.5, 0.0), DVec2::new(0.5, 0.2), DVec2::new(0.2, -0.4)];

#[test]
fn a_table_on_which_nothing_moves_tells_nothing() {
    let mut watch = Watch::new();
    watch.see_all(&shot(&PLACES, 1.0, 0.0, 300, 300, Faults::default(), 1));
    assert_eq!(watch.told, []);
}

#[test]
fn a_shot_begins_with_its_first_ball_and_ends_when_all_stand() {
    for (seed, stick_speed) in [0.4, 0.9, 1.4].into_iter().enumerate() {
        let mut watch = Watch::new();
        let scenes = shot(&PLACES, stick_speed, 2.9, 20, 700, Faults::default(), seed as u64);
        watch.see_all(&scenes);
        let fell = scenes.iter().any(|scene| scene.truth.contains(&None));
        assert!(!fell, "meant to stay on the table");
        let mut names = watch.names();
        names.retain(|name| *name != "cushion");
        assert_eq!(
            names,
            ["shot_started", "shot_ended"],
            "{stick_speed} m/s: {:?}",
            watch.told
        );
        let start = watch
            .told
            .iter()
            .find(|(_, event)| event.kind.name() == "shot_started");
        let Some((frame, started)) = start else { panic!() };
        // Struck a third of a frame before frame 20.
        assert!(
            (started.at.as_secs_f64() * FPS - 19.66).abs() < 1.0,
            "{started:?}"
        );
        assert!((20..=26).contains(frame), "{frame}");
        assert_eq!(started.kind.ball().map(|ball| ball.kind), Some(BallKind::Cue));
        let Some((
            _,
            TableEvent {
                kind: TableEventKind::ShotEnded(shot),
                ..
            },
        )) = watch.told.last()
        else {
            panic!("{:?}", watch.told)
        };
        assert_eq!((shot.start.len(), shot.end.len()), (3, 3));
        assert!(shot.start[0].position_in_table.distance(PLACES[0]) < 1e-3);
        // It rolls its last 2 mm in 0.2 s, which nobody sees.
        let truly = scenes.iter().rposition(|scene| {
            scene
                .truth
                .iter()
                .flatten()
                .any(|(_, velocity)| velocity.length() > 0.02)
        });
        let truly_secs = truly.unwrap_or(0) as f64 / FPS;
        let off_secs = shot.ended_at.as_secs_f64() - truly_secs;
        assert!(off_secs.abs() < 0.3, "{off_secs}");
    }
}

#[test]
fn every_ball_that_falls_is_told_once_in_its_pocket_within_a_frame() {
    let geometry = geometry();
    let pockets = geometry.pockets_in_table();
    let mut told = 0;
    for seed in 0..24_u64 {
        let mut random = crate::scenario::Random(seed);
        let target = pockets[(seed % 6) as usize];
        let from = target.signum() * DVec2::new(0.2 + 0.6 * random.uniform(), 0.1 + 0.2 * random.uniform());
        let from = if target.x.abs() < 0.1 {
            DVec2::new(0.15 * random.normal(), from.y)
        } else {
            from
        };
        let way = target - from;
        let direction = libm::atan2(way.y, way.x);
        let speed = 0.6 + 1.5 * random.uniform();
        let places = [
            from,
            DVec2::new(-0.3 * target.x.signum(), -0.1 * target.y.signum()),
        ];
        let scenes = shot(&places, speed, direction, 20, 260, Faults::default(), seed);
        let mut watch = Watch::new();
        watch.see_all(&scenes);
        let fell = scenes.iter().position(|scene| scene.truth[0].is_none());
        let pots = watch.pots();
        assert_eq!(
            pots.len(),
            usize::from(fell.is_some()),
            "seed {seed}: {:?}",
            watch.told
        );
        let (Some(fell), Some((frame, pot))) = (fell, pots.first()) else {
            continue;
        };
        let TableEventKind::Potted(ball, pocket) = &pot.kind else {
            continue;
        };
        assert_eq!(*pocket, PocketName::ALL[(seed % 6) as usize], "seed {seed}");
        assert_eq!(ball.kind, BallKind::Cue);
        let off_frames = pot.at.as_secs_f64() * FPS - fell as f64;
        assert!(off_frames.abs() <= 1.001, "seed {seed}: {off_frames}");
        assert!(
            *frame <= fell as u32 + 10,
            "seed {seed}: told in {frame}, fell in {fell}"
        );
        // It was the cue ball.
        assert!(
            watch.names().ends_with(&["shot_ended", "ball_in_hand"]),
            "seed {seed}: {:?}",
            watch.told
        );
        told += 1;
    }
    assert!(told >= 12, "only {told} of 24 fell: the test shows little");
}

#[test]
fn a_ball_that_was_seen_once_after_it_was_hit_fell_the_sooner_the_later_it_was_hit() {
    let ball = |id| EventBall {
        track_id: TrackId(id),
        kind: BallKind::Solid,
        number: None,
        position_in_table: DVec2::ZERO,
    };
    let falling = || Falling {
        ball: ball(2),
        pocket: PocketName::TopLeft,
        at: secs(1.25),
        sure_at: secs(1.5),
        last_seen_at: secs(1.0),
        fall: None,
        lay_until: Some(secs(0.96)),
    };
    let hit = |id, at| Touch {
        at: secs(at),
        id: TrackId(1),
        position: DVec2::ZERO,
        touched: Touched::Ball(TrackId(id), DVec2::ZERO),
    };
    let at_after = |touches: &[Touch]| {
        let mut falling = falling();
        touches.iter().for_each(|touch| falling.learn_from(touch));
        falling.at.as_secs_f64()
    };
    // It moved for .01 s of .04, four times as fast as it was taken to; what is known is not learnt twice.
    let right = hit(2, 0.99);
    assert!((at_after(&[right, right]) - 1.0625).abs() < 1e-6);
    // Another ball was hit; it was hit in another frame.
    assert!((at_after(&[hit(3, 0.99), hit(2, 0.95), hit(2, 1.0)]) - 1.25).abs() < 1e-6);
}

#[test]
fn a_rolling_ball_that_an_arm_covers_on_its_way_to_a_pocket_is_not_potted() {
    let place = DVec2::new(0.8, 0.4);
    let way = DVec2::new(1.27, 0.635) - place;
    // Too slow to get there.
    let scenes = shot(
        &[place],
        0.22,
        libm::atan2(way.y, way.x),
        20,
        300,
        Faults::default(),
        5,
    );
    let end = scenes[299].truth[0].map(|(end, _)| end);
    assert!(
        end.is_some_and(|end| end.distance(place) > 0.1),
        "it rolls, and stays on the table: {end:?}"
    );
    let mut watch = Watch::new();
    for (frame, scene) in scenes.iter().enumerate() {
        let covered = (32..75).contains(&frame);
        watch.see(if covered { &[] } else { &scene.seen });
    }
    assert_eq!(watch.pots(), [], "{:?}", watch.told);
}

#[test]
fn a_ball_put_on_the_table_is_placed_once_and_one_taken_away_removed_once() {
    let mut watch = Watch::new();
    for _ in 0..60 {
        watch.see(&lying(&PLACES[..2]));
    }
    for _ in 0..60 {
        watch.see(&lying(&PLACES));
    }
    assert_eq!(watch.names(), ["ball_placed"]);
    let off_frames = watch.told[0].1.at.as_secs_f64() * FPS - 60.0;
    assert!((0.0..=5.0).contains(&off_frames), "{off_frames}");
    for _ in 0..400 {
        watch.see(&lying(&PLACES[..2]));
    }
    assert_eq!(watch.names(), ["ball_placed", "ball_removed"]);
    let removed = &watch.told[1].1;
    assert!(
        (removed.at.as_secs_f64() * FPS - 119.0).abs() <= 1.001,
        "{removed:?}"
    );
}

#[test]
fn a_gap_in_time_tells_nothing() {
    let mut watch = Watch::new();
    for _ in 0..60 {
        watch.see(&lying(&PLACES));
    }
    let tick = Tick {
        dt_secs: 60.0,
        jumped_back: false,
    };
    watch.tracker.follow(tick, &lying(&[PLACES[2]]), &watch.bed, None);
    let moment = Moment {
        now: secs(62.0),
        dt: secs(60.0),
    };
    watch.teller.follow(moment, &watch.tracker, &context(&watch.bed));
    assert_eq!(watch.teller.events(), []);
}

/// Seconds, ball, and the other ball or `None` for a cushion.
type Contact = (f64, usize, Option<usize>);

/// What must have touched, from where the balls truly were: a ball that was at rest and goes was hit by the one nearest to
/// it, one that turns round at a cushion touched it.
fn true_contacts(scenes: &[Scene]) -> Vec<Contact> {
    let bed = Bed::of(&geometry());
    let mut contacts = Vec::new();
    for (frame, pair) in scenes.windows(2).enumerate() {
        let at = (frame as f64 + 0.5) / FPS;
        for ball in 0..pair[0].truth.len() {
            let (Some((place, before)), Some((_, after))) = (pair[0].truth[ball], pair[1].truth[ball]) else {
                continue;
            };
            if before == DVec2::ZERO && after != DVec2::ZERO && ball != 0 {
                let distance = |other: usize| {
                    pair[0].truth[other].map_or(f64::INFINITY, |(other, _)| other.distance(place))
                };
                let others = (0..pair[0].truth.len()).filter(|other| *other != ball);
                let nearest = others.min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
                contacts.push((at, ball, nearest));
            }
            for axis in 0..2 {
                let near = bed.half_reach[axis] - place[axis].abs() < before[axis].abs() / FPS + 0.01;
                if before[axis] * after[axis] < 0.0 && before[axis] * place[axis] > 0.0 && near {
                    contacts.push((at, ball, None));
                }
            }
        }
    }
    contacts
}

fn told_contacts(watch: &Watch) -> Vec<Contact> {
    let ball_of = |ball: &EventBall| match ball.kind {
        BallKind::Cue => 0,
        _ => usize::from(ball.number.unwrap_or(99)),
    };
    let contact = |(_, event): &(u32, TableEvent)| match &event.kind {
        TableEventKind::BallCollision(ball, other) => {
            Some((event.at.as_secs_f64(), ball_of(ball), Some(ball_of(other))))
        }
        TableEventKind::Cushion(ball) => Some((event.at.as_secs_f64(), ball_of(ball), None)),
        _ => None,
    };
    watch.told.iter().filter_map(contact).collect()
}

#[test]
fn collisions_and_cushions_are_told_once_with_their_balls_and_within_a_frame() {
    let (mut balls, mut cushions) = (0, 0);
    for seed in 0..16_u64 {
        let mut random = crate::scenario::Random(seed);
        let speed = 0.6 + 0.9 * random.uniform();
        let aim = PLACES[1] - PLACES[0] + DVec2::Y * 0.08 * (random.uniform() - 0.5);
        let direction = libm::atan2(aim.y, aim.x);
        let scenes = shot(&PLACES, speed, direction, 20, 240, Faults::default(), seed);
        if scenes.iter().any(|scene| scene.truth.contains(&None)) {
            continue;
        }
        let mut watch = Watch::new();
        watch.see_all(&scenes);
        let mut told = told_contacts(&watch);
        for (at, ball, other) in true_contacts(&scenes) {
            let is_it = |told: &Contact| {
                let same = (told.1, told.2) == (ball, other) || other == Some(told.1) && told.2 == Some(ball);
                same && (told.0 - at).abs() * FPS <= 1.5
            };
            let Some(index) = told.iter().position(is_it) else {
                panic!("seed {seed}: {ball} and {other:?} touched at {at}, told is {told:?}");
            };
            told.remove(index);
            balls += usize::from(other.is_some());
            cushions += usize::from(other.is_none());
        }
        assert_eq!(told, [], "seed {seed}: told, but did not happen");
    }
    assert!(balls >= 8 && cushions >= 20, "{balls} and {cushions} show little");
}

#[test]
fn a_shot_tells_when_and_how_fast_and_where_to_its_ball_set_off() {
    for (speed, direction) in [(0.5, 2.9), (1.2, -2.0), (2.0, 2.2)] {
        let scenes = shot(&PLACES, speed, direction, 20, 60, Faults::default(), 4);
        let mut watch = Watch::new();
        watch.see_all(&scenes);
        let launch = watch
            .told
            .iter()
            .find_map(|(frame, event)| event.kind.launch().map(|launch| (*frame, event.at, launch)));
        let Some((frame, at, (told_speed, told_direction))) = launch else {
            panic!("{speed} m/s: no start")
        };
        let truly = scenes[frame as usize].truth[0].map_or(0.0, |(_, velocity)| velocity.length());
        assert!(
            (told_speed / truly - 1.0).abs() < 0.1,
            "{speed} m/s: {told_speed} m/s, truly {truly}"
        );
        assert!(
            (told_direction - direction).abs().to_degrees() < 3.0,
            "{direction}: {told_direction}"
        );
        // Struck a third of a frame before frame 20.
        let off_frames = at.as_secs_f64() * FPS - 19.66;
        assert!(off_frames.abs() < 1.0, "{speed} m/s: {off_frames}");
    }
}

#[test]
fn frames_in_any_order_with_stamps_that_run_backwards_tell_nothing_wrong() {
    let scenes = shot(&PLACES, 1.0, 2.9, 100, 500, Faults::default(), 1);
    for seed in 0..8_u64 {
        let mut random = crate::scenario::Random(seed);
        let mut order: Vec<usize> = (0..scenes.len()).collect();
        for index in (1..order.len()).rev() {
            // A few frames out of their place, or all.
            let reach = if seed % 2 == 0 { 6 } else { index };
            let other = index - ((random.uniform() * reach as f64) as usize).min(index);
            order.swap(index, other);
        }
        let mut watch = Watch::new();
        let (mut now, mut last) = (Duration::ZERO, 0_usize);
        let in_order_again = 0..scenes.len();
        for (n, frame) in order.into_iter().chain(in_order_again).enumerate() {
            let dt = secs(frame.saturating_sub(last) as f64 / FPS);
            let tick = Tick {
                dt_secs: dt.as_secs_f64(),
                jumped_back: frame < last,
            };
            (now, last) = (now + dt, frame);
            watch.tracker.follow(tick, &scenes[frame].seen, &watch.bed, None);
            watch
                .teller
                .follow(Moment { now, dt }, &watch.tracker, &context(&watch.bed));
            for event in watch.teller.events() {
                let is_wrong = matches!(
                    event.kind.name(),
                    "potted" | "ball_removed" | "ball_placed" | "ball_collision"
                );
                assert!(!is_wrong, "seed {seed}, {n}: {event:?}");
            }
            assert!(watch.tracker.tracks().len() <= PLACES.len(), "seed {seed}, {n}");
            for track in watch.tracker.tracks() {
                let Some(seen) = track.seen else { continue };
                let off = track.filter.position.distance(seen.position);
                assert!(
                    off < 1.5 * watch.bed.ball_radius && track.velocity().length() < 12.0,
                    "seed {seed}, {n}: {off}, {:?}, {:?}",
                    track.filter,
                    track.seen
                );
            }
        }
        let found = watch
            .tracker
            .tracks()
            .iter()
            .filter(|track| track.seen.is_some())
            .count();
        assert_eq!(found, PLACES.len(), "seed {seed}");
    }
}
