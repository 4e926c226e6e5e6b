//! Turns what comes over the bridge into publications: when something changed, at the rate that is set, and every half
//! second if nothing did.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{Alert, AlertCode, Snapshot, TableEventKind};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use crate::bridge::{BridgeEnd, Handover};
use crate::change::is_change;
use crate::pacer::Pacer;
use crate::publication::Publication;
use crate::stream::Stream;
use crate::wall_clock::CaptureClock;
use crate::wire::{AlertData, Compression, Encoded, Issue};
use crate::{ServerConfig, WallTime};

/// A state is sent this often even if nothing changed, so that a client can tell a quiet table from a dead server.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

/// Alerts a client may be behind before it has lost one (and is closed).
const ALERT_BACKLOG: usize = 64;

/// The same for events and motions: a break starts and stops every ball.
const EVENT_BACKLOG: usize = 256;

/// Shots that are remembered; the oldest goes for the next. A match of snooker has fewer a frame.
const HISTORY_SHOTS: usize = 100;

/// The newest publication of a stream: a latest-wins cell.
pub(crate) type Newest = watch::Receiver<Option<Arc<Publication>>>;

/// What sessions listen to.
#[derive(Clone, Debug)]
pub(crate) struct Feeds {
    pub(crate) state: Newest,
    pub(crate) trajectory: Newest,
    /// Everything that happened, bounded likewise.
    pub(crate) happenings: broadcast::Sender<Arc<Publication>>,
    /// The snapshots in which the last shots ended, without what is not needed to tell of them; oldest first.
    pub(crate) history: watch::Receiver<VecDeque<Arc<Snapshot>>>,
    /// Every alert, bounded per listener; one that falls behind is told so.
    pub(crate) alerts: broadcast::Sender<Encoded>,
    /// The conditions that last, for those who come later; at most one for each code.
    pub(crate) open_alerts: watch::Receiver<BTreeMap<AlertCode, Encoded>>,
}

/// The other end of the [`Feeds`].
#[derive(Debug)]
pub(crate) struct Publisher {
    target_fps: f64,
    clock: CaptureClock,
    state: watch::Sender<Option<Arc<Publication>>>,
    trajectory: watch::Sender<Option<Arc<Publication>>>,
    happenings: broadcast::Sender<Arc<Publication>>,
    history: watch::Sender<VecDeque<Arc<Snapshot>>>,
    alerts: broadcast::Sender<Encoded>,
    open_alerts: watch::Sender<BTreeMap<AlertCode, Encoded>>,
    state_sequence: u64,
    trajectory_sequence: u64,
    event_sequence: u64,
    alert_sequence: u64,
}

impl Publisher {
    pub(crate) fn new(config: &ServerConfig) -> (Self, Feeds) {
        let (state, newest_state) = watch::channel(None);
        let (trajectory, newest_trajectory) = watch::channel(None);
        let (happenings, _) = broadcast::channel(EVENT_BACKLOG);
        let (history, newest_history) = watch::channel(VecDeque::new());
        let (alerts, _) = broadcast::channel(ALERT_BACKLOG);
        let (open_alerts, newest_open_alerts) = watch::channel(BTreeMap::new());
        let feeds = Feeds {
            state: newest_state,
            trajectory: newest_trajectory,
            happenings: happenings.clone(),
            history: newest_history,
            alerts: alerts.clone(),
            open_alerts: newest_open_alerts,
        };
        let publisher = Self {
            target_fps: config.target_fps.clamp(1.0, 240.0),
            clock: CaptureClock::default(),
            state,
            trajectory,
            happenings,
            history,
            alerts,
            open_alerts,
            state_sequence: 0,
            trajectory_sequence: 0,
            event_sequence: 0,
            alert_sequence: 0,
        };
        (publisher, feeds)
    }

