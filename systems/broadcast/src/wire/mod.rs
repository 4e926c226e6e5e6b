//! What goes over the wire: one file per family of messages.
//!
//! Everything here is a function of its arguments: no clock, no connection. `tests.rs` holds each message to its
//! golden.

mod alert;
mod color;
mod command;
mod envelope;
mod events;
mod metrics;
mod performance;
mod picture;
pub(crate) mod schema;
mod session;
mod simulation;
mod state;
#[cfg(test)]
mod tests;
mod trajectory;
mod zlib;

pub(crate) use alert::AlertData;
pub(crate) use color::color_of;
pub(crate) use command::{Command, parse_command};
pub(crate) use envelope::Frame;
pub(crate) use events::{EventsData, HistoryData, MotionData};
pub(crate) use metrics::{
    BreakerMetrics, BroadcasterMetrics, ConnectionData, ConnectionMetrics, ConnectionsData, FrameMetrics,
    MetricsData, MetricsMessage, StreamData, Subscriptions, UdpMetrics,
};
pub(crate) use performance::{PerformanceData, StagesData};
pub(crate) use picture::PictureData;
pub(crate) use session::{
    ErrorCode, ErrorData, GreetingData, HeartbeatData, PongData, StatusData, SubscribedData,
};
pub(crate) use simulation::{SimulateRequest, simulated};
pub(crate) use state::{StateData, StateQuality};
pub(crate) use trajectory::TrajectoryData;

/// When and as what number of its stream something is published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issue {
    /// Counts the publications of the stream.
    pub(crate) sequence: u64,
    /// When the frame was captured.
    pub(crate) captured_at: crate::WallTime,
    /// When it is published.
    pub(crate) timestamp: crate::WallTime,
    /// What the prediction took.
    pub(crate) calculation_time: std::time::Duration,
}
