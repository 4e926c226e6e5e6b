//! Video files through the `ffmpeg` program: any codec, raw planes over a pipe.
//!
//! Every frame comes exactly once and with the stamp that the container gives it (`-fps_mode passthrough`, edit lists
//! honoured). Decoding in this process was tried: openh264 refuses B-frames.

use std::io::{BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ghostball_world::{ColorEncoding, Frame, FramePool};

use crate::nut::{NutError, NutReader};
use crate::probe::{VideoFacts, cannot_start, complaint, file_url, probe};
use crate::{CaptureError, FrameSource, SourceDescription};

/// Headers come through this buffer; pictures go past it, straight into their frame.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// A video file and the ffmpeg that decodes it.
pub(crate) struct VideoSource {
    path: PathBuf,
    pictures: NutReader<BufReader<ChildStdout>>,
    ffmpeg: Ffmpeg,
    color: ColorEncoding,
    description: SourceDescription,
    next_number: u64,
    damaged: u64,
}

impl VideoSource {
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        if !path.exists() {
            return Err(CaptureError::Missing {
                path: path.to_owned(),
            });
        }
        // A pipe or device could keep ffmpeg waiting for ever.
        if !path.is_file() {
            let found = "it is not a regular file".to_owned();
            return Err(CaptureError::Video {
                path: path.to_owned(),
                found,
            });
        }
        let facts = probe(path)?;
        let (mut ffmpeg, stdout) = Ffmpeg::start(path, &facts)?;
        let pictures = match NutReader::open(BufReader::with_capacity(READ_BUFFER_BYTES, stdout)) {
            Ok(pictures) => pictures,
            Err(error) => return Err(ffmpeg.explain(path, &error)),
        };
        let video = pictures.video();
        Ok(Self {
            path: path.to_owned(),
            pictures,
            ffmpeg,
            color: facts.color,
            description: SourceDescription {
                name: path.display().to_string(),
                width: video.width,
                height: video.height,
                frame_rate: facts.frame_rate,
                expected_frames: facts.expected_frames,
                span: None,
                live: false,
            },
            next_number: 0,
            damaged: 0,
        })
    }

    /// After the last picture: was it really the last?
    fn finish(&mut self) -> Result<(), CaptureError> {
        let (status, stderr) = self.ffmpeg.wait();
        let failed = !status.is_some_and(|status| status.success());
        let video_error = |found| CaptureError::Video {
            path: self.path.clone(),
            found,
        };
        if failed || self.next_number == 0 {
            return Err(video_error(complaint(&self.path, &stderr)));
        }
        if !stderr.trim().is_empty() {
            self.damaged += 1;
            let found = complaint(&self.path, &stderr);
            tracing::error!("{}: the video is damaged: {found}", self.path.display());
        }
        Ok(())
    }
}

impl FrameSource for VideoSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        let header = match self.pictures.next_frame() {
            Ok(Some(header)) => header,
            Ok(None) => return self.finish().map(|()| None),
            Err(error) => return Err(self.ffmpeg.explain(&self.path, &error)),
        };
        let video = self.pictures.video();
        let number = self.next_number;
        let filled = pool.fill(|frame| -> Result<(), NutError> {
            let bytes = frame
                .picture
                .reshape(video.format, video.width, video.height, self.color)
                .map_err(|_| NutError::Damaged("a picture of the wrong size"))?;
            self.pictures.read_bytes(header, bytes)?;
            frame.sequence = number;
            frame.captured_at = header.captured_at;
            frame.jpeg.clear();
            Ok(())
        });
        self.next_number += 1;
        filled
            .map(Some)
            .map_err(|error| self.ffmpeg.explain(&self.path, &error))
    }

    fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// The child process. Dropping it ends it and waits for its end.
struct Ffmpeg {
    child: Child,
    /// Collects what it complains of; a full pipe would stop it.
    stderr: Option<JoinHandle<String>>,
}

