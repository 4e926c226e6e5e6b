//! When a camera has to keep its exposure.
//!
//! A player who leans over the table makes an automatic exposure brighten the whole picture, and with it every colour.

use bevy_ecs::prelude::*;
use ghostball_world::{Ball, Table};

/// Whether exposure and gain are to stay as they are.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExposureHold {
    /// Whether they are ever to be held: as configured.
    pub during_play: bool,
    /// Whether they are to be held now.
    pub now: bool,
}

/// There is play while balls are seen on a table. Without them the light may have changed for good (the lamp is off, the
/// camera was moved), and the camera has to find its exposure anew.
pub(crate) fn decide_hold(
    mut hold: ResMut<ExposureHold>,
    tables: Query<(), With<Table>>,
    balls: Query<(), With<Ball>>,
) {
    let now = hold.during_play && !tables.is_empty() && !balls.is_empty();
    hold.set_if_neq(ExposureHold { now, ..*hold });
}

#[cfg(test)]
mod tests {
    use bevy_app::App;
    use ghostball_world::{FrameTick, WorldPlugin};

    use super::*;
    use crate::CapturePlugin;

    #[test]
    fn exposure_is_held_while_balls_are_seen_on_a_table_and_it_was_asked_for() {
        for during_play in [false, true] {
            let mut app = App::new();
            app.add_plugins((WorldPlugin, CapturePlugin))
                .insert_resource(ExposureHold {
                    during_play,
                    ..ExposureHold::default()
                });
            let now = |app: &mut App| {
                app.world_mut().run_schedule(FrameTick);
                app.world().resource::<ExposureHold>().now
            };
            assert!(!now(&mut app));
            let table = app.world_mut().spawn(Table).id();
            assert!(!now(&mut app), "nothing lies on the table");
            let ball = app.world_mut().spawn(Ball { radius: 0.028 }).id();
            assert_eq!(now(&mut app), during_play);
            app.world_mut().despawn(table);
            assert!(!now(&mut app), "no table is seen");
            app.world_mut().spawn(Table);
            app.world_mut().despawn(ball);
            assert!(!now(&mut app), "the balls are gone");
        }
    }
}
