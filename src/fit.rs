//! `ghostball calibrate --physics`: friction and cushions of the table, from recordings of shots on it.

use crate::app;
use crate::capture::{self, CaptureError, Pace, RingPolicy, SourceSpec};
use crate::config::Config;
use crate::detection::{Calibration, CalibrationError};
use crate::physics::Physics;
use crate::run::RING_CAPACITY;
use crate::runner::{Runner, Step};
use crate::trajectory::laws::{self, FittedLaws, LawsError, SeenBall, Ways};
use crate::world::{GeometryError, Snapshot, TableGeometry};

/// More shots than this are not looked at: errors shrink with the root of their number, and a source may have no end.
const MOST_SHOTS: usize = 20;

/// Why friction and cushions are not known.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A recording gives no frames.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The calibration is that of no table.
    #[error("the calibration does not describe a table")]
    Geometry(#[from] GeometryError),
    /// The calibration is that of no picture.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The recordings do not tell.
    #[error("--physics {names}: {why}; record a few shots on the calibrated table, from rest to rest")]
    Laws {
        /// The recordings.
        names: String,
        /// Why.
        why: LawsError,
    },
}

/// Plays `recordings` through the whole pipeline under `config`, which holds the calibration `camera`, and fits the laws of
/// the table to what the balls did.
pub fn fit(recordings: &[SourceSpec], camera: &Calibration, config: &Config) -> Result<FittedLaws, FitError> {
    let geometry =
        TableGeometry::from_sighting(&camera.sighting_in(camera.size())?, &config.specification())?;
    let mut ways = Ways::new(&geometry);
    let mut names = Vec::new();
    for recording in recordings {
        let source = capture::open(&recording.clone().configured(&config.camera.config()))?;
        let policy = if source.description().live {
            RingPolicy::Live
        } else {
            RingPolicy::Replay
        };
        let frames = capture::spawn(source, policy, Pace::Max, RING_CAPACITY)?;
        names.push(frames.description().name.clone());
        let mut runner = Runner::new(app::build(config, None), frames);
        while ways.shots() <= MOST_SHOTS {
            match runner.step()? {
                Step::Frame => look(&mut ways, &runner.snapshot()),
                Step::Idle => {}
                Step::End => break,
            }
        }
        ways.end_recording();
    }
    laws::fit(&ways, &geometry, Physics::default()).map_err(|why| FitError::Laws {
        names: names.join(" "),
        why,
    })
}

/// Where balls were seen, not where tracking believes them to be: that is smoothed by laws of its own.
fn look(ways: &mut Ways, snapshot: &Snapshot) {
    let Some(table) = &snapshot.table else { return };
    let seen: Vec<SeenBall> = snapshot
        .balls
        .iter()
        .filter_map(|ball| {
            Some(SeenBall {
                id: ball.track_id,
                position: table.table_from_image.apply(ball.seen_in_image?.center),
                tracked: ball.position_in_table,
                is_moving: ball.is_moving,
            })
        })
        .collect();
    ways.look(snapshot.since_first.as_secs_f64(), &seen);
}

/// What was found, for people.
pub fn tell(fitted: &FittedLaws) {
    let FittedLaws { laws, spreads, .. } = fitted;
    if !fitted.is_usual {
        tracing::info!(
            "friction: rolling {:.4} (± {:.0} %), sliding {:.3} (± {:.0} %); cushions: restitution {:.3} (± {:.0} %), friction \
         {:.3} (± {:.0} %)",
            laws.rolling_friction,
            100.0 * spreads.rolling_friction,
            laws.sliding_friction,
            100.0 * spreads.sliding_friction,
            laws.cushion_restitution,
            100.0 * spreads.cushion_restitution,
            laws.cushion_friction,
            100.0 * spreads.cushion_friction,
        );
    }
    let measured_on = if fitted.is_held_out {
        "each shot predicted with what the others told"
    } else {
        "on the one shot that they were fitted to"
    };
    tracing::info!(
        "from {} shots, {} ways of balls, {} cushions; where balls came to, from the first half of their way: off by {:.1} \
         mm under usual laws, {:.1} mm under those fitted (median, {measured_on})",
        fitted.shots,
        fitted.stretches,
        fitted.bounces,
        1e3 * fitted.error_before,
        1e3 * fitted.error_after,
    );
    if fitted.is_usual {
        tracing::warn!(
            "what was fitted tells other shots no better than usual friction and cushions do: those are kept; record more \
             shots, with a camera whose stamps are right"
        );
    }
}
