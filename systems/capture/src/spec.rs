//! How a source is named: the `SRC` of the command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ghostball_simulation::SimulationOptions;

use v4l::FourCC;

use crate::{CameraConfig, CaptureError};

/// A source by name. Parsing one looks at the file system only to tell a folder from a file.
///
/// `sim` and `sim?seed=7&game=8ball&size=1280x720&fps=30` · `/dev/video0` and
/// `v4l2:/dev/video0?width=1280&height=720&fps=30&format=MJPG` · a file (`.mcap .mp4 .avi .mkv .mjpeg .y4m .jpg .jpeg .png`) ·
/// a folder of images.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// The simulated table.
    Simulation(SimulationOptions),
    /// A V4L2 device.
    Camera(CameraSpec),
    /// A recording of ghostball's own, or one with JPEGs by another program.
    Recording(PathBuf),
    /// A video file of any codec that ffmpeg knows.
    Video(PathBuf),
    /// One image.
    Image(PathBuf),
    /// The images of a folder, in the order of their names (`2.png` before `10.png`).
    Folder(PathBuf),
}

/// What is asked of a camera. A size or format that is given is insisted on; of the rest the camera has its choice of what
/// comes at the rate that is asked for and costs least to read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraSpec {
    /// The device node, such as `/dev/video0`.
    pub device: PathBuf,
    /// Pixels per row.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Frames per second.
    pub fps: Option<u32>,
    /// How frames are delivered.
    pub format: Option<CameraFormat>,
    /// What is configured of cameras; no part of the name.
    pub config: CameraConfig,
    /// For those who want the camera's own bytes and nothing else: its JPEGs are not decoded, and their frames have no
    /// picture. No part of the name.
    pub bytes_alone: bool,
}

/// The ways a camera can deliver frames that are understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CameraFormat {
    /// One JPEG per frame.
    Mjpg,
    /// Packed 4:2:2.
    Yuyv,
    /// Luma plane and interleaved chroma plane, 4:2:0.
    Nv12,
    /// Packed red, green and blue.
    Rgb3,
    /// Luma alone.
    Grey,
}

impl CameraFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mjpg, Self::Yuyv, Self::Nv12, Self::Rgb3, Self::Grey];

    /// The four-character code that drivers use.
    pub const fn fourcc(self) -> &'static str {
        match self {
            Self::Mjpg => "MJPG",
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Rgb3 => "RGB3",
            Self::Grey => "GREY",
        }
    }

    /// The code as drivers take it.
    pub(crate) fn code(self) -> FourCC {
        let mut code = [b' '; 4];
        code.copy_from_slice(self.fourcc().as_bytes());
        FourCC { repr: code }
    }

    /// The format with this code, in capitals or not.
    pub(crate) fn named(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.fourcc().eq_ignore_ascii_case(code))
    }

    /// The format with this code of a driver.
    pub(crate) fn of(code: FourCC) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }

    /// Order of what it costs to make planes of a frame. Grey comes last: without colours balls have no numbers.
    pub(crate) const fn cost(self) -> u8 {
        match self {
            Self::Nv12 => 0,
            Self::Yuyv => 1,
            Self::Rgb3 => 2,
            Self::Mjpg => 3,
            Self::Grey => 4,
        }
    }
}

/// Largest width and height that may be asked for, in pixels: as [`crate::MAX_IMAGE_SIDE`].
const MAX_SIDE: u32 = crate::MAX_IMAGE_SIDE;
const CAMERA_KEYS: &str = "width, height, fps, format";
const SIMULATION_KEYS: &str = "seed, game, size, fps";

impl FromStr for SourceSpec {
    type Err = CaptureError;

    fn from_str(name: &str) -> Result<Self, CaptureError> {
        let (base, query) = match name.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (name, None),
        };
        let options = Options { name, query };
        if base == "sim" {
            return options.simulation().map(Self::Simulation);
        }
        if let Some(device) = base.strip_prefix("v4l2:") {
            return options.camera(device).map(Self::Camera);
        }
        if base.starts_with("/dev/") {
            return options.camera(base).map(Self::Camera);
        }
        // A question mark may be part of a file's name.
        Self::from_path(name, Path::new(name))
    }
}

impl SourceSpec {
    /// The same source, its camera, if it is one, set up as configured.
    pub fn configured(mut self, config: &CameraConfig) -> Self {
        if let Self::Camera(camera) = &mut self {
            camera.config = config.clone();
        }
        self
    }

    fn from_path(name: &str, path: &Path) -> Result<Self, CaptureError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        match extension.as_str() {
            "mp4" | "avi" | "mkv" | "mjpeg" | "y4m" => Ok(Self::Video(path.to_owned())),
            "jpg" | "jpeg" | "png" => Ok(Self::Image(path.to_owned())),
            "mcap" => Ok(Self::Recording(path.to_owned())),
            _ => {
                let found = match (path.exists(), extension.as_str()) {
                    (_, _) if name.is_empty() => "the name is empty".to_owned(),
                    (true, "") => "a file without extension".to_owned(),
                    (true, e) => format!("a file ending in .{e}"),
                    (false, _) => "there is no such file, folder or kind of source".to_owned(),
                };
                Err(CaptureError::UnknownSource {
                    name: name.to_owned(),
                    found,
                })
            }
        }
    }
}

