//! The command line: what can be asked, and nothing of how it is answered.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::capture::SourceSpec;

/// Sees a billiard table through a camera, predicts where the balls go, and streams both to web clients.
///
/// Without a subcommand: `ghostball run`.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `run`, when no subcommand is given.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The service: watch a table and stream it
    Run(RunArgs),
    /// Play any source through the whole pipeline, every frame, then stop
    Replay(ReplayArgs),
    /// Record a source: the camera's bytes as delivered, and the states
    Record(RecordArgs),
    /// What a recording holds
    Info(RecordingArgs),
    /// Check a recording, and mend it where it is damaged or was cut short
    Doctor(RecordingArgs),
    /// Find table, balls and cue stick in pictures
    Detect(DetectArgs),
    /// Find table, ball size and lens from many frames, and say how exact they are
    Calibrate(CalibrateArgs),
    /// List the cameras that are plugged in: formats, sizes, rates, controls
    Devices(DevicesArgs),
    /// Run the physics alone on reference cases
    Simulate(SimulateArgs),
    /// The configuration: what is in force and where each value came from
    Config(ConfigArgs),
}

const SOURCE_HELP: &str = "Where frames come from: sim, sim?seed=7&game=8ball&size=1280x720&fps=30, /dev/video0, \
    v4l2:/dev/video0?width=1280&height=720&fps=30&format=MJPG, a recording (.mcap), a video, a picture, or a folder of pictures";

/// Options of `run`.
#[derive(Args, Debug, Default)]
pub struct RunArgs {
    #[arg(long, value_name = "SRC", help = SOURCE_HELP)]
    /// Where frames come from; the simulated table when absent.
    pub source: Option<SourceSpec>,
    /// Address and port to serve on [default: as configured, 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
    /// Record it to this file (.mcap); one that is there stays, the new one gets a number
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// What `ghostball calibrate` wrote: the table is known from the first frame on
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Configuration file; see assets/ghostball.toml for every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    #[arg(long, value_name = "SRC", help = SOURCE_HELP)]
    /// Where frames come from.
    pub source: SourceSpec,
    /// The recording (.mcap); one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Stop after this much time, by the stamps of the frames
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// What `ghostball calibrate` wrote: the table is known from the first frame on
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Configuration file; see assets/ghostball.toml for every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `info` and `doctor`.
#[derive(Args, Debug)]
pub struct RecordingArgs {
    /// The recording (.mcap)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of `replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    #[arg(value_name = "SRC", help = SOURCE_HELP)]
    /// Where frames come from.
    pub source: SourceSpec,
    /// Stop after this many frames
    #[arg(long, value_name = "N")]
    pub frames: Option<u64>,
    /// Write one JSON line per frame to this file, or to standard output with `-`
    #[arg(long, value_name = "OUT")]
    pub jsonl: Option<PathBuf>,
    /// `max`, or how many times real time [default: 1.0 with --serve, else max]
    #[arg(long)]
    pub speed: Option<Speed>,
    /// Compare every state with that recorded, byte for byte; exit code 1 where one differs (recordings only)
    #[arg(long, conflicts_with_all = ["calibration", "config", "repeat"])]
    pub check: bool,
    /// Begin again at the end, until stopped
    #[arg(long = "loop")]
    pub repeat: bool,
    /// Serve it to web clients while it plays; at the end, stop when the last one has left
    #[arg(long)]
    pub serve: bool,
    /// Address and port to serve on [default: as configured, 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR", requires = "serve", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
    /// What `ghostball calibrate` wrote: the table is known from the first frame on
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Configuration file; see assets/ghostball.toml for every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `detect`.
#[derive(Args, Debug)]
pub struct DetectArgs {
    /// Pictures (.jpg, .png)
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Find the table in each picture, or in the first only
    #[arg(long, value_enum, default_value_t = TableOf::Each)]
    pub table: TableOf,
    /// Playing surface in metres: with it, every ball also gets its position on the table
    #[arg(long, value_name = "LENGTHxWIDTH")]
    pub table_size: Option<TableSize>,
    /// What `ghostball calibrate` wrote: the table is known from the first frame on
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Configuration file; see assets/ghostball.toml for every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `calibrate`.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    #[arg(long, value_name = "SRC", help = SOURCE_HELP)]
    /// Where frames come from; when absent the first recording of --physics, or else the simulated table.
    pub source: Option<SourceSpec>,
    /// What an earlier `ghostball calibrate` wrote: taken instead of looking for the table
    #[arg(long, value_name = "FILE", requires = "physics", conflicts_with_all = ["source", "corners", "table_size"])]
    pub calibration: Option<PathBuf>,
    /// Write the calibration to this file (TOML); without it, to standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Corners of the cushion noses, set by hand: top left, top right, bottom right, bottom left, pixels
    #[arg(long, value_name = "X,Y,X,Y,X,Y,X,Y", allow_hyphen_values = true)]
    pub corners: Option<Corners>,
    /// Playing surface in metres [default: as configured]
    #[arg(long, value_name = "LENGTHxWIDTH")]
    pub table_size: Option<TableSize>,
    /// Most frames to look at; fewer when they change nothing any more
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub frames: u32,
    /// Fit friction and cushions to the shots of a recording (any source); may be given several times
    #[arg(long, value_name = "RECORDING")]
    pub physics: Vec<SourceSpec>,
    /// Configuration file; see assets/ghostball.toml for every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `config`.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Every value in force, with where it came from
    Show(ConfigFileArgs),
    /// Say what is wrong with the configuration, if anything
    Check(ConfigFileArgs),
    /// Every key with its unit, range, default and reason
    Reference,
    /// The configuration file as JSON schema
    Schema,
}

/// Which configuration.
#[derive(Args, Debug)]
pub struct ConfigFileArgs {
    /// Configuration file [default: ghostball/ghostball.toml in the configuration folder, where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `devices`.
#[derive(Args, Debug)]
pub struct DevicesArgs {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// `ADDRESS:PORT`, or a port of this machine alone.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let port_alone = text.strip_prefix("localhost:").unwrap_or(text);
    port_alone
        .parse::<u16>()
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .or_else(|_| text.parse())
        .map_err(|_| format!("expected an address and port as in 127.0.0.1:8000, or a port, found `{text}`"))
}

/// A time above zero.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
    seconds.ok_or_else(|| format!("expected seconds above 0, found `{text}`"))
}

/// In which pictures the table is looked for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableOf {
    /// In every picture.
    Each,
    /// In the first picture; the others are taken by the same camera.
    Same,
}

/// Options of `simulate`.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// Reference cases (.json or .json.gz)
    #[arg(value_name = "CASES")]
    pub cases: PathBuf,
    /// Write one JSON line per case to this file, or to standard output with `-`
    #[arg(long, value_name = "OUT")]
    pub jsonl: Option<PathBuf>,
}

