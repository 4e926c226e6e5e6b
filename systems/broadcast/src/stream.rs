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

    /// Whether anything is ever published on it. A subscription to the others is refused by name, so that nobody waits
    /// for what cannot come.
    pub(crate) const fn is_served(self) -> bool {
        matches!(
            self,
            Self::State | Self::Trajectory | Self::Events | Self::Motion | Self::Alert
        )
    }
}
