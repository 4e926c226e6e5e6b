//! `performance`: how the pipeline does.

use schemars::JsonSchema;
use serde::Serialize;

/// The data of a `performance` message: means since the one before.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PerformanceData {
    /// Frames a second that went through the pipeline.
    pub(crate) fps: f64,
    /// States a second at most.
    pub(crate) target_fps: f64,
    /// What a frame takes on the main thread, milliseconds.
    pub(crate) frame_time_ms: f64,
    pub(crate) stages: StagesData,
    /// Frames that were lost before the pipeline, since the start.
    pub(crate) dropped_frames: u64,
    /// Of one processor.
    pub(crate) cpu_percent: f64,
    /// Resident, millions of bytes.
    pub(crate) memory_mb: f64,
    /// Open WebSocket connections.
    pub(crate) clients: usize,
}

/// Milliseconds; 0 where nobody measures.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StagesData {
    pub(crate) capture: f64,
    pub(crate) decode: f64,
    pub(crate) detect: f64,
    pub(crate) track: f64,
    pub(crate) predict: f64,
    /// From the handover to the last client's socket.
    pub(crate) publish: f64,
}
