//! Event-based billiards dynamics: a pure library without ECS, clock or I/O.
//!
//! Between two events every ball moves exactly along a parabola, a straight line, or not at all ([`Motion`]); the
//! [`Simulator`] computes when the next event is, jumps there, applies a collision model, and goes on. There is no time
//! step, and the same input gives the same bits on every machine (transcendental functions come from `libm`).
//!
//! ```
//! use ghostball_physics::{BallState, Limits, Physics, Simulator, Strike, TableShape, strike};
//! use glam::DVec2;
//!
//! let physics = Physics::default();
//! let table = TableShape::pool(2.54, 1.27, physics.ball.radius);
//! let (velocity, spin) = strike(&physics.ball, &Strike { stick_speed: 1.5, ..Strike::default() });
//! let balls = [
//!     BallState::moving(DVec2::new(-0.6, 0.0), velocity, spin),
//!     BallState::at_rest(DVec2::new(0.3, 0.01)),
//! ];
//! let mut simulator = Simulator::new();
//! let shot = simulator.run(&table, &physics, &balls, &Limits::default())?;
//! for event in &shot.events {
//!     println!("{:.3} s: {:?}", event.time, event.kind);
//! }
//! let halfway = shot.state_at(1, 0.5 * shot.duration);
//! # assert!(halfway.is_some());
//! # Ok::<(), ghostball_physics::PhysicsError>(())
//! ```
//!
//! Space: table space of the `world` crate, origin at the centre of the playing surface, x along the long axis, y along
//! the short one, z up, metres, right-handed. Balls, cushions, jaws and pockets are named by index.

mod ball;
mod ball_ball;
mod contact;
mod cushion;
mod error;
mod motion;
#[cfg(test)]
mod reference;
mod roots;
mod shot;
mod simulator;
mod strike;
mod stronge;
mod table;
mod table_data;

pub use ball::{BallMotion, BallProperties, BallState};
pub use ball_ball::BallBallModel;
pub use cushion::CushionModel;
pub use error::PhysicsError;
pub use motion::Motion;
pub use shot::{Change, Ended, Event, EventKind, Segment, Shot};
pub use simulator::{Limits, Physics, Simulator};
pub use strike::{Strike, strike};
pub use table::{CushionSegment, Jaw, MouthDimensions, PocketDimensions, PocketShape, TableShape};
pub use table_data::{TableData, TableDataError};
