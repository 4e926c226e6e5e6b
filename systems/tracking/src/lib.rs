//! Sightings in, entities out: which ball is which, where it is, how fast it goes, and what the stick does.
//!
//! Detection has no memory; this crate is the memory. Once per frame [`TrackPlugin`] takes the
//! [`Sightings`](ghostball_world::Sightings), maps them into table space and keeps one entity per physical ball and one
//! for the stick.
//!
//! | module | job |
//! |---|---|
//! | `assignment` | the cheapest way to give every row its own column |
//! | `association` | what it costs to take a sighting for a ball |
//! | `bed` | playing surface and pockets in table space |
//! | `continuity` | frames that do not follow each other |
//! | `chains` | balls that push each other on |
//! | `cue` | the stick, smoothed |
//! | `entities` | the only module that knows bevy: beliefs to components |
//! | `events` | what happened: shots, pots, balls placed and removed, starts and stops |
//! | `exposure` | how long the shutter is open, learnt |
//! | `falls` | how a ball fell that was lost near a pocket |
//! | `foresight` | where balls come that touch, by physics |
//! | `identity` | kind and number by votes, settled for all balls together |
//! | `kalman` | where a moving ball is and how fast it goes |
//! | `motion` | moving or standing |
//! | `names` | a name is given once; balls mixed up in a break get theirs back |
//! | `noise` | how precisely balls are seen, learnt |
//! | `pushes` | what may set a ball in motion, or turn it |
//! | `recent` | the last sightings of one ball, and the line through them |
//! | `repeat` | pictures that show again what the one before showed |
//! | `shot_paths` | the ways of the balls of a shot |
//! | `spacing` | balls of a pack set apart as physics wants them |
//! | `starts` | who pushed a ball that sets off though no touch is known |
//! | `stick` | where a stick is that rises over the rail |
//! | `suspicion` | a ball beside its place: set off, or seen askew |
//! | `swing` | aiming, practice stroke, strike |
//! | `touches` | which ball touched which ball or cushion, and when between frames |
//! | `track` | one ball |
//! | `tracks` | all balls: births and deaths |

mod assignment;
mod association;
mod bed;
mod chains;
mod continuity;
mod cue;
mod entities;
mod events;
mod exposure;
mod falls;
mod foresight;
mod identity;
mod kalman;
mod motion;
mod names;
mod noise;
mod pushes;
mod recent;
mod repeat;
#[cfg(test)]
mod scenario;
mod shot_paths;
mod spacing;
mod starts;
mod stick;
mod suspicion;
mod swing;
mod touches;
mod track;
mod tracks;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{FrameSystems, FrameTick, Remember as _};

/// Keeps ball and cue entities up to date, in [`FrameSystems::Track`].
pub struct TrackPlugin;

impl Plugin for TrackPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<entities::Followed>()
            .init_resource::<entities::FollowedCue>()
            .init_resource::<entities::Told>()
            .remember::<entities::Followed>("tracking of balls")
            .remember::<entities::FollowedCue>("tracking of the stick")
            .remember::<entities::Told>("events")
            .add_systems(
                FrameTick,
                // The stick aims at balls, and starts what is told.
                (
                    entities::follow_balls,
                    entities::follow_cue,
                    entities::tell_events,
                )
                    .chain()
                    .in_set(FrameSystems::Track),
            );
    }
}
