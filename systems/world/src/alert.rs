//! Conditions that somebody should know of.

use bevy_ecs::message::Message;

/// How bad it is, by its consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertLevel {
    /// Rare and of interest; also the end of a condition.
    Info,
    /// Works worse than it should.
    Warning,
    /// Something is lost.
    Error,
    /// Nothing works until somebody acts.
    Critical,
}

impl AlertLevel {
    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// Which condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertCode {
    /// No frames come from the source.
    CameraUnavailable,
    /// The table is not where it was, or was never found.
    CalibrationLost,
    /// Frames come faster than they are worked off.
    ProcessingSlow,
    /// The recording cannot be written.
    DiskFull,
    /// Frames come faster than the disk takes them: some are missing in the recording.
    DiskSlow,
    /// No client takes any message.
    BroadcastFailing,
    /// The stamps of the frames ran backwards or leapt.
    TimeJumped,
}

impl AlertCode {
    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CameraUnavailable => "HW_CAMERA_UNAVAILABLE",
            Self::CalibrationLost => "CALIBRATION_LOST",
            Self::ProcessingSlow => "PROCESSING_SLOW",
            Self::DiskFull => "DISK_FULL",
            Self::DiskSlow => "DISK_SLOW",
            Self::BroadcastFailing => "BROADCAST_FAILING",
            Self::TimeJumped => "TIME_JUMPED",
        }
    }
}

/// Sent once when a condition begins and once when it ends.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Alert {
    /// How bad it is.
    pub level: AlertLevel,
    /// Which condition.
    pub code: AlertCode,
    /// Whether it begins (true) or ends (false).
    pub begins: bool,
    /// For a person: what is wrong and what to do.
    pub text: String,
}
