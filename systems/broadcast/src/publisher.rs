//! Turns what comes over the bridge into publications: when something changed, at the rate that is set, and every half
//! second if nothing did.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{Alert, Snapshot, TableEventKind};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::bridge::{BridgeEnd, Handover};
use crate::change::is_change;
use crate::pacer::Paced;
use crate::performance::Meter;
use crate::publication::Publication;
use crate::stream::Stream;
use crate::wall_clock::CaptureClock;
use crate::wire::{AlertData, Issue};
use crate::{ConfigChange, ConfigView, WallTime};

/// A state is sent this often even if nothing changed, so that a client can tell a quiet table from a dead server.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

/// Shots that are remembered; the oldest goes for the next. A match of snooker has fewer a frame.
const HISTORY_SHOTS: usize = 100;

/// What HTTP tells of what was published.
#[derive(Clone, Debug)]
pub(crate) struct Feeds {
    /// The newest state.
    pub(crate) state: watch::Receiver<Option<Arc<Publication>>>,
    /// The snapshots in which the last shots ended, without what is not needed to tell of them; oldest first.
    pub(crate) history: watch::Receiver<VecDeque<Arc<Snapshot>>>,
}

/// Something to tell, in order.
#[derive(Debug)]
pub(crate) enum News {
    Publication(Arc<Publication>),
    /// Also for those who come later, as long as the condition lasts.
    Alert(Alert),
    /// What changed, if anything did, and the whole as it is now.
    Config(Option<ConfigChange>, Arc<ConfigView>),
}

#[derive(Debug)]
pub(crate) struct Publisher {
    end: BridgeEnd,
    clock: CaptureClock,
    meter: Meter,
    snapshots: Paced<Option<Handover>>,
    keep_alive_at: Instant,
    world_lives: bool,
    config_lives: bool,
    /// The number of the last change of the configuration that was told.
    config_told: u64,
    news: VecDeque<News>,
    state: watch::Sender<Option<Arc<Publication>>>,
    history: watch::Sender<VecDeque<Arc<Snapshot>>>,
    trajectory: Option<Arc<Snapshot>>,
    state_sequence: u64,
    trajectory_sequence: u64,
    event_sequence: u64,
}

impl Publisher {
    pub(crate) fn new(end: BridgeEnd, target_fps: f64) -> (Self, Feeds) {
        let (state, newest_state) = watch::channel(None);
        let (history, newest_history) = watch::channel(VecDeque::new());
        let feeds = Feeds {
            state: newest_state,
            history: newest_history,
        };
        let now = Instant::now();
        let publisher = Self {
            snapshots: Paced::new(end.snapshot.clone(), target_fps),
            end,
            clock: CaptureClock::default(),
            meter: Meter::new(target_fps, now),
            keep_alive_at: now + KEEP_ALIVE,
            world_lives: true,
            config_lives: true,
            config_told: 0,
            news: VecDeque::new(),
            state,
            history,
            trajectory: None,
            state_sequence: 0,
            trajectory_sequence: 0,
            event_sequence: 0,
        };
        (publisher, feeds)
    }

    /// How the pipeline does.
    pub(crate) fn meter(&mut self) -> &mut Meter {
        let dropped = self.end.frames_dropped.load(std::sync::atomic::Ordering::Relaxed);
        self.meter.set_frames_dropped(dropped);
        &mut self.meter
    }