    /// Publishes until it is dropped; goes on with the last state when the world has ended.
    pub(crate) async fn run(mut self, mut end: BridgeEnd) {
        let mut pacer = Pacer::new(self.target_fps, Instant::now());
        let mut keep_alive_at = Instant::now() + KEEP_ALIVE;
        let (mut is_fresh, mut world_lives, mut events_live, mut alerts_live) = (false, true, true, true);
        loop {
            tokio::select! {
                changed = end.snapshot.changed(), if world_lives && !is_fresh => {
                    (world_lives, is_fresh) = (changed.is_ok(), changed.is_ok());
                }
                () = sleep_until(pacer.due()), if is_fresh => {
                    is_fresh = false;
                    let handover = end.snapshot.borrow_and_update().clone();
                    if let Some(handover) = handover && self.publish_change(&handover) {
                        pacer.sent(Instant::now());
                        keep_alive_at = Instant::now() + KEEP_ALIVE;
                    }
                }
                () = sleep_until(keep_alive_at) => {
                    keep_alive_at = Instant::now() + KEEP_ALIVE;
                    let handover = end.snapshot.borrow().clone();
                    if let Some(handover) = handover {
                        self.publish_state(&handover);
                    }
                }
                handover = end.events.recv(), if events_live => match handover {
                    Some(handover) => self.publish_events(&handover),
                    None => events_live = false,
                },
                alert = end.alerts.recv(), if alerts_live => match alert {
                    Some(alert) => self.publish_alert(&alert),
                    None => alerts_live = false,
                },
            }
        }
    }

    /// Publishes what is new in this snapshot; whether anything was.
    fn publish_change(&mut self, handover: &Handover) -> bool {
        let now = &handover.snapshot;
        let last_state = self.state.borrow().clone();
        let state_changed = last_state.is_none_or(|last| is_change(last.snapshot(), now));
        let last_trajectory = self.trajectory.borrow().clone();
        let trajectory_changed =
            last_trajectory.is_none_or(|last| last.snapshot().prediction != now.prediction);
        if state_changed {
            self.publish_state(handover);
        }
        if trajectory_changed {
            self.trajectory_sequence += 1;
            let issue = self.issue(handover, self.trajectory_sequence);
            let publication = Publication::new(Stream::Trajectory, now.clone(), issue);
            self.trajectory.send_replace(Some(Arc::new(publication)));
        }
        state_changed || trajectory_changed
    }

    fn publish_state(&mut self, handover: &Handover) {
        self.state_sequence += 1;
        let issue = self.issue(handover, self.state_sequence);
        let publication = Publication::new(Stream::State, handover.snapshot.clone(), issue);
        self.state.send_replace(Some(Arc::new(publication)));
    }

    /// Tells what happened in this snapshot, each event once, and keeps the shots that ended.
    fn publish_events(&mut self, handover: &Handover) {
        let snapshot = &handover.snapshot;
        for event in &snapshot.events {
            if let Some((ball, velocity)) = event.kind.motion() {
                let issue = self.next_event_issue(handover);
                let publication = Publication::of_motion(snapshot.clone(), *ball, velocity, issue);
                // Nobody listening is no failure; nor is it below.
                self.happenings.send(Arc::new(publication)).ok();
            }
        }
        if snapshot.events.iter().any(|event| !event.kind.is_motion()) {
            let issue = self.next_event_issue(handover);
            let publication = Publication::new(Stream::Events, snapshot.clone(), issue);
            self.happenings.send(Arc::new(publication)).ok();
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

    fn next_event_issue(&mut self, handover: &Handover) -> Issue {
        self.event_sequence += 1;
        self.issue(handover, self.event_sequence)
    }

    fn publish_alert(&mut self, alert: &Alert) {
        self.alert_sequence += 1;
        let timestamp = WallTime::now();
        let data = AlertData::new(alert, self.alert_sequence, timestamp);
        let encoded = match Encoded::new(Stream::Alert.name(), timestamp, &data, Compression::None) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(%error, code = alert.code.name(), "alert lost: it cannot be encoded");
                return;
            }
        };
        self.open_alerts.send_modify(|open| {
            if alert.begins {
                open.insert(alert.code, encoded.clone());
            } else {
                open.remove(&alert.code);
            }
        });
        // Nobody listening is no failure: the open ones are kept.
        self.alerts.send(encoded).ok();
    }

    fn issue(&mut self, handover: &Handover, sequence: u64) -> Issue {
        Issue {
            sequence,
            captured_at: self
                .clock
                .captured_at(handover.snapshot.captured_at, handover.received_at),
            timestamp: WallTime::now(),
            calculation_time: handover.times.predict,
        }
    }
}