/// How fast a replay plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as frames can be worked off.
    Max,
    /// This many times real time; positive.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err(format!("expected `max` or a number above 0, found `{text}`")),
        }
    }
}

/// Playing surface between the cushion noses, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableSize {
    /// Along the long axis.
    pub length: f64,
    /// Along the short axis.
    pub width: f64,
}

impl FromStr for TableSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || format!("expected metres as in 2.54x1.27, the longer side first, found `{text}`");
        let (length, width) = text.split_once('x').ok_or_else(expected)?;
        let parse = |side: &str| {
            side.trim()
                .parse::<f64>()
                .ok()
                .filter(|m| (0.3..=10.0).contains(m))
        };
        match (parse(length), parse(width)) {
            (Some(length), Some(width)) if length >= width => Ok(Self { length, width }),
            _ => Err(expected()),
        }
    }
}

/// Corners in a picture, TL TR BR BL, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corners(pub [[f64; 2]; 4]);

impl FromStr for Corners {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Vec<f64> = text
            .split(',')
            .filter_map(|number| number.trim().parse().ok())
            .filter(|number: &f64| number.is_finite())
            .collect();
        match (numbers.as_slice(), text.split(',').count()) {
            (&[a, b, c, d, e, f, g, h], 8) => Ok(Self([[a, b], [c, d], [e, f], [g, h]])),
            _ => Err(format!(
                "expected eight numbers x,y,x,y,x,y,x,y: the corners top left, top right, bottom right, bottom left in \
                 pixels, found `{text}`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_subcommand_the_options_are_those_of_run() {
        let cli = Cli::try_parse_from(["ghostball", "--listen", "127.0.0.1:9000"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.run.listen.unwrap().port(), 9000);
    }

    #[test]
    fn sizes_and_speeds_are_checked() {
        assert_eq!(
            "1.881x0.943".parse(),
            Ok(TableSize {
                length: 1.881,
                width: 0.943
            })
        );
        assert!("1.2x2.4".parse::<TableSize>().is_err());
        assert!("2.54".parse::<TableSize>().is_err());
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!(listen_address("localhost:9000"), listen_address("9000"));
        assert_eq!(listen_address("[::1]:80").map(|address| address.port()), Ok(80));
        assert!(listen_address("127.0.0.1").is_err());
        assert!("0".parse::<Speed>().is_err() && "NaN".parse::<Speed>().is_err());
    }
}