    /// The next thing to tell; goes on with the last state when the world has ended. Loses nothing when it is cancelled.
    pub(crate) async fn next(&mut self) -> News {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            tokio::select! {
                biased;
                Some(alert) = self.end.alerts.recv() => return News::Alert(alert),
                changed = self.end.config.changed(), if self.config_lives => {
                    self.config_lives = changed.is_ok();
                    self.tell_config();
                }
                Some(handover) = self.end.events.recv() => self.publish_events(&handover),
                handover = self.snapshots.next(), if self.world_lives => {
                    self.world_lives = handover.is_some();
                    if let Some(handover) = handover.flatten() && self.publish_change(&handover) {
                        self.snapshots.sent();
                    }
                }
                () = sleep_until(self.keep_alive_at) => {
                    // Also where there is nothing to keep alive yet.
                    self.keep_alive_at = Instant::now() + KEEP_ALIVE;
                    if let Some(handover) = self.snapshots.newest() {
                        self.publish_state(&handover, Instant::now());
                    }
                }
            }
        }
    }

    /// Publishes what is new in this snapshot; whether anything was.
    fn publish_change(&mut self, handover: &Handover) -> bool {
        self.meter.frame(handover.snapshot.frame_number, &handover.times);
        let now = &handover.snapshot;
        let last_state = self.state.borrow().clone();
        let state_changed = last_state
            .and_then(|last| last.snapshot().cloned())
            .is_none_or(|last| is_change(&last, now));
        let trajectory_changed = self
            .trajectory
            .as_ref()
            .is_none_or(|last| last.prediction != now.prediction);
        if state_changed {
            self.publish_state(handover, handover.handed_over_at);
        }
        if trajectory_changed {
            self.trajectory_sequence += 1;
            let issue = self.issue(handover, self.trajectory_sequence);
            self.trajectory = Some(now.clone());
            self.tell(Publication::of_world(
                Stream::Trajectory,
                now.clone(),
                issue,
                handover.handed_over_at,
            ));
        }
        state_changed || trajectory_changed
    }

    fn publish_state(&mut self, handover: &Handover, since: Instant) {
        self.state_sequence += 1;
        self.keep_alive_at = Instant::now() + KEEP_ALIVE;
        let issue = self.issue(handover, self.state_sequence);
        let snapshot = handover.snapshot.clone();
        let publication = Arc::new(Publication::of_world(Stream::State, snapshot, issue, since));
        self.state.send_replace(Some(publication.clone()));
        self.news.push_back(News::Publication(publication));
    }

    /// Tells what happened in this snapshot, each event once, and keeps the shots that ended.
    fn publish_events(&mut self, handover: &Handover) {
        let snapshot = &handover.snapshot;
        for event in &snapshot.events {
            if let Some((ball, velocity)) = event.kind.motion() {
                let issue = self.next_event_issue(handover);
                let motion = (*ball, velocity);
                let since = handover.handed_over_at;
                self.tell(Publication::of_motion(snapshot.clone(), motion, issue, since));
            }
        }
        if snapshot.events.iter().any(|event| !event.kind.is_motion()) {
            let issue = self.next_event_issue(handover);
            self.tell(Publication::of_world(
                Stream::Events,
                snapshot.clone(),
                issue,
                handover.handed_over_at,
            ));
        }
        for event in &snapshot.events {
            if matches!(event.kind, TableEventKind::ShotEnded(_)) {
                let ended = Snapshot {
                    picture_size: snapshot.picture_size,
                    table: snapshot.table,
                    events: vec![event.clone()],
                    ..Snapshot::default()
                };
                self.history.send_modify(|shots| {
                    if shots.len() == HISTORY_SHOTS {
                        shots.pop_front();
                    }
                    shots.push_back(Arc::new(ended));
                });
            }
        }
    }

    /// Tells what changed since the last time.
    fn tell_config(&mut self) {
        let view = self.end.config.borrow_and_update().clone();
        let told = self.config_told;
        for change in view.recent.iter().filter(|change| change.number > told) {
            self.config_told = change.number;
            self.news
                .push_back(News::Config(Some(change.clone()), view.clone()));
        }
        if view.recent.is_empty() {
            self.news.push_back(News::Config(None, view));
        }
    }

    fn tell(&mut self, publication: Publication) {
        self.news.push_back(News::Publication(Arc::new(publication)));
    }

    fn next_event_issue(&mut self, handover: &Handover) -> Issue {
        self.event_sequence += 1;
        self.issue(handover, self.event_sequence)
    }

    fn issue(&mut self, handover: &Handover, sequence: u64) -> Issue {
        Issue {
            sequence,
            captured_at: self.clock.captured_at(
                handover.snapshot.captured_at,
                handover.arrived_at(),
                WallTime::of_monotonic_zero(),
            ),
            timestamp: WallTime::now(),
            calculation_time: handover.times.predict,
        }
    }
}

/// An alert as number `sequence` of its stream.
pub(crate) fn of_alert(alert: &Alert, sequence: u64) -> Result<Publication, serde_json::Error> {
    let data = serde_json::to_value(AlertData::new(alert, sequence, WallTime::now()))?;
    Ok(Publication::of_data(Stream::Alert, sequence, data))
}

/// A change of the configuration, likewise.
pub(crate) fn of_config(change: &ConfigChange, sequence: u64) -> Result<Publication, serde_json::Error> {
    let data = serde_json::to_value(change)?;
    Ok(Publication::of_data(Stream::Config, sequence, data))
}

/// The whole configuration, as a change of everything: for those who come later.
pub(crate) fn of_whole_config(view: &ConfigView, sequence: u64) -> Publication {
    let data = json!({"section": "", "config": view.config, "change_summary": "the configuration in force"});
    Publication::of_data(Stream::Config, sequence, data)
}