impl Ffmpeg {
    fn start(path: &Path, facts: &VideoFacts) -> Result<(Self, ChildStdout), CaptureError> {
        let mut child = Command::new("ffmpeg")
            .args([
                "-nostdin",
                "-hide_banner",
                "-v",
                "error",
                "-protocol_whitelist",
                "file",
                "-i",
            ])
            .arg(file_url(path))
            .args([
                "-map",
                "0:V:0",
                "-fps_mode",
                "passthrough",
                "-enc_time_base",
                &facts.time_base,
            ])
            .args([
                "-c:v",
                "rawvideo",
                "-pix_fmt",
                facts.pixel_format,
                "-f",
                "nut",
                "pipe:1",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for us; ffmpeg ends when we let go of it.
            .process_group(0)
            .spawn()
            .map_err(|cause| cannot_start(path, "ffmpeg", cause))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut ffmpeg = Self { child, stderr: None };
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            let cause = "ffmpeg has no pipes".to_owned();
            return Err(CaptureError::Thread { cause });
        };
        let collector = thread::Builder::new()
            .name("ffmpeg-stderr".to_owned())
            .spawn(move || collect(stderr))
            .map_err(|e| CaptureError::Thread { cause: e.to_string() })?;
        ffmpeg.stderr = Some(collector);
        Ok((ffmpeg, stdout))
    }

    /// Waits for its end; how it ended and what it complained of.
    fn wait(&mut self) -> (Option<ExitStatus>, String) {
        let status = self.child.wait().ok();
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok());
        (status, stderr.unwrap_or_default())
    }

    /// Why there are no more pictures: what ffmpeg says, or else what was wrong with what it sent.
    fn explain(&mut self, path: &Path, error: &NutError) -> CaptureError {
        self.kill();
        let (_, stderr) = self.wait();
        let found = if stderr.trim().is_empty() {
            error.to_string()
        } else {
            complaint(path, &stderr)
        };
        CaptureError::Video {
            path: path.to_owned(),
            found,
        }
    }

    /// Asks the system to end it; it may have ended by itself.
    fn kill(&mut self) {
        if let Err(error) = self.child.kill() {
            tracing::debug!("ffmpeg had ended before: {error}");
        }
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        self.kill();
        self.wait();
    }
}

