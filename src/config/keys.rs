//! Every key that can be configured, with its default. The reference `assets/ghostball.toml` is written from this file.
//!
//! To add a key: a line in its section. To add a section: a `section!` here (or where its values are used) and a line in
//! [`Config`] or in the section that holds it; then `ghostball config reference > assets/ghostball.toml`.
#![allow(
    rustdoc::bare_urls,
    reason = "the words stand in ghostball.toml too, where a link would be noise"
)]

use std::net::IpAddr;
use std::time::Duration;

use super::delivery::{Integration, WebSocket};
use super::error::Problem;
use crate::broadcast::Origin;
use crate::broadcast::encode_jpeg;
use crate::calibration_file::CalibrationFile;
use crate::capture::{CameraConfig, CameraControls, ControlSetting, PowerLine};
use crate::recording::{JpegEncoder, QueuePolicy, RecordingSettings};
use crate::world::{BallSet, TableSpecification};
use crate::{section, sections};

sections! {
    /// Everything that can be configured.
    pub struct Config {
        /// The service.
        api: Api,
        /// Who may use the service.
        auth: Auth,
        /// Cameras.
        camera: Camera,
        /// What goes out, and what happens when it does not.
        integration: Integration,
        /// Recordings.
        recording: Recordings,
        /// The table under the camera.
        table: Table,
        /// Predicted paths.
        trajectory: Trajectory,
        ;
        /// What `--calibration` names; no key of the file.
        calibration: Option<CalibrationFile>,
    }
}

sections! {
    /// The service.
    pub struct Api {
        /// Where it listens.
        server: Server,
        /// WebSockets.
        websocket: WebSocket,
        /// The same messages by UDP.
        udp: Udp,
    }
}

section! {
    /// Where the service listens.
    pub struct Server {
        /// Address to listen on. 127.0.0.1 is reached by this machine alone, which needs no token; 0.0.0.0 and :: are all
        /// addresses of this machine.
        host: IpAddr = IpAddr::from([127, 0, 0, 1]);
        /// TCP port; 0 takes any free one. 8000 is where clients of billiards-trainer look.
        port: u16 = 8000, in 0..=65535;
        /// Origins of pages from elsewhere that may do what the page of this server may, as in
        /// ["https://club.example.org"]; also the names that this server goes by behind a proxy. None: no page on another
        /// server has any business here.
        allowed_origins: Vec<String> = Vec::new();
    }
}

section! {
    /// The same messages by UDP, to one address, as projector programs of billiards-trainer listen: a datagram of JSON for
    /// each of state, trajectory, events, motion, alert and config.
    pub struct Udp {
        /// Whether they are sent. Not by default: few programs listen, and nobody is asked for a token.
        enabled: bool = false;
        /// Address to send to. 127.0.0.1: projector programs run beside this one.
        host: IpAddr = IpAddr::from([127, 0, 0, 1]);
        /// UDP port to send to. 5005 is where projector programs of billiards-trainer listen.
        port: u16 = 5005, in 1..=65535;
    }
}

section! {
    /// Who may use the service, where it listens on an address that others can reach.
    pub struct Auth {
        /// Whether reading (state, video, configuration, streams) needs no token; whatever changes something needs it all
        /// the same. Not by default: a camera looks into a room.
        open_read: bool = false;
    }
}

section! {
    /// Cameras. Controls are set whenever the camera is opened, also when it is back after it was unplugged: "unchanged"
    /// leaves them as the camera has them, "auto" lets it choose. A camera that lacks one says so in the log.
    pub struct Camera {
        /// A camera that is silent for this long is taken to be frozen and started anew. 1 s is twice the longest
        /// exposure that webcams take in the dark.
        frozen_after: f64 = 1.0, in 0.2..=60.0, "seconds";
        /// Whether exposure, gain and white balance are kept as they are while balls are seen on a table: a player who
        /// leans over it makes an automatic exposure change every colour. Off: a lamp that is switched during play would
        /// not be followed.
        hold_exposure_during_play: bool = false;
        /// Time of exposure. A ball of 5 m/s is blurred by 50 mm in 0.01 s.
        exposure: ControlSetting = ControlSetting::Unchanged, in 0.0001..=1.0, "seconds";
        /// Amplification, in the camera's own unit; `ghostball devices` tells its range.
        gain: ControlSetting = ControlSetting::Unchanged, in 0..=65535;
        /// Colour temperature that is shown as white.
        white_balance: ControlSetting = ControlSetting::Unchanged, in 1000..=15000, "kelvin";
        /// Distance of focus, in the camera's own unit; 0 is mostly infinity.
        focus: ControlSetting = ControlSetting::Unchanged, in 0..=65535;
        /// What lamps flicker with: twice the mains' frequency.
        power_line: PowerLine = PowerLine::Unchanged;
    }
}

