//! World snapshots to WebSocket, HTTP and the web client.
//!
//! - [`Server`] owns the port and the network thread; [`Server::start`] binds before it returns.
//! - [`BridgeHandle`] leads from the world's thread to the network's. Nothing on it waits.
//! - [`BroadcastPlugin`] hands over the snapshot, the frame and the alerts of every frame.
//!
//! # What happens to a snapshot
//!
//! ```text
//! world's thread      bridge            latest-wins cells for snapshot, frame and configuration, bounded queues for
//!                                       events and alerts; the other way a bounded queue for commands (`command`)
//! network thread      publisher         is it a change? at most so many a second; wall-clock time is attached
//!                     hub               owns the clients; encodes and frames once for every view (space, quality,
//!                                       fields, compression) that somebody has, and writes straight to the sockets
//!                     session           one per client: reads and checks what it says
//! blocking thread     video             JPEG, while somebody watches, once for all who watch the same
//! ```
//!
//! `wire` holds the messages, one file per family, as functions of a snapshot; `space` the coordinates a client can ask
//! for; `change` what counts as one; `pacer` keeps rates; `server` is HTTP: routes, web client, health, the handshake,
//! and who is let in.
//!
//! # A server and its plugin
//!
//! ```no_run
//! # use ghostball_broadcast::{BroadcastPlugin, Server, ServerConfig};
//! # let mut app = bevy_app::App::new();
//! let (server, bridge) = Server::start(ServerConfig::default())?;
//! app.add_plugins(BroadcastPlugin::new(bridge));
//! println!("http://{}/", server.local_addr());
//! # Ok::<(), ghostball_broadcast::BroadcastError>(())
//! ```

mod access;
mod bridge;
mod change;
mod command;
mod config;
mod config_view;
mod counters;
mod error;
mod facts;
mod filters;
#[cfg(test)]
mod fixture;
mod hub;
mod log_tail;
mod losses;
mod pacer;
mod performance;
mod pictures;
mod publication;
mod publisher;
mod server;
mod session;
mod shutdown;
mod space;
mod stream;
mod video;
mod wall_clock;
mod wire;

use bevy_app::{App, Plugin};
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_ecs::prelude::*;
use ghostball_world::{Alert, CurrentFrame, FrameSystems, FrameTick, IdleTick, LatestSnapshot, StageTimes};

pub use access::{Access, AccessToken, Origin, OriginError, TokenError};
pub use bridge::BridgeHandle;
pub use command::{Answer, RecordAction, Refusal, RefusalReason, ReplayAction, Request, WorldCommand};
pub use config::{
    BroadcasterConfig, CleanupConfig, CompressionConfig, FpsConfig, FrameBufferConfig, FrameQueueConfig,
    HandlerConfig, IntegrationConfig, ServerConfig, Simulator,
};
pub use config_view::{ConfigChange, ConfigView};
pub use error::BroadcastError;
pub use facts::{CalibrationStatus, CalibrationView, ReplayView, SourceHealthView, SourceView};
pub use log_tail::LogTail;
pub use server::Server;
pub use space::Space;
pub use video::jpeg::encode_jpeg;
pub use wall_clock::WallTime;

/// Hands the world to the network: state and frame with every frame, alerts also while no frame comes.
pub struct BroadcastPlugin {
    bridge: BridgeHandle,
}

impl BroadcastPlugin {
    /// Publishes over `bridge`, as [`Server::start`] gave it.
    pub fn new(bridge: BridgeHandle) -> Self {
        Self { bridge }
    }
}

impl Plugin for BroadcastPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Bridge {
            handle: self.bridge.clone(),
            alerts_read: MessageCursor::default(),
        })
        .add_systems(
            FrameTick,
            (publish_frame, publish_alerts)
                .chain()
                .in_set(FrameSystems::Publish),
        )
        .add_systems(IdleTick, publish_alerts.in_set(FrameSystems::Publish));
    }
}

/// The bridge, and how far the alerts are handed over: one cursor for both schedules, so that none goes twice.
#[derive(Resource)]
struct Bridge {
    handle: BridgeHandle,
    alerts_read: MessageCursor<Alert>,
}

fn publish_frame(
    bridge: Res<Bridge>,
    snapshot: Res<LatestSnapshot>,
    frame: Res<CurrentFrame>,
    times: Res<StageTimes>,
) {
    // What leads to a place that was sought is nobody's business.
    if frame.0.as_ref().is_some_and(|frame| frame.recorded.is_leading) {
        return;
    }
    bridge
        .handle
        .publish_measured(snapshot.0.clone(), frame.0.clone(), *times);
}

fn publish_alerts(mut bridge: ResMut<Bridge>, alerts: Res<Messages<Alert>>) {
    let bridge = &mut *bridge;
    for alert in bridge.alerts_read.read(&alerts) {
        bridge.handle.alert(alert.clone());
    }
}
