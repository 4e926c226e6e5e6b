//! How messages get to clients: `api.websocket` and `integration`.

use std::time::Duration;

use super::keys::Config;
use crate::broadcast::{
    BroadcasterConfig, CleanupConfig, CompressionConfig, FpsConfig, FrameBufferConfig, FrameQueueConfig,
    HandlerConfig, IntegrationConfig, Space,
};
use crate::{section, sections};

sections! {
    /// WebSockets.
    pub struct WebSocket {
        /// How messages are made.
        broadcaster: Broadcaster,
        /// How connections are kept.
        handler: Handler,
    }
}

sections! {
    /// How messages are made.
    pub struct Broadcaster {
        /// When messages are compressed.
        compression: Compression,
        /// Pictures on their way.
        frame_queue: FrameQueue,
        /// Pictures that are kept.
        frame_buffer: FrameBuffer,
        /// Rates.
        fps: Fps,
        /// Tidying up.
        cleanup: Cleanup,
    }
}

section! {
    /// When messages are compressed for clients that ask for zlib.
    pub struct Compression {
        /// Shorter texts go as they are: what is saved is less than a packet.
        threshold_bytes: u32 = 1024, in 0..=1048576, "bytes";
        /// 0 (stored) to 9 (smallest). 6 is zlib's own: beyond it the size hardly falls, and the time does rise.
        level: u32 = 6, in 0..=9;
        /// A compressed message is kept where it is smaller than this share of the text: what saves less than a tenth is
        /// not worth the client's work.
        ratio_threshold: f64 = 0.9, in 0.0..=1.0;
    }
}

section! {
    /// Pictures on their way into the stream "frame".
    pub struct FrameQueue {
        /// Whether the stream is served. Off: pictures as text are a third longer and have crashed browsers; video is
        /// /api/v1/stream/video.
        enabled: bool = false;
        /// Pictures that wait to be encoded. When it is full the oldest goes and is counted. 10 are a third of a second.
        max_size: u32 = 10, in 1..=1000;
    }
}

section! {
    /// Messages of the stream "frame" that are kept for those who come later.
    pub struct FrameBuffer {
        /// No more than this. 100 are three seconds.
        max_size: u32 = 100, in 1..=10000;
        /// No longer than this.
        max_age_seconds: f64 = 5.0, in 0.1..=3600.0, "seconds";
    }
}

section! {
    /// Rates of clients.
    pub struct Fps {
        /// Messages a second of one stream for clients that name no rate: that of a usual camera.
        default_target_fps: f64 = 30.0, in 0.1..=240.0, "per second";
        /// What is remembered for keeping a rate is forgotten after it was not used for so long.
        limiter_cleanup_age_seconds: f64 = 300.0, in 1.0..=86400.0, "seconds";
    }
}

section! {
    /// Tidying up.
    pub struct Cleanup {
        /// What nobody uses any more is let go this often. It is little: 30 s are often enough.
        interval_seconds: f64 = 30.0, in 0.1..=3600.0, "seconds";
    }
}

section! {
    /// How connections are kept.
    pub struct Handler {
        /// A ping goes out this often: twice within the time-out.
        ping_interval: f64 = 30.0, in 0.1..=3600.0, "seconds";
        /// A client that shows no sign of life, or takes nothing, for so long is closed (1013).
        connection_timeout: f64 = 60.0, in 0.2..=86400.0, "seconds";
        /// Messages of a client in any minute that are answered; ten times as many close it (1008). A client that pings
        /// every second and subscribes now and then stays below.
        max_message_rate: u32 = 100, in 1..=1000000, "per minute";
        /// WebSocket connections at a time. Each takes a file and some 8 KiB.
        max_connections: u32 = 10000, in 1..=1000000;
        /// The same from one address; 0: no limit, for clients behind one router share theirs.
        max_connections_per_ip: u32 = 0, in 0..=1000000;
        /// The longest message of a client: many times what any has to say.
        max_message_bytes: u32 = 65536, in 125..=16777216, "bytes";
        /// Coordinates for clients that do not ask for any: metres from the middle of the table, the 3840x2160 canvas of
        /// billiards-trainer, or the camera's picture.
        default_coords: Space = Space::Metres;
    }
}

section! {
    /// What goes out, and what happens when it does not.
    pub struct Integration {
        /// States a second at most: what clients ask for when they ask for nothing.
        target_fps: f64 = 30.0, in 1.0..=240.0, "per second";
        /// A message that counts (an alert, an event, a configuration) and finds no room is sent again so often.
        broadcast_max_retries: u32 = 3, in 0..=10;
        /// Before the first of these; doubled for each one after it: 0.1, 0.2, 0.4.
        broadcast_retry_base_delay_sec: f64 = 0.1, in 0.01..=10.0, "seconds";
        /// Deliveries that fail in a row, with none succeeding, before all pause.
        circuit_breaker_threshold: u32 = 10, in 1..=10000;
        /// How long they pause before one is tried: a network that is gone is not back at once.
        circuit_breaker_timeout_sec: f64 = 30.0, in 0.1..=3600.0, "seconds";
    }
}

/// In the range of its key, a duration holds it.
fn secs(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs).unwrap_or_default()
}

/// So does every size here.
fn size(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

impl Config {
    /// As the server wants it.
    pub fn broadcaster(&self) -> BroadcasterConfig {
        let broadcaster = &self.api.websocket.broadcaster;
        BroadcasterConfig {
            compression: CompressionConfig {
                threshold_bytes: size(broadcaster.compression.threshold_bytes),
                level: broadcaster.compression.level,
                ratio_threshold: broadcaster.compression.ratio_threshold,
            },
            frame_queue: FrameQueueConfig {
                enabled: broadcaster.frame_queue.enabled,
                max_size: size(broadcaster.frame_queue.max_size),
            },
            frame_buffer: FrameBufferConfig {
                max_size: size(broadcaster.frame_buffer.max_size),
                max_age: secs(broadcaster.frame_buffer.max_age_seconds),
            },
            fps: FpsConfig {
                default_target_fps: broadcaster.fps.default_target_fps,
                limiter_cleanup_age: secs(broadcaster.fps.limiter_cleanup_age_seconds),
            },
            cleanup: CleanupConfig {
                interval: secs(broadcaster.cleanup.interval_seconds),
            },
        }
    }

    /// As the server wants it.
    pub fn handler(&self) -> HandlerConfig {
        let handler = &self.api.websocket.handler;
        HandlerConfig {
            ping_interval: secs(handler.ping_interval),
            connection_timeout: secs(handler.connection_timeout),
            max_message_rate: size(handler.max_message_rate),
            max_connections: size(handler.max_connections),
            max_connections_per_ip: size(handler.max_connections_per_ip),
            max_message_bytes: size(handler.max_message_bytes),
        }
    }

    /// As the server wants it.
    pub fn integration(&self) -> IntegrationConfig {
        let integration = &self.integration;
        IntegrationConfig {
            target_fps: integration.target_fps,
            max_retries: integration.broadcast_max_retries,
            retry_base_delay: secs(integration.broadcast_retry_base_delay_sec),
            circuit_breaker_threshold: integration.circuit_breaker_threshold,
            circuit_breaker_timeout: secs(integration.circuit_breaker_timeout_sec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_server_has_its_own_defaults() {
        let config = Config::default();
        assert_eq!(config.broadcaster(), BroadcasterConfig::default());
        assert_eq!(config.handler(), HandlerConfig::default());
        assert_eq!(config.integration(), IntegrationConfig::default());
    }
}
