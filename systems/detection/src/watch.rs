//! Which table to believe, from sightings over time.
//!
//! One sighting can be wrong: somebody leans over the table, a plank lies on a cushion. So the table is looked for
//! several times in its first second, and the median of those sightings is held. From then on each frame gets a glance
//! (`glance`) at the noses: it tells within a fraction of a second that the camera was bumped or the light changed, and
//! then, and now and then anyway, the table is looked for again. It is held until several sightings in a row agree on
//! another place.

mod glance;

use std::time::Duration;

use bevy_ecs::resource::Resource;
use ghostball_world::{CircleInImage, Lens, Planes, TableSighting};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::median::median;
use crate::quad::Quad;
use glance::Glance;
pub(crate) use glance::NoseMemory;

/// How often to look for the table. A resource; set it before the app runs.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableWatchSettings {
    /// The table is settled this long after it was first found. 0 s to 60 s; default 1 s: hands and arms that hide a
    /// cushion have moved by then.
    pub settle_time: Duration,
    /// Time between two looks while it settles. Default 0.2 s: five sightings make a median, and each costs a few frames.
    pub settle_interval: Duration,
    /// Time between two looks at a table that is held. Default 20 s: a glance at each frame tells that something is
    /// wrong, and a look costs a frame's time of a processor.
    pub check_interval: Duration,
    /// Time for which glances have to find the noses moved, or the light changed, to be believed. 0 s to 1 s; default
    /// 0.3 s: whoever walks past a nose hides it for longer, but does not move it.
    pub notice_time: Duration,
    /// Time between two looks when no table is found or the last look did not agree. Default 0.2 s: with
    /// [`TableWatchSettings::patience`] and [`TableWatchSettings::notice_time`], a table that moved is known within a second.
    pub doubt_interval: Duration,
    /// Looks in a row that have to disagree with the table held before it is given up. 1 to 20; default 3.
    pub patience: u32,
    /// Where a table is held, what a look found is taken this long after the frame that it was begun with. Default 0.1 s:
    /// a look takes some 20 ms of a processor that has other things to do; frames wait for one that is not done by then.
    pub look_time: Duration,
}

impl Default for TableWatchSettings {
    fn default() -> Self {
        Self {
            settle_time: Duration::from_secs(1),
            settle_interval: Duration::from_millis(200),
            check_interval: Duration::from_secs(20),
            notice_time: Duration::from_millis(300),
            doubt_interval: Duration::from_millis(200),
            patience: 3,
            look_time: Duration::from_millis(100),
        }
    }
}

/// Sightings kept while the table settles; more are not taken.
const MOST_SIGHTINGS: usize = 32;
/// Sightings less sure than this share of the best are left out of the median.
const LEAST_CONFIDENCE: f64 = 0.8;
/// Two sightings show the same table when no corner is farther from its like than this, ball radii.
const SAME_TABLE: f64 = 0.5;

/// While a nose is hidden, a table found in its place is looked for again after so many times the interval of doubt.
const PATIENT_LOOKS: u32 = 10;

/// What a look changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TableNews {
    /// Nothing.
    None,
    /// The table is here, first found or known better.
    Placed(TableSighting),
    /// The table is not where it was, or was not found for as long as patience lasts. Told once.
    Lost,
    /// The table is seen again, where it was or elsewhere.
    Regained(TableSighting),
}

/// Decides when to look for the table and what to believe.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TableWatch {
    settings: TableWatchSettings,
    size: [u32; 2],
    held: Option<TableSighting>,
    settled_at: Duration,
    sightings: Vec<TableSighting>,
    next_look: Duration,
    looked_at: Duration,
    doubts: u32,
    is_lost: bool,
    noses: NoseMemory,
    /// Since when glances say that something is not as it was, and what the last one says.
    suspicion: Option<Duration>,
    last_glance: Glance,
    /// Whether a glance told that the picture moved, and no look since where to.
    has_moved: bool,
    /// Whether the picture of the last look shows the table held.
    agrees: bool,
}

