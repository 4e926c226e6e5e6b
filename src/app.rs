//! The app: which plugins make the pipeline.

use bevy_app::App;

use crate::broadcast::{BridgeHandle, BroadcastPlugin};
use crate::capture::{CapturePlugin, ExposureHold};
use crate::commands::CommandSource;
use crate::config::Config;
use crate::detection::DetectionPlugin;
use crate::physics::Physics;
use crate::probe::ProbePlugin;
use crate::record::write_state;
use crate::recording::RecordPlugin;
use crate::tracking::TrackPlugin;
use crate::trajectory::{PredictConfig, PredictPlugin};
use crate::world::WorldPlugin;

/// The whole pipeline, from admitted frames to snapshots; with a `bridge`, also to the network.
pub fn build(config: &Config, bridge: Option<BridgeHandle>) -> App {
    let mut app = App::new();
    if let Some(calibration) = &config.calibration {
        app.insert_resource(calibration.camera.clone());
    }
    app.add_plugins(WorldPlugin)
        .insert_resource(config.specification())
        .insert_resource(predict_config(config))
        .insert_resource(ExposureHold {
            during_play: config.camera.hold_exposure_during_play,
            ..ExposureHold::default()
        })
        .add_plugins((
            CapturePlugin,
            DetectionPlugin,
            TrackPlugin,
            PredictPlugin,
            RecordPlugin::new(write_state),
        ));
    if let Some(bridge) = bridge {
        app.insert_resource(CommandSource(bridge.clone()))
            .add_plugins((ProbePlugin, BroadcastPlugin::new(bridge)));
    }
    app
}

/// What predictions assume, from configuration and calibration.
pub fn predict_config(config: &Config) -> PredictConfig {
    let usual = Physics::default();
    let fitted = config.calibration.as_ref().and_then(|file| file.physics);
    PredictConfig {
        assumed_speed: config.trajectory.assumed_stick_speed,
        physics: fitted.map_or(usual, |fitted| fitted.laws().applied_to(usual)),
        ..PredictConfig::default()
    }
}