impl Camera {
    /// As capture wants it.
    pub fn config(&self) -> CameraConfig {
        CameraConfig {
            // In its range, a duration holds it.
            frozen_after: Duration::try_from_secs_f64(self.frozen_after).unwrap_or_default(),
            controls: CameraControls {
                exposure: self.exposure,
                gain: self.gain,
                white_balance: self.white_balance,
                focus: self.focus,
                power_line: self.power_line,
            },
        }
    }
}

section! {
    /// Recordings.
    pub struct Recordings {
        /// Time between two keyframes, from each of which a replay can begin. 10 s: a place in between is found within a
        /// second or two, and a keyframe, 70 to 200 kB, is a few thousandths of what cameras deliver in that time.
        keyframe_seconds: f64 = 10.0, in 0.1..=3600.0, "seconds";
        /// Cameras that give no JPEGs are recorded as JPEGs of this quality; 0: without loss, from which alone a replay gives the
        /// recorded states byte for byte, in 2.3 times as many bytes as at 95.
        jpeg_quality: u32 = 0, in 70..=100 or 0;
        /// Folder of the recordings that clients start or save, and of what is kept for them. "": the folder `recordings`
        /// in the state folder (~/.local/state/ghostball).
        folder: String = String::new();
        /// How much is kept of what was seen last, to be saved when somebody asks for it after something has happened; 0:
        /// nothing, for it is written to the disk all the time: 4 MB a second at 1280x720 and 30 frames a second.
        ring_seconds: f64 = 0.0, in 1.0..=86400.0 or 0.0, "seconds";
        /// Most that it may take on the disk; the oldest goes. 4000 are a quarter of an hour of such a camera.
        ring_megabytes: u32 = 4000, in 10..=1000000, "megabytes";
    }
}

impl Recordings {
    /// As the recorder wants it.
    pub fn settings(&self, policy: QueuePolicy) -> RecordingSettings {
        RecordingSettings {
            policy,
            // In its range, a duration holds it.
            keyframe_interval: Duration::try_from_secs_f64(self.keyframe_seconds).unwrap_or_default(),
            jpeg: (self.jpeg_quality > 0).then(|| JpegEncoder {
                quality: u8::try_from(self.jpeg_quality).unwrap_or(100),
                encode: encode_jpeg,
            }),
        }
    }
}

section! {
    /// The table under the camera.
    pub struct Table {
        /// Playing surface between the cushion noses along the long axis. 2.54 is the nine-foot pool table of
        /// tournaments (WPA).
        length: f64 = TableSpecification::default().length, in 0.3..=10.0, "metres";
        /// Playing surface along the short axis, no more than the length. Half the length on every pool and snooker
        /// table.
        width: f64 = TableSpecification::default().width, in 0.3..=10.0, "metres";
        /// Radius of a ball; 0: measured from its size in the picture, which suits every set of balls; a number that you
        /// know is more exact.
        ball_radius: f64 = 0.0, in 0.01..=0.1 or 0.0, "metres";
        /// Height of the cushion noses above the cloth; 0: as the rules have it, 63.5 % of the diameter of the balls that
        /// the table is made for: 0.0363 on a pool table, 0.0333 on a snooker table. The camera sees the table's border
        /// up there and the balls below it: 3 mm too much or too little move a ball a metre from the middle by 1 to 2 mm.
        nose_height: f64 = 0.0, in 0.02..=0.06 or 0.0, "metres";
        /// The balls in play: recognised ("auto"), or known; "tv_pool" has a pink 4 and a brown 7. Recognised: the set
        /// on the table may change from game to game.
        ball_set: BallSet = BallSet::Auto;
    }
}

section! {
    /// Predicted paths.
    pub struct Trajectory {
        /// How fast an aimed cue stick is assumed to strike. 2 m/s is an ordinary positional shot: the cue ball runs
        /// about two table lengths.
        assumed_stick_speed: f64 = 2.0, in 0.1..=15.0, "metres per second", applies AtOnce;
    }
}

impl Config {
    /// What is wrong with values that are right each by itself.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let table = &self.table;
        if table.width > table.length {
            let expected = format!("at most table.length, {} metres", table.length);
            problems.push(Problem::contradiction("table.width", expected, table.width));
        }
        for origin in &self.api.server.allowed_origins {
            if let Err(error) = Origin::new(origin) {
                let expected = "origins of pages, as in https://club.example.org:8443".to_owned();
                problems.push(Problem::contradiction(
                    "api.server.allowed_origins",
                    expected,
                    error.found,
                ));
            }
        }
        problems
    }
}

impl Table {
    /// As the systems want it.
    pub fn specification(&self) -> TableSpecification {
        TableSpecification {
            length: self.length,
            width: self.width,
            ball_radius: (self.ball_radius > 0.0).then_some(self.ball_radius),
            nose_height: (self.nose_height > 0.0).then_some(self.nose_height),
            ball_set: self.ball_set,
        }
    }
}