impl TableWatch {
    /// A watch that has seen nothing.
    pub fn new(settings: TableWatchSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Believes in a table that is known from before, in pictures of this size; it is soon looked whether it is there.
    pub fn hold(&mut self, table: TableSighting, size: [u32; 2], now: Duration) {
        *self = Self {
            settings: self.settings,
            size,
            held: Some(table),
            settled_at: now,
            next_look: now + self.settings.settle_interval,
            is_lost: self.is_lost,
            ..Self::default()
        };
    }

    /// Whether what a look found that was begun then is to be taken now. Where nothing is held, nothing is held up.
    pub fn is_due(&self, begun: Duration, now: Duration) -> bool {
        self.held.is_none() || now < begun || now >= begun + self.settings.look_time
    }

    /// The table believed in.
    pub fn held(&self) -> Option<&TableSighting> {
        self.held.as_ref()
    }

    /// Radius of a ball by the table's length, once the table is settled: later looks need not measure it.
    pub fn ball_by_length(&self, now: Duration) -> Option<f64> {
        let is_settled = now >= self.settled_at && !self.is_lost;
        let held = self.held.filter(|_| is_settled)?;
        Some(held.ball_radius_px / Quad::new(held.corners_in_image).length())
    }

    /// Whether to look for the table in a frame of this size at `now` (time since the first frame). Pictures of
    /// another size than before show the table elsewhere: it is forgotten.
    pub fn wants_look(&mut self, size: [u32; 2], now: Duration) -> bool {
        if size != self.size {
            let is_lost = self.is_lost;
            *self = Self::new(self.settings);
            (self.size, self.is_lost) = (size, is_lost);
        }
        now >= self.next_look
    }

    /// Glances at a frame of the size last told. To be called for every frame, before
    /// [`TableWatch::wants_look`], which it hastens.
    pub fn glance(&mut self, planes: &Planes, now: Duration) -> TableNews {
        if self.held.is_none()
            || self.is_lost
            || [planes.luma.width, planes.luma.height] != self.size.map(|n| n as usize)
        {
            (self.suspicion, self.last_glance) = (None, Glance::Nothing);
            return TableNews::None;
        }
        let glance = self.noses.glance(planes);
        self.last_glance = glance;
        if matches!(glance, Glance::InPlace | Glance::Nothing) {
            self.suspicion = None;
            return TableNews::None;
        }
        let since = *self.suspicion.get_or_insert(now);
        if now < since + self.settings.notice_time {
            return TableNews::None;
        }
        if glance == Glance::Unsure {
            // Somebody may stand there for long: the looks decide, and each that finds the table in its place buys time.
            let soon = self.looked_at + self.settings.doubt_interval;
            let later = self.looked_at + PATIENT_LOOKS * self.settings.doubt_interval;
            let due = if self.agrees && self.looked_at >= since {
                later
            } else {
                soon
            };
            self.next_look = self.next_look.min(due.max(now));
            return TableNews::None;
        }
        (self.next_look, self.settled_at, self.suspicion) = (now, now, None);
        self.sightings.clear();
        self.has_moved = glance == Glance::Moved;
        (self.is_lost, self.agrees) = (true, false);
        self.doubts = self.settings.patience;
        TableNews::Lost
    }

    /// Remembers the noses that the look last taken found, for glances, if it found the table that is held. To be called
    /// after [`TableWatch::take`].
    pub(crate) fn remember(&mut self, noses: NoseMemory) {
        if self.agrees {
            self.noses.learn(noses);
        }
    }

    /// Takes in what a look found in the frame of `now`.
    pub fn take(&mut self, seen: Option<TableSighting>, now: Duration) -> TableNews {
        let was_lost = self.is_lost;
        let news = self.weigh(seen, now);
        self.looked_at = now;
        self.agrees = match (self.held, seen) {
            (Some(held), Some(seen)) => are_same(&held, &seen),
            _ => false,
        };
        if was_lost && matches!(news, TableNews::Regained(_)) {
            self.noses.clear();
        }
        news
    }

    fn weigh(&mut self, seen: Option<TableSighting>, now: Duration) -> TableNews {
        match (self.held, seen) {
            (None, None) => {
                self.next_look = now + self.settings.doubt_interval;
                self.doubt()
            }
            (None, Some(seen)) => {
                self.settled_at = now + self.settings.settle_time;
                self.settle(seen, now)
            }
            (Some(_), seen) if now < self.settled_at && !self.sightings.is_empty() => match seen {
                Some(seen) => self.settle(seen, now),
                None => {
                    self.next_look = now + self.settings.settle_interval;
                    TableNews::None
                }
            },
            (Some(held), seen) => self.check(held, seen, now),
        }
    }

    fn settle(&mut self, seen: TableSighting, now: Duration) -> TableNews {
        if self.sightings.len() < MOST_SIGHTINGS {
            self.sightings.push(seen);
        }
        self.doubts = 0;
        self.next_look = now + self.settings.settle_interval;
        if self.next_look >= self.settled_at {
            self.next_look = now + self.settings.check_interval;
        }
        let median = median_of(&self.sightings);
        self.held = Some(median);
        if std::mem::take(&mut self.is_lost) {
            TableNews::Regained(median)
        } else {
            TableNews::Placed(median)
        }
    }

    fn check(&mut self, held: TableSighting, seen: Option<TableSighting>, now: Duration) -> TableNews {
        if let Some(seen) = seen
            && are_same(&held, &seen)
        {
            if std::mem::take(&mut self.has_moved) {
                // By a few pixels only.
                self.sightings.clear();
                self.settled_at = now + self.settings.settle_time;
                return self.settle(seen, now);
            }
            (self.doubts, self.next_look) = (0, now + self.settings.check_interval);
            self.sightings.clear();
            return if std::mem::take(&mut self.is_lost) {
                TableNews::Regained(held)
            } else {
                TableNews::None
            };
        }
        // Noses that are in place speak for the table held, and whoever hides them will go away.
        self.next_look = now
            + match self.last_glance {
                Glance::InPlace => self.settings.check_interval / 4,
                _ => self.settings.doubt_interval,
            };
        let Some(seen) = seen else {
            self.sightings.clear();
            return match self.last_glance {
                Glance::InPlace | Glance::Unsure => TableNews::None,
                _ => self.doubt(),
            };
        };
        if self.sightings.iter().any(|other| !are_same(other, &seen)) || self.doubts == 0 {
            self.sightings.clear();
        }
        if self.sightings.len() < MOST_SIGHTINGS {
            self.sightings.push(seen);
        }
        // What is seen in one place over and over is there, however sure the first sighting of it was: corners set by hand
        // are as sure as can be, a table without pockets never is.
        let patience = PATIENT_LOOKS * self.settings.patience;
        let is_sure = seen.confidence >= LEAST_CONFIDENCE * held.confidence
            || self.sightings.len() >= MOST_SIGHTINGS.min(patience as usize);
        if self.sightings.len() < self.settings.patience as usize || !is_sure {
            return self.doubt();
        }
        if !self.is_lost {
            self.is_lost = true;
            return TableNews::Lost;
        }
        self.has_moved = false;
        self.settled_at = now + self.settings.settle_time;
        self.settle(seen, now)
    }

    fn doubt(&mut self) -> TableNews {
        self.doubts = self.doubts.saturating_add(1);
        if self.doubts < self.settings.patience || self.is_lost {
            return TableNews::None;
        }
        self.is_lost = true;
        TableNews::Lost
    }
}

fn are_same(a: &TableSighting, b: &TableSighting) -> bool {
    let limit = SAME_TABLE * a.ball_radius_px.max(2.0);
    a.corners_in_image
        .iter()
        .zip(&b.corners_in_image)
        .all(|(a, b)| a.distance(*b) <= limit)
}

/// Coordinate by coordinate, of the sightings that are about as sure as the best.
pub(crate) fn median_of(sightings: &[TableSighting]) -> TableSighting {
    let best = sightings.iter().map(|s| s.confidence).fold(0.0, f64::max);
    let sure = || {
        sightings
            .iter()
            .filter(move |s| s.confidence >= LEAST_CONFIDENCE * best)
    };
    let middle = |value: &dyn Fn(&TableSighting) -> f64| median(&mut sure().map(value).collect::<Vec<_>>());
    let point = |value: &dyn Fn(&TableSighting) -> DVec2| {
        DVec2::new(middle(&|s| value(s).x), middle(&|s| value(s).y))
    };
    TableSighting {
        corners_in_image: [0, 1, 2, 3].map(|i| point(&|s| s.corners_in_image[i])),
        pockets_in_image: [0, 1, 2, 3, 4, 5].map(|i| CircleInImage {
            center: point(&|s| s.pockets_in_image[i].center),
            radius: middle(&|s| s.pockets_in_image[i].radius),
        }),
        ball_radius_px: middle(&|s| s.ball_radius_px),
        lens: sightings.first().and_then(|first| first.lens).map(|first| {
            let of = |s: &TableSighting| s.lens.unwrap_or(first);
            Lens {
                focal_px: middle(&|s| of(s).focal_px),
                radial: [0, 1].map(|i| middle(&|s| of(s).radial[i])),
                ..first
            }
        }),
        confidence: best,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableFinder;
    use crate::fixture::{Drawn, draw};
    use ghostball_world::Picture;

    /// Watches pictures at 30 frames a second and lists what was said and when, as second and news.
    fn watch_pictures(
        seconds: f64,
        shown: impl Fn(f64) -> usize,
        pictures: &[Picture],
    ) -> (TableWatch, Vec<(f64, TableNews)>) {
        let (mut watch, mut finder, mut news) = (TableWatch::default(), TableFinder::new(), Vec::new());
        for frame in 0..(30.0 * seconds) as u32 {
            let now = Duration::from_secs(1) * frame / 30;
            let picture = &pictures[shown(now.as_secs_f64())];
            let planes = picture.planes().unwrap();
            news.push((now.as_secs_f64(), watch.glance(&planes, now)));
            if watch.wants_look([picture.width(), picture.height()], now) {
                let seen = finder.find(&planes).ok();
                news.push((now.as_secs_f64(), watch.take(seen, now)));
                watch.remember(NoseMemory::of(&planes, finder.nose_points()));
            }
        }
        // The first second settles.
        news.retain(|(at, news)| *at > 1.1 && *news != TableNews::None);
        (watch, news)
    }

    fn moved(by: [f64; 2]) -> Drawn {
        let drawn = Drawn::default();
        Drawn {
            corners_in_image: drawn.corners_in_image.map(|corner| corner + DVec2::from(by)),
            ..drawn
        }
    }

    fn in_light(picture: &Picture, share: f32) -> Picture {
        let mut picture = picture.clone();
        let luma = (picture.width() * picture.height()) as usize;
        let (format, width, height, color) = (
            picture.format(),
            picture.width(),
            picture.height(),
            picture.color(),
        );
        let bytes: Vec<u8> = picture.bytes().to_vec();
        let darker = picture.reshape(format, width, height, color).unwrap();
        for (i, (out, value)) in darker.iter_mut().zip(bytes).enumerate() {
            let black = if i < luma { 0.0 } else { 128.0 };
            *out = (black + share * (f32::from(value) - black)).round() as u8;
        }
        picture
    }

    #[test]
    fn a_camera_bumped_by_a_little_or_far_is_told_within_a_second_and_the_table_found_anew() {
        for by in [[3.0, 0.0], [0.0, -3.0], [2.0, 2.0], [30.0, -20.0], [-40.0, 0.0]] {
            let pictures = [draw(&Drawn::default()), draw(&moved(by))];
            let (watch, news) = watch_pictures(5.0, |now| usize::from(now >= 2.0), &pictures);
            assert_eq!(kinds_of(&news)[..2], ["lost", "regained"], "{by:?}: {news:?}");
            assert!(news[0].0 < 3.0 && news[1].0 < 3.5, "{by:?}: {news:?}");
            let pairs = watch
                .held()
                .unwrap()
                .corners_in_image
                .into_iter()
                .zip(moved(by).corners_in_image);
            let worst = pairs.map(|(a, b)| a.distance(b)).fold(0.0, f64::max);
            assert!(worst < 1.5, "{by:?}: {worst} px");
        }
    }

    #[test]
    fn another_light_is_told_within_a_second_and_lived_with() {
        let usual = draw(&Drawn::default());
        for share in [0.5, 0.73, 1.4] {
            let pictures = [usual.clone(), in_light(&usual, share)];
            let (_, news) = watch_pictures(4.0, |now| usize::from(now >= 2.0), &pictures);
            assert_eq!(kinds_of(&news), ["lost", "regained"], "{share}: {news:?}");
            assert!(news[1].0 < 3.0, "{share}: {news:?}");
        }
        let pictures = [usual.clone(), in_light(&usual, 0.0)];
        let (_, news) = watch_pictures(6.0, |now| usize::from((2.0..4.0).contains(&now)), &pictures);
        assert_eq!(kinds_of(&news), ["lost", "regained"], "{news:?}");
        assert!(news[0].0 < 3.0 && (4.0..5.0).contains(&news[1].0), "{news:?}");
    }

    #[test]
    fn somebody_who_leans_over_the_table_for_seconds_moves_nothing() {
        let with = |clutter: [[f64; 2]; 2]| {
            draw(&Drawn {
                clutter: Some(clutter.map(DVec2::from)),
                ..Drawn::default()
            })
        };
        let pictures = [
            draw(&Drawn::default()),
            with([[0.7, -0.8], [1.3, 0.1]]),
            with([[0.75, -0.8], [1.3, 0.8]]),
            with([[-0.4, 0.2], [0.3, 0.9]]),
        ];
        for hidden in 1..4 {
            let shown = |now: f64| if (2.0..7.0).contains(&now) { hidden } else { 0 };
            let (watch, news) = watch_pictures(9.0, shown, &pictures);
            assert!(news.is_empty(), "{hidden}: {news:?}");
            let drawn = Drawn::default().corners_in_image;
            let pairs = watch.held().unwrap().corners_in_image.into_iter().zip(drawn);
            assert!(pairs.map(|(a, b)| a.distance(b)).fold(0.0, f64::max) < 1.5);
        }
    }

    fn kinds_of(news: &[(f64, TableNews)]) -> Vec<&'static str> {
        let told: Vec<_> = news.iter().map(|(_, news)| (0, *news)).collect();
        kinds(&told)
            .into_iter()
            .filter(|kind| *kind != "placed")
            .collect()
    }

    fn table_at(x: f64) -> TableSighting {
        TableSighting {
            corners_in_image: [[0.0, 0.0], [800.0, 0.0], [800.0, 400.0], [0.0, 400.0]]
                .map(|corner| DVec2::from(corner) + DVec2::new(x, 0.0)),
            pockets_in_image: [CircleInImage::default(); 6],
            ball_radius_px: 10.0,
            lens: None,
            confidence: 0.9,
        }
    }

    /// Runs a watch over 30 frames a second and lists what it said and when, as frame and news.
    fn watch(
        frames: u32,
        seen: impl Fn(u32) -> Option<TableSighting>,
    ) -> (TableWatch, Vec<(u32, TableNews)>) {
        let mut watch = TableWatch::default();
        let mut news = Vec::new();
        for frame in 0..frames {
            let now = Duration::from_secs(1) * frame / 30;
            if watch.wants_look([1280, 720], now) {
                match watch.take(seen(frame), now) {
                    TableNews::None => (),
                    new => news.push((frame, new)),
                }
            }
        }
        (watch, news)
    }

    fn kinds(news: &[(u32, TableNews)]) -> Vec<&'static str> {
        news.iter()
            .map(|(_, news)| match news {
                TableNews::None => "none",
                TableNews::Placed(_) => "placed",
                TableNews::Lost => "lost",
                TableNews::Regained(_) => "regained",
            })
            .collect()
    }