/// Reads to the end and keeps the first 8 KiB: what went wrong first explains the rest.
fn collect(mut stderr: ChildStderr) -> String {
    const KEPT_BYTES: usize = 8 * 1024;
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        let room = KEPT_BYTES - kept.len();
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ghostball_world::{ColorMatrix, ColorRange, PixelFormat};
    use tempfile::TempDir;

    use super::*;

    /// Makes `name` with ffmpeg in a folder of its own; `None`, and a word about it, where ffmpeg is missing.
    fn make(name: &str, arguments: &str) -> Option<(TempDir, PathBuf)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i"])
            .args(arguments.split(' '))
            .arg(file_url(&path))
            .status();
        match made {
            Ok(status) if status.success() => Some((folder, path)),
            Ok(status) => panic!("ffmpeg {arguments}: {status}"),
            Err(error) => {
                println!("skipped: ffmpeg is not installed ({error})");
                None
            }
        }
    }

    fn take_all(source: &mut VideoSource) -> Result<Vec<Arc<Frame>>, CaptureError> {
        let mut frames = Vec::new();
        // A pool for each: the test holds all frames.
        while let Some(frame) = source.next_frame(&mut FramePool::default())? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn error(path: &Path) -> String {
        let error = VideoSource::open(path)
            .and_then(|mut source| take_all(&mut source))
            .unwrap_err();
        error.to_string().replace(&path.display().to_string(), "FILE")
    }

    #[test]
    fn every_frame_comes_once_with_its_own_stamp_and_pixels() {
        // Frames 0, 3, 5, 6, 9, 10 ... of 30 a second, with B-frames and an edit list; odd sizes on purpose.
        let Some((folder, path)) = make(
            "a: %d.mp4",
            "testsrc2=size=66x50:rate=30:duration=2 -vf select=not(mod(n\\,3))+not(mod(n\\,5)) \
             -fps_mode passthrough -c:v mpeg4 -bf 2 -q:v 2 -pix_fmt yuv420p",
        ) else {
            return;
        };
        let mut source = VideoSource::open(&path).unwrap();
        assert_eq!(
            (source.description().width, source.description().height),
            (66, 50)
        );
        let frames = take_all(&mut source).unwrap();
        assert_eq!(source.damaged(), 0);
        let wanted: Vec<u64> = (0..60).filter(|n| n % 3 == 0 || n % 5 == 0).collect();
        let stamps: Vec<u64> = frames.iter().map(|frame| frame.captured_at.nanos).collect();
        assert_eq!(
            stamps,
            wanted.iter().map(|n| n * 1_000_000_000 / 30).collect::<Vec<_>>()
        );
        assert!(
            frames
                .iter()
                .enumerate()
                .all(|(n, frame)| frame.sequence == n as u64)
        );
        let raw = folder.path().join("raw");
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(file_url(&path))
            .args(["-fps_mode", "passthrough", "-f", "rawvideo"])
            .arg(&raw)
            .status();
        assert!(status.unwrap().success());
        let ours: Vec<u8> = frames
            .iter()
            .flat_map(|frame| frame.picture.bytes().to_vec())
            .collect();
        assert!(ours == fs::read(raw).unwrap());
    }

    #[test]
    fn layout_and_colours_stay_as_they_are() {
        let cases = [
            (
                "a.y4m",
                "-pix_fmt gray",
                PixelFormat::Grey,
                ColorRange::Full,
                ColorMatrix::Bt601,
            ),
            (
                "a.mjpeg",
                "-pix_fmt yuvj422p -c:v mjpeg",
                PixelFormat::Yuv420,
                ColorRange::Full,
                ColorMatrix::Bt601,
            ),
            (
                "a.avi",
                "-pix_fmt nv12 -c:v rawvideo",
                PixelFormat::Nv12,
                ColorRange::Limited,
                ColorMatrix::Bt601,
            ),
            (
                "a.mkv",
                "-pix_fmt bgr0 -c:v ffv1",
                PixelFormat::Yuv420,
                ColorRange::Limited,
                ColorMatrix::Bt601,
            ),
        ];
        for (name, arguments, format, range, matrix) in cases {
            let source = format!("color=green:size=16x16:rate=25:duration=0.2 {arguments}");
            let Some((_folder, path)) = make(name, &source) else {
                return;
            };
            let frames = take_all(&mut VideoSource::open(&path).unwrap()).unwrap();
            assert_eq!(frames.len(), 5, "{name}");
            let picture = &frames[4].picture;
            assert_eq!(
                (picture.format(), picture.color()),
                (format, ColorEncoding { range, matrix }),
                "{name}"
            );
            let [r, g, b] = picture.rgb_at(8, 8);
            // ffmpeg's green is (0, 128, 0).
            let close = r < 6 && b < 6 && g.abs_diff(128) < 6;
            assert!(close || format == PixelFormat::Grey, "{name}: {r} {g} {b}");
        }
    }

    #[test]
    fn what_is_no_video_is_one_line() {
        let Some((_folder, audio)) = make("a.mp4", "sine=duration=0.2 -c:a aac") else {
            return;
        };
        let expected = "expected a video that ffmpeg can decode";
        assert_eq!(error(&audio), format!("FILE: it has no video stream; {expected}"));
        fs::write(&audio, "this is no video").unwrap();
        let text = error(&audio);
        assert!(
            text.starts_with("FILE: ") && text.ends_with(expected) && !text.contains('\n'),
            "{text}"
        );
        let folder = error(audio.parent().unwrap());
        assert_eq!(folder, format!("FILE: it is not a regular file; {expected}"));
        let missing = error(Path::new("/no/such.mp4"));
        assert_eq!(missing, "FILE: there is no such file or folder; check the path");
    }

    #[test]
    fn a_cut_off_video_is_an_error_or_counted_as_damaged() {
        let source = "testsrc2=size=160x120:rate=25:duration=2 -c:v mpeg4 -q:v 2";
        let Some((_folder, path)) = make("a.mp4", source) else {
            return;
        };
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(error(&path).contains("moov atom not found"), "{}", error(&path));

        let Some((_folder, path)) = make("a.mp4", &format!("{source} -movflags +faststart")) else {
            return;
        };
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let mut source = VideoSource::open(&path).unwrap();
        let frames = take_all(&mut source).unwrap();
        assert!((1..50).contains(&frames.len()), "{}", frames.len());
        assert_eq!(source.damaged(), 1);
    }

    #[test]
    fn nothing_is_left_of_ffmpeg_when_the_source_is_dropped() {
        // Far more than fits the pipe: ffmpeg is waiting for us.
        let Some((_folder, path)) = make("a.y4m", "testsrc2=size=320x240:rate=25:duration=4") else {
            return;
        };
        let source = VideoSource::open(&path).unwrap();
        let process = PathBuf::from(format!("/proc/{}", source.ffmpeg.child.id()));
        assert!(process.exists());
        drop(source);
        assert!(!process.exists());
    }
}