/// The part of a name after the question mark.
struct Options<'a> {
    name: &'a str,
    query: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn simulation(&self) -> Result<SimulationOptions, CaptureError> {
        let mut options = SimulationOptions::default();
        for (key, value) in self.pairs() {
            match key {
                "seed" => options.seed = self.number(key, value, 0, u64::MAX)?,
                "game" => {
                    let games = "8ball, 9ball, snooker or carom";
                    options.game = value.parse().map_err(|_| self.bad(key, value, games))?;
                }
                "size" => (options.width, options.height) = self.size(key, value)?,
                "fps" => {
                    let rate = value
                        .parse()
                        .map_err(|_| self.bad(key, value, "a number from 1 to 240"));
                    options.fps = rate?;
                }
                _ => return Err(self.unknown(key, SIMULATION_KEYS)),
            }
        }
        options.check().map_err(|cause| CaptureError::SimulationOptions {
            name: self.name.to_owned(),
            cause,
        })?;
        Ok(options)
    }

    fn camera(&self, device: &str) -> Result<CameraSpec, CaptureError> {
        if device.is_empty() {
            return Err(self.bad("device", device, "a device such as v4l2:/dev/video0"));
        }
        let mut camera = CameraSpec {
            device: device.into(),
            ..CameraSpec::default()
        };
        for (key, value) in self.pairs() {
            match key {
                "width" => camera.width = Some(self.number(key, value, 1, MAX_SIDE.into())? as u32),
                "height" => camera.height = Some(self.number(key, value, 1, MAX_SIDE.into())? as u32),
                "fps" => camera.fps = Some(self.number(key, value, 1, 1000)? as u32),
                "format" => {
                    let expected = "MJPG, YUYV, NV12, RGB3 or GREY";
                    let format = CameraFormat::named(value);
                    camera.format = Some(format.ok_or_else(|| self.bad(key, value, expected))?);
                }
                _ => return Err(self.unknown(key, CAMERA_KEYS)),
            }
        }
        if camera.width.is_some() != camera.height.is_some() {
            let (given, other) = if camera.width.is_some() {
                ("width", "height")
            } else {
                ("height", "width")
            };
            return Err(self.bad(other, "missing", &format!("a number, because {given} is given")));
        }
        Ok(camera)
    }

    /// Keys with their values; a key without `=` has an empty value.
    fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    fn number(&self, key: &str, value: &str, min: u64, max: u64) -> Result<u64, CaptureError> {
        let number = value.parse().ok().filter(|n| (min..=max).contains(n));
        number.ok_or_else(|| self.bad(key, value, &format!("a whole number from {min} to {max}")))
    }

    fn size(&self, key: &str, value: &str) -> Result<(u32, u32), CaptureError> {
        value
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)))
            .ok_or_else(|| self.bad(key, value, "a size such as 1280x720"))
    }

    fn bad(&self, key: &str, found: &str, expected: &str) -> CaptureError {
        CaptureError::BadValue {
            name: self.name.to_owned(),
            key: key.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn unknown(&self, key: &str, known: &'static str) -> CaptureError {
        CaptureError::UnknownKey {
            name: self.name.to_owned(),
            key: key.to_owned(),
            known,
        }
    }
}

impl fmt::Display for SourceSpec {
    /// For people: the file, the device, the simulated table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulation(_) => write!(f, "sim"),
            Self::Camera(camera) => write!(f, "{}", camera.device.display()),
            Self::Recording(path) | Self::Video(path) | Self::Image(path) | Self::Folder(path) => {
                write!(f, "{}", path.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ghostball_simulation::Game;

    use super::*;

    fn error(name: &str) -> String {
        name.parse::<SourceSpec>().unwrap_err().to_string()
    }

    #[test]
    fn the_simulated_table_takes_options() {
        assert_eq!(
            "sim".parse::<SourceSpec>().unwrap(),
            SourceSpec::Simulation(SimulationOptions::default())
        );
        let options = SimulationOptions {
            seed: 7,
            game: Game::Snooker,
            width: 640,
            height: 360,
            fps: 29.97,
            ..SimulationOptions::default()
        };
        let spec = "sim?seed=7&game=snooker&size=640x360&fps=29.97"
            .parse::<SourceSpec>()
            .unwrap();
        assert_eq!(spec, SourceSpec::Simulation(options));
    }

    #[test]
    fn a_camera_is_named_by_its_device() {
        let plain = CameraSpec {
            device: "/dev/video0".into(),
            ..CameraSpec::default()
        };
        for name in ["/dev/video0", "v4l2:/dev/video0", "/dev/video0?"] {
            assert_eq!(
                name.parse::<SourceSpec>().unwrap(),
                SourceSpec::Camera(plain.clone())
            );
        }
        let spec = "v4l2:/dev/video2?width=1280&height=720&fps=30&format=mjpg".parse::<SourceSpec>();
        let camera = CameraSpec {
            device: "/dev/video2".into(),
            width: Some(1280),
            height: Some(720),
            fps: Some(30),
            format: Some(CameraFormat::Mjpg),
            ..CameraSpec::default()
        };
        assert_eq!(spec.unwrap(), SourceSpec::Camera(camera));
    }

    #[test]
    fn files_are_told_by_their_extension_and_folders_by_being_one() {
        let folder = tempfile::tempdir().unwrap();
        let parse = |name: &str| name.parse::<SourceSpec>().unwrap();
        assert_eq!(
            parse(folder.path().to_str().unwrap()),
            SourceSpec::Folder(folder.path().into())
        );
        for name in ["a.mp4", "b/c.AVI", "d.mkv", "e.mjpeg", "f.y4m", "what?.mp4"] {
            assert_eq!(parse(name), SourceSpec::Video(name.into()));
        }
        assert_eq!(parse("a.mcap"), SourceSpec::Recording("a.mcap".into()));
        for name in ["a.jpg", "b.JPEG", "c.png"] {
            assert_eq!(parse(name), SourceSpec::Image(name.into()));
        }
    }

    #[test]
    fn every_mistake_is_named_with_what_was_expected() {
        let texts = [
            (
                "sim?sead=7",
                "source 'sim?sead=7': unknown option 'sead'; expected one of seed, game, size, fps",
            ),
            (
                "sim?seed=-1",
                "source 'sim?seed=-1': seed is '-1'; expected a whole number from 0 to 18446744073709551615",
            ),
            (
                "sim?game=darts",
                "source 'sim?game=darts': game is 'darts'; expected 8ball, 9ball, snooker or carom",
            ),
            (
                "sim?size=720p",
                "source 'sim?size=720p': size is '720p'; expected a size such as 1280x720",
            ),
            (
                "sim?size=0x720",
                "source 'sim?size=0x720': a simulated picture of 0x720 is not possible: \
                 expected an even width of 160 to 3840 and an even height of 90 to 2160",
            ),
            (
                "sim?fps=nan",
                "source 'sim?fps=nan': NaN frames a second are not possible: expected 1 to 240",
            ),
            (
                "sim?fps",
                "source 'sim?fps': fps is ''; expected a number from 1 to 240",
            ),
            (
                "/dev/video0?widht=3",
                "source '/dev/video0?widht=3': unknown option 'widht'; expected one of width, height, fps, format",
            ),
            (
                "v4l2:/dev/video0?format=H264",
                "source 'v4l2:/dev/video0?format=H264': format is 'H264'; expected MJPG, YUYV, NV12, RGB3 or GREY",
            ),
            (
                "/dev/video0?width=1280",
                "source '/dev/video0?width=1280': height is 'missing'; expected a number, because width is given",
            ),
            (
                "/dev/video0?fps=0",
                "source '/dev/video0?fps=0': fps is '0'; expected a whole number from 1 to 1000",
            ),
            (
                "v4l2:",
                "source 'v4l2:': device is ''; expected a device such as v4l2:/dev/video0",
            ),
            (
                "no/such.gif",
                "source 'no/such.gif': there is no such file, folder or kind of source; expected 'sim', \
                 a camera (/dev/video0), a recording (.mcap), a video (.mp4 .avi .mkv .mjpeg .y4m), an image (.jpg .png) \
                 or a folder of images",
            ),
            (
                "",
                "source '': the name is empty; expected 'sim', a camera (/dev/video0), \
                 a recording (.mcap), a video (.mp4 .avi .mkv .mjpeg .y4m), an image (.jpg .png) or a folder of images",
            ),
        ];
        for (name, text) in texts {
            assert_eq!(error(name), text);
        }
    }

    #[test]
    fn a_file_of_another_kind_is_called_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "hello").unwrap();
        assert!(error(path.to_str().unwrap()).contains("': a file ending in .txt; expected 'sim'"));
    }

    #[test]
    fn wrong_names_are_wrong_usage_and_missing_files_are_not() {
        let usage = |name: &str| name.parse::<SourceSpec>().unwrap_err().is_wrong_usage();
        assert!(usage("sim?sead=7") && usage("sim?fps=0") && usage("x.gif"));
        let missing = crate::open(&SourceSpec::Image("no/such.jpg".into()))
            .err()
            .unwrap();
        assert_eq!(
            missing.to_string(),
            "no/such.jpg: there is no such file or folder; check the path"
        );
        assert!(!missing.is_wrong_usage());
    }
}
