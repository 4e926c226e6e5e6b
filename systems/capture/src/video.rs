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
