//! Which table to believe, from sightings over time.
//!
//! One sighting can be wrong: somebody leans over the table, a plank lies on a cushion. So the table is looked for
//! several times in its first second, and the median of those sightings is held. From then on it is looked for now
//! and then, and held until several sightings in a row agree on another place.

use std::time::Duration;

use bevy_ecs::resource::Resource;
use ghostball_world::{CircleInImage, Lens, TableSighting};
use glam::DVec2;

/// How often to look for the table. A resource; set it before the app runs.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct TableWatchSettings {
    /// The table is settled this long after it was first found. 0 s to 60 s; default 1 s: hands and arms that hide a
    /// cushion have moved by then.
    pub settle_time: Duration,
    /// Time between two looks while it settles. Default 0.2 s: five sightings make a median, and each costs a few frames.
    pub settle_interval: Duration,
    /// Time between two looks at a table that is held. Default 5 s: a look costs about a frame's time.
    pub check_interval: Duration,
    /// Time between two looks when no table is found or the last look did not agree. Default 0.5 s.
    pub doubt_interval: Duration,
    /// Looks in a row that have to disagree with the table held before it is given up. 1 to 20; default 3.
    pub patience: u32,
}

impl Default for TableWatchSettings {
    fn default() -> Self {
        Self {
            settle_time: Duration::from_secs(1),
            settle_interval: Duration::from_millis(200),
            check_interval: Duration::from_secs(5),
            doubt_interval: Duration::from_millis(500),
            patience: 3,
        }
    }
}

/// Sightings kept while the table settles; more are not taken.
const MOST_SIGHTINGS: usize = 32;
/// Sightings less sure than this share of the best are left out of the median.
const LEAST_CONFIDENCE: f64 = 0.8;
/// Two sightings show the same table when no corner is farther from its like than this, ball radii.
const SAME_TABLE: f64 = 0.5;

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
#[derive(Clone, Debug, Default)]
pub struct TableWatch {
    settings: TableWatchSettings,
    size: [u32; 2],
    held: Option<TableSighting>,
    settled_at: Duration,
    sightings: Vec<TableSighting>,
    next_look: Duration,
    doubts: u32,
    is_lost: bool,
}

impl TableWatch {
    /// A watch that has seen nothing.
    pub fn new(settings: TableWatchSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// The table believed in.
    pub fn held(&self) -> Option<&TableSighting> {
        self.held.as_ref()
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

    /// Takes in what a look at `now` found.
    pub fn take(&mut self, seen: Option<TableSighting>, now: Duration) -> TableNews {
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
            (self.doubts, self.next_look) = (0, now + self.settings.check_interval);
            self.sightings.clear();
            return if std::mem::take(&mut self.is_lost) {
                TableNews::Regained(held)
            } else {
                TableNews::None
            };
        }
        self.next_look = now + self.settings.doubt_interval;
        if let Some(seen) = seen {
            if self.sightings.iter().any(|other| !are_same(other, &seen)) || self.doubts == 0 {
                self.sightings.clear();
            }
            self.sightings.push(seen);
            let is_sure = seen.confidence >= LEAST_CONFIDENCE * held.confidence;
            if self.sightings.len() >= self.settings.patience as usize && is_sure {
                let median = median_of(&self.sightings);
                (self.held, self.doubts) = (Some(median), 0);
                self.settled_at = now;
                self.sightings.clear();
                self.is_lost = false;
                return TableNews::Regained(median);
            }
        } else {
            self.sightings.clear();
        }
        self.doubt()
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
fn median_of(sightings: &[TableSighting]) -> TableSighting {
    let best = sightings.iter().map(|s| s.confidence).fold(0.0, f64::max);
    let sure = || {
        sightings
            .iter()
            .filter(move |s| s.confidence >= LEAST_CONFIDENCE * best)
    };
    let median = |value: &dyn Fn(&TableSighting) -> f64| {
        let mut values: Vec<f64> = sure().map(value).collect();
        values.sort_by(f64::total_cmp);
        match values.len() {
            0 => 0.0,
            n => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
        }
    };
    let point = |value: &dyn Fn(&TableSighting) -> DVec2| {
        DVec2::new(median(&|s| value(s).x), median(&|s| value(s).y))
    };
    TableSighting {
        corners_in_image: [0, 1, 2, 3].map(|i| point(&|s| s.corners_in_image[i])),
        pockets_in_image: [0, 1, 2, 3, 4, 5].map(|i| CircleInImage {
            center: point(&|s| s.pockets_in_image[i].center),
            radius: median(&|s| s.pockets_in_image[i].radius),
        }),
        ball_radius_px: median(&|s| s.ball_radius_px),
        lens: sightings.first().and_then(|first| first.lens).map(|first| {
            let of = |s: &TableSighting| s.lens.unwrap_or(first);
            Lens {
                focal_px: median(&|s| of(s).focal_px),
                radial: [0, 1].map(|i| median(&|s| of(s).radial[i])),
                ..first
            }
        }),
        confidence: best,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(kinds(&news).last(), Some(&"regained"));
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
