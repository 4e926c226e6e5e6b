//! What can be subscribed to.

/// A stream of messages, in the contract's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    State,
    Trajectory,
    Events,
    Motion,
    Alert,
    Config,
    Performance,
    Metrics,
    Frame,
}

impl Stream {
    pub(crate) const ALL: [Self; 9] = [
        Self::State,
        Self::Trajectory,
        Self::Events,
        Self::Motion,
        Self::Alert,
        Self::Config,
        Self::Performance,
        Self::Metrics,
        Self::Frame,
    ];

    /// As the contract spells it; also the type of its messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Trajectory => "trajectory",
            Self::Events => "events",
            Self::Motion => "motion",
            Self::Alert => "alert",
            Self::Config => "config",
            Self::Performance => "performance",
            Self::Metrics => "metrics",
            Self::Frame => "frame",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// Whether each message counts. Of the other streams only the newest does: it replaces what a client has not taken.
    pub(crate) const fn is_reliable(self) -> bool {
        matches!(self, Self::Events | Self::Motion | Self::Alert | Self::Config)
    }

    /// Whether its messages have places, which are told in the client's space.
    pub(crate) const fn has_places(self) -> bool {
        matches!(self, Self::State | Self::Trajectory | Self::Events | Self::Motion)
    }

    /// Whether messages can be collected over a window of time.
    pub(crate) const fn has_windows(self) -> bool {
        matches!(self, Self::State | Self::Trajectory | Self::Events)
    }
}
