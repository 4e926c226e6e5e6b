//! A simulated table: plays shots for ever and renders camera frames with the exact truth beside each frame.
//!
//! [`SimulatedTable`] is the whole: a [`Game`] played from a seed, seen by a camera above the table. Everything that
//! differs from table to table (cloth, rails, lamps, where the camera hangs) comes from the same seed, and so does every
//! byte of every picture, on every machine. A [`Specimen`] is one picture from one seed, as varied as the world: any
//! table in any [`Hall`] with any [`Layout`] of balls.
//!
//! Its halves stand for themselves: a [`Player`] plays on a [`TableModel`] and knows nothing of pictures; a [`Renderer`]
//! renders any [`Scene`] with any [`Look`] under any [`CameraPose`]. [`render_scene`] makes a fixture in one line:
//!
//! ```
//! use ghostball_simulation::{CameraPose, Look, Scene, SceneBall, render_scene};
//! use ghostball_world::BallKind;
//! use glam::DVec2;
//!
//! let eight = SceneBall::at_rest(1, BallKind::Eight, Some(8), DVec2::new(0.3, 0.1));
//! let scene = Scene { balls: vec![eight], ..Scene::default() };
//! let (picture, truth) = render_scene(&scene, &Look::plain(), &CameraPose::default())?;
//! let circle = truth.balls[0].circle_in_image;
//! assert!(picture.rgb_at(circle.center.x as u32 + 5, circle.center.y as u32 + 5)[1] < 80);
//! # Ok::<(), ghostball_simulation::SimulationError>(())
//! ```
//!
//! # How a picture is made
//!
//! What stands still is ray-traced once, when the camera is hung (`background`). Each frame then copies it, darkens the
//! cloth where balls and cue keep the lamps off (`shadow`), draws every ball as a lit sphere (`ball`, `ball_paint`),
//! the cue (`cue_stick`) and an arm (`arm`), directly in planes of YUV 4:2:0 (`painter`), and adds sensor noise while it writes the camera's own pixel
//! format (`canvas`). The camera is a pinhole with a [`Lens`]; noses, balls and bed lie at their true heights.

mod arm;
mod background;
mod ball;
mod ball_paint;
mod camera;
mod canvas;
mod cloth;
mod color;
mod cue_stick;
mod hall;
mod layout;
mod lens;
mod look;
mod options;
mod painter;
mod player;
mod rack;
mod random;
mod renderer;
mod scene;
mod shadow;
mod shot_choice;
mod simulated_table;
mod specimen;
mod stage;
mod strip;
mod stroke;
mod table_model;
mod tile;
mod truth;

pub use camera::{Camera, CameraPose, EllipseInImage};
pub use hall::Hall;
pub use layout::Layout;
pub use lens::Lens;
pub use look::{ClothMark, FloorThing, Lamp, Look, Sights};
pub use options::{Game, SimulationError, SimulationOptions};
pub use player::Player;
pub use random::Random;
pub use renderer::{Renderer, render_scene};
pub use scene::{Scene, SceneArm, SceneBall, SceneCue};
pub use simulated_table::SimulatedTable;
pub use specimen::Specimen;
pub use table_model::{CushionOutline, TableModel};
pub use truth::{GroundTruth, Touched, TrueBall, TrueContact, TrueCue, TrueTable};