    #[test]
    fn a_bad_first_sighting_is_outvoted_within_a_second() {
        let (watch, news) = watch(60, |frame| Some(table_at(if frame == 0 { 90.0 } else { 5.0 })));
        assert_eq!(news[0].0, 0);
        assert_eq!(watch.held().unwrap().corners_in_image[0].x, 5.0);
    }

    #[test]
    fn a_table_that_stays_is_looked_at_now_and_then_and_never_moved() {
        let (_, news) = watch(1800, |_| Some(table_at(5.0)));
        assert!(
            news.iter()
                .all(|(frame, news)| *frame < 30 && matches!(news, TableNews::Placed(_))),
            "{news:?}"
        );
    }

    #[test]
    fn somebody_leaning_over_the_table_once_changes_nothing() {
        let (watch, news) = watch(1800, |frame| {
            Some(table_at(if frame / 30 == 6 { 70.0 } else { 5.0 }))
        });
        assert!(news.iter().all(|(frame, _)| *frame < 30), "{news:?}");
        assert_eq!(watch.held().unwrap().corners_in_image[0].x, 5.0);
    }

    #[test]
    fn a_camera_that_was_pushed_shows_the_table_elsewhere() {
        let (watch, news) = watch(900, |frame| Some(table_at(if frame < 300 { 5.0 } else { 40.0 })));
        let after = news.into_iter().filter(|(frame, _)| *frame > 300);
        assert_eq!(kinds(&after.collect::<Vec<_>>())[..2], ["lost", "regained"]);
        assert_eq!(watch.held().unwrap().corners_in_image[0].x, 40.0);
    }

    #[test]
    fn a_table_less_sure_than_it_was_set_by_hand_is_regained_where_it_stays() {
        let (watch, news) = watch(1800, |frame| {
            Some(TableSighting {
                confidence: if frame < 300 { 1.0 } else { 0.4 },
                ..table_at(if frame < 300 { 5.0 } else { 40.0 })
            })
        });
        let regained = news
            .iter()
            .find(|(frame, news)| *frame > 300 && matches!(news, TableNews::Regained(_)));
        assert!(regained.is_some_and(|(frame, _)| *frame < 1200), "{news:?}");
        assert_eq!(watch.held().unwrap().corners_in_image[0].x, 40.0);
    }

    #[test]
    fn a_table_out_of_sight_is_told_once_and_so_is_its_return() {
        let (_, news) = watch(1800, |frame| {
            (!(300..900).contains(&frame)).then(|| table_at(5.0))
        });
        let after: Vec<_> = kinds(&news)
            .into_iter()
            .filter(|kind| *kind != "placed")
            .collect();
        assert_eq!(after, ["lost", "regained"]);
    }

    #[test]
    fn a_table_never_found_is_told_once() {
        assert_eq!(kinds(&watch(600, |_| None).1), ["lost"]);
    }
}
