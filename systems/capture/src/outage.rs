//! Tells the world when the source goes away and when it is back.

use bevy_ecs::prelude::*;
use ghostball_world::{Alert, AlertCode, AlertLevel};

use crate::SourceHealth;

/// What has been told so far.
#[derive(Resource, Debug, Default)]
pub(crate) struct ToldOutages {
    /// How many outages have been told to begin.
    begun: u64,
    /// Whether the last of them has not been told to end.
    is_open: bool,
}

/// One alert when an outage begins and one when it ends. Those so short that no tick fell into them are told as one.
pub(crate) fn tell_outages(
    health: Res<SourceHealth>,
    mut told: ResMut<ToldOutages>,
    mut alerts: MessageWriter<Alert>,
) {
    if told.begun < health.counters.outages {
        told.begun = health.counters.outages;
        if !std::mem::replace(&mut told.is_open, true) {
            let cause = health.last_outage.as_deref().unwrap_or_default();
            alerts.write(alert(AlertLevel::Error, true, cause));
        }
    }
    if told.is_open && !health.is_away {
        told.is_open = false;
        alerts.write(alert(AlertLevel::Info, false, "the camera is back"));
    }
}

fn alert(level: AlertLevel, begins: bool, text: &str) -> Alert {
    Alert {
        level,
        code: AlertCode::CameraUnavailable,
        begins,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bevy_app::App;
    use bevy_ecs::message::Messages;
    use ghostball_world::{IdleTick, WorldPlugin};

    use super::*;
    use crate::{CaptureCounters, CapturePlugin};

    /// The alerts that a tick tells of a source in this state.
    fn told(app: &mut App, outages: u64, is_away: bool) -> Vec<(bool, String)> {
        app.insert_resource(SourceHealth {
            counters: CaptureCounters {
                outages,
                ..CaptureCounters::default()
            },
            is_away,
            last_outage: Some("unplugged".into()),
            ..SourceHealth::default()
        });
        app.world_mut().run_schedule(IdleTick);
        app.world_mut()
            .resource_mut::<Messages<Alert>>()
            .drain()
            .map(|alert| (alert.begins, alert.text))
            .collect()
    }

    #[test]
    fn each_outage_is_told_once_when_it_begins_and_once_when_it_ends() {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, CapturePlugin));
        let begins = (true, "unplugged".to_owned());
        let ends = (false, "the camera is back".to_owned());
        assert_eq!(told(&mut app, 0, false), []);
        assert_eq!(told(&mut app, 1, true), std::slice::from_ref(&begins));
        assert_eq!(told(&mut app, 1, true), []);
        assert_eq!(told(&mut app, 1, false), std::slice::from_ref(&ends));
        assert_eq!(told(&mut app, 1, false), []);
        // It came and went between two ticks.
        assert_eq!(told(&mut app, 2, false), [begins.clone(), ends.clone()]);
        // One ended and the next began between two ticks: for whoever listens it has not been back.
        assert_eq!(told(&mut app, 3, true), [begins]);
        assert_eq!(told(&mut app, 4, true), []);
        assert_eq!(told(&mut app, 4, false), [ends]);
    }
}
