//! The way from the world's thread to the network's: nothing on it ever waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ghostball_world::{Alert, Frame, Snapshot, StageTimes};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::command::{CommandSender, Request, command_queue};
use crate::facts::Facts;
use crate::{CalibrationView, ConfigView, ReplayView, SourceHealthView, SourceView, WallTime};

/// Alerts on their way to the network; when full the new one is dropped, counted and logged. Far more than conditions
/// exist: it fills only while the network thread stands still.
const ALERT_QUEUE: usize = 64;

/// Snapshots in which something happened, on their way to the network; as for alerts. Many times the events of a break.
const EVENT_QUEUE: usize = 256;

/// A snapshot and when it was handed over.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) times: StageTimes,
    pub(crate) received_at: WallTime,
    pub(crate) handed_over_at: Instant,
}

impl Handover {
    /// When the frame came in: all of its stages are over.
    pub(crate) fn arrived_at(&self) -> WallTime {
        self.received_at.before(self.times.total())
    }
}

/// The world's end of the bridge. Clones lead to the same server.
#[derive(Clone, Debug)]
pub struct BridgeHandle {
    lanes: Arc<Lanes>,
}

/// Snapshot and frame are latest-wins cells: what the network has not looked at yet is replaced. Events and alerts queue.
#[derive(Debug)]
struct Lanes {
    snapshot: watch::Sender<Option<Handover>>,
    frame: watch::Sender<Option<Arc<Frame>>>,
    events: mpsc::Sender<Handover>,
    alerts: mpsc::Sender<Alert>,
    config: watch::Sender<Arc<ConfigView>>,
    facts: Facts,
    /// Locked by nobody but the world's thread.
    requests: Mutex<mpsc::Receiver<Request>>,
    frames_dropped: Arc<AtomicU64>,
}

/// The network's end of the bridge.
#[derive(Debug)]
pub(crate) struct BridgeEnd {
    pub(crate) snapshot: watch::Receiver<Option<Handover>>,
    pub(crate) frame: watch::Receiver<Option<Arc<Frame>>>,
    pub(crate) events: mpsc::Receiver<Handover>,
    pub(crate) alerts: mpsc::Receiver<Alert>,
    pub(crate) config: watch::Receiver<Arc<ConfigView>>,
    pub(crate) commands: CommandSender,
    pub(crate) facts: Facts,
    /// Frames that were lost before the pipeline, so far.
    pub(crate) frames_dropped: Arc<AtomicU64>,
}

/// Both ends of a new bridge.
pub(crate) fn bridge() -> (BridgeHandle, BridgeEnd) {
    let (snapshot, snapshot_end) = watch::channel(None);
    let (frame, frame_end) = watch::channel(None);
    let (events, events_end) = mpsc::channel(EVENT_QUEUE);
    let (alerts, alerts_end) = mpsc::channel(ALERT_QUEUE);
    let (config, config_end) = watch::channel(Arc::default());
    let (commands, requests) = command_queue();
    let facts = Facts::default();
    let frames_dropped = Arc::new(AtomicU64::new(0));
    let lanes = Lanes {
        snapshot,
        frame,
        events,
        alerts,
        config,
        facts: facts.clone(),
        requests: Mutex::new(requests),
        frames_dropped: frames_dropped.clone(),
    };
    let end = BridgeEnd {
        snapshot: snapshot_end,
        frame: frame_end,
        events: events_end,
        alerts: alerts_end,
        config: config_end,
        commands,
        facts,
        frames_dropped,
    };
    (
        BridgeHandle {
            lanes: Arc::new(lanes),
        },
        end,
    )
}

impl BridgeHandle {
    /// Hands over the world as it is now, and the frame it was seen in (for the video). Replaces what was handed over
    /// before and was not looked at yet.
    pub fn publish(&self, snapshot: Arc<Snapshot>, frame: Option<Arc<Frame>>) {
        self.publish_measured(snapshot, frame, StageTimes::default());
    }

    /// As [`BridgeHandle::publish`], with what the frame took.
    pub fn publish_measured(&self, snapshot: Arc<Snapshot>, frame: Option<Arc<Frame>>, times: StageTimes) {
        let received_at = WallTime::now();
        let handover = Handover {
            snapshot,
            times,
            received_at,
            handed_over_at: Instant::now(),
        };
        if !handover.snapshot.events.is_empty()
            && let Err(mpsc::error::TrySendError::Full(_)) = self.lanes.events.try_send(handover.clone())
        {
            self.lanes.facts.losses().lose_events();
        }
        self.lanes.snapshot.send_replace(Some(handover));
        // After what was seen in it: who has got the frame can draw that.
        if frame.is_some() {
            self.lanes.frame.send_replace(frame);
        }
    }

    /// Hands over an alert.
    pub fn alert(&self, alert: Alert) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.lanes.alerts.try_send(alert) {
            self.lanes.facts.losses().lose_alert();
        }
    }

    /// Hands over the configuration, at the start and whenever it has changed.
    pub fn publish_config(&self, view: ConfigView) {
        self.lanes.config.send_replace(Arc::new(view));
    }

    /// The configuration as it was handed over last.
    pub fn config(&self) -> Arc<ConfigView> {
        self.lanes.config.borrow().clone()
    }

    /// Tells where frames come from.
    pub fn publish_source(&self, source: SourceView) {
        self.lanes.facts.set_source(source);
    }

    /// Tells how far a calibration has come.
    pub fn publish_calibration(&self, calibration: CalibrationView) {
        self.lanes.facts.set_calibration(calibration);
    }

    /// The calibration as it was told of last.
    pub fn calibration(&self) -> CalibrationView {
        self.lanes.facts.calibration()
    }

    /// Tells where in a recording its replay is.
    pub fn publish_replay(&self, replay: ReplayView) {
        self.lanes.facts.set_replay(replay);
    }

    /// Tells how the source is. Frames that were lost before they came to the pipeline are those that were dropped or damaged.
    pub fn publish_source_health(&self, health: SourceHealthView) {
        let lost = health.frames_dropped + health.frames_damaged;
        self.lanes.frames_dropped.store(lost, Ordering::Relaxed);
        self.lanes.facts.set_source_health(health);
    }

    /// The next command that a client asks for, if any. It is to be answered.
    pub fn next_request(&self) -> Option<Request> {
        let mut requests = self.lanes.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.try_recv().ok()
    }

    /// Alerts that were lost because the network thread did not take them.
    pub fn alerts_dropped(&self) -> u64 {
        self.lanes.facts.losses().alerts()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ghostball_world::{AlertCode, AlertLevel, TableEvent, TableEventKind};

    use super::*;

    #[test]
    fn what_a_network_thread_that_stands_does_not_take_is_counted() {
        let (handle, end) = bridge();
        for n in 0..EVENT_QUEUE.max(ALERT_QUEUE) + 3 {
            let ended = TableEvent {
                at: Duration::from_secs(n as u64),
                kind: TableEventKind::ShotEnded(Arc::default()),
            };
            let snapshot = Snapshot {
                events: vec![ended],
                ..Snapshot::default()
            };
            handle.publish(Arc::new(snapshot), None);
            handle.alert(Alert {
                level: AlertLevel::Info,
                code: AlertCode::DiskFull,
                begins: true,
                text: String::new(),
            });
        }
        let sent = EVENT_QUEUE.max(ALERT_QUEUE) as u64 + 3;
        assert_eq!(end.facts.losses().events(), sent - EVENT_QUEUE as u64);
        assert_eq!(handle.alerts_dropped(), sent - ALERT_QUEUE as u64);
    }
}
