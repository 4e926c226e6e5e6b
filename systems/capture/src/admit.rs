//! Where a frame enters the world.

use std::sync::Arc;
use std::time::Duration;

use bevy_ecs::prelude::*;
use ghostball_world::{CurrentFrame, Frame, FrameClock};

/// The frame for the next tick. The runner puts one in before every `app.update()`.
#[derive(Resource, Clone, Debug, Default)]
pub struct PendingFrame(pub Option<Arc<Frame>>);

/// Makes the pending frame the current one and moves the clock to it. A tick without one has no current frame, and
/// no time passes in it.
pub(crate) fn admit_frame(
    mut pending: ResMut<PendingFrame>,
    mut current: ResMut<CurrentFrame>,
    mut clock: ResMut<FrameClock>,
) {
    current.0 = pending.0.take();
    match &current.0 {
        Some(frame) => clock.advance_to(frame.captured_at),
        None => clock.dt = Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use bevy_app::App;
    use ghostball_world::{Stamp, WorldPlugin};

    use super::*;
    use crate::CapturePlugin;

    fn tick(app: &mut App, nanos: Option<u64>) -> (Option<u64>, FrameClock) {
        let frame = nanos.map(|nanos| {
            Arc::new(Frame {
                captured_at: Stamp::from_nanos(nanos),
                ..Frame::default()
            })
        });
        app.insert_resource(PendingFrame(frame));
        app.update();
        let current = &app.world().resource::<CurrentFrame>().0;
        let stamp = current.as_ref().map(|frame| frame.captured_at.nanos);
        (stamp, *app.world().resource::<FrameClock>())
    }

    #[test]
    fn the_clock_follows_the_stamps_of_admitted_frames() {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, CapturePlugin));
        let (stamp, clock) = tick(&mut app, Some(1_000));
        assert_eq!(
            (stamp, clock.frame_number, clock.dt),
            (Some(1_000), 0, Duration::ZERO)
        );
        let (stamp, clock) = tick(&mut app, Some(1_500));
        assert_eq!(
            (stamp, clock.frame_number, clock.dt.as_nanos()),
            (Some(1_500), 1, 500)
        );
        let (stamp, clock) = tick(&mut app, None);
        assert_eq!((stamp, clock.frame_number, clock.dt), (None, 1, Duration::ZERO));
    }
}
