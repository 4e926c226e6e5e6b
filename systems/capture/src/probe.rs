//! What ffprobe tells of a video.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use ghostball_world::{ColorEncoding, ColorMatrix, ColorRange};

use crate::CaptureError;

/// Facts of the first video stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VideoFacts {
    /// Layout to ask ffmpeg for: the video's own where it is understood, else planes of YUV 4:2:0.
    pub(crate) pixel_format: &'static str,
    /// What the numbers mean in that layout.
    pub(crate) color: ColorEncoding,
    /// Unit of the stamps in the file, seconds, as `1:30000`.
    pub(crate) time_base: String,
    /// Mean frames per second.
    pub(crate) frame_rate: f64,
    /// From the length of the video; an estimate.
    pub(crate) expected_frames: Option<u64>,
}

/// How a file is named to ffmpeg and ffprobe: never as a protocol or an option.
pub(crate) fn file_url(path: &Path) -> std::ffi::OsString {
    let mut url = std::ffi::OsString::from("file:");
    url.push(path);
    url
}

/// Asks ffprobe.
pub(crate) fn probe(path: &Path) -> Result<VideoFacts, CaptureError> {
    let entries = "stream=pix_fmt,height,color_range,color_space,time_base,avg_frame_rate,r_frame_rate,\
                   duration,nb_frames:format=duration";
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-protocol_whitelist",
            "file",
            "-select_streams",
            "V:0",
        ])
        .args(["-show_entries", entries, "-of", "flat=sep_char=_:hierarchical=0"])
        .arg(file_url(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| cannot_start(path, "ffprobe", cause))?;
    let video_error = |found| CaptureError::Video {
        path: path.to_owned(),
        found,
    };
    if !output.status.success() {
        return Err(video_error(complaint(
            path,
            &String::from_utf8_lossy(&output.stderr),
        )));
    }
    let facts = String::from_utf8_lossy(&output.stdout);
    parse(&facts).ok_or_else(|| video_error("it has no video stream".to_owned()))
}

/// The program is missing, or the system refuses.
pub(crate) fn cannot_start(path: &Path, program: &'static str, cause: io::Error) -> CaptureError {
    let path = path.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound => CaptureError::FfmpegMissing { path, program },
        _ => CaptureError::Io {
            path,
            action: "start ffmpeg",
            cause,
        },
    }
}

/// One line from what ffmpeg wrote: the last, which sums up, and the first, which says why.
pub(crate) fn complaint(path: &Path, stderr: &str) -> String {
    if stderr.contains("Unrecognized option 'fps_mode'") {
        return "this ffmpeg is too old; version 5.1 or newer is needed".to_owned();
    }
    let path = path.display().to_string();
    let clean = |line: &str| {
        let line = line.trim();
        // "[mov,mp4 @ 0x5581c0] moov atom not found"
        let line = match line.split_once("] ") {
            Some((tag, rest)) if tag.starts_with('[') => rest.trim_start(),
            _ => line,
        };
        let line = line.strip_prefix("file:").unwrap_or(line);
        line.strip_prefix(&path)
            .unwrap_or(line)
            .trim_start_matches(": ")
            .to_owned()
    };
    let mut lines = stderr.lines().map(clean).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return "ffmpeg gave up without a word".to_owned();
    };
    match lines.next_back() {
        Some(last) if last != first => format!("{last} ({first})"),
        _ => first,
    }
}

fn parse(flat: &str) -> Option<VideoFacts> {
    let value = |key: &str| {
        flat.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(k, _)| *k == key)
            .map(|(_, v)| v.trim_matches('"'))
    };
    let stream = |key: &str| value(&format!("stream_0_{key}"));
    let source_format = stream("pix_fmt")?;
    let frame_rate = ["avg_frame_rate", "r_frame_rate"]
        .into_iter()
        .filter_map(|key| ratio(stream(key)?))
        .find(|rate| rate.is_finite() && *rate > 0.0)
        .unwrap_or(25.0);
    let duration_secs = stream("duration")
        .or_else(|| value("format_duration"))
        .and_then(|d| d.parse::<f64>().ok())
        .filter(|d| d.is_finite() && *d > 0.0);
    let by_count = stream("nb_frames").and_then(|n| n.parse::<u64>().ok());
    let by_duration = duration_secs.map(|secs| (secs * frame_rate).round() as u64);
    // An edit list hides frames that the count includes and the duration does not.
    let expected_frames = match (by_count, by_duration) {
        (Some(count), Some(duration)) => Some(count.min(duration)),
        (count, duration) => count.or(duration),
    };
    let height = stream("height").and_then(|h| h.parse().ok()).unwrap_or(0);
    let (pixel_format, color) = layout(
        source_format,
        stream("color_range").unwrap_or_default(),
        stream("color_space").unwrap_or_default(),
        height,
    );
    Some(VideoFacts {
        pixel_format,
        color,
        time_base: stream("time_base")?.replace('/', ":"),
        frame_rate,
        expected_frames,
    })
}

/// Which layout to ask for, and what its numbers will mean.
fn layout(source: &str, range: &str, space: &str, height: u32) -> (&'static str, ColorEncoding) {
    let old_full_range = source.starts_with("yuvj");
    let grey = source == "gray";
    // ffmpeg converts these itself, to what it takes for the default.
    const CONVERTED: [&str; 12] = [
        "rgb", "bgr", "gbr", "arg", "abg", "0rg", "0bg", "pal", "gray", "mono", "ya", "bayer",
    ];
    if !grey && CONVERTED.iter().any(|start| source.starts_with(start)) {
        let color = ColorEncoding {
            range: ColorRange::Limited,
            matrix: ColorMatrix::Bt601,
        };
        return ("yuv420p", color);
    }
    let pixel_format = match source {
        "gray" => "gray",
        "nv12" => "nv12",
        _ if old_full_range => "yuvj420p",
        _ => "yuv420p",
    };
    let full = old_full_range || range == "pc" || (grey && range != "tv");
    let matrix = match space {
        "bt709" => ColorMatrix::Bt709,
        "smpte170m" | "bt470bg" | "fcc" => ColorMatrix::Bt601,
        // Untold: what players assume, by the standards of each size.
        _ if height >= 720 && !old_full_range => ColorMatrix::Bt709,
        _ => ColorMatrix::Bt601,
    };
    let range = if full {
        ColorRange::Full
    } else {
        ColorRange::Limited
    };
    (pixel_format, ColorEncoding { range, matrix })
}

/// `30000/1001`.
fn ratio(text: &str) -> Option<f64> {
    let (num, den) = text.split_once('/')?;
    Some(num.parse::<f64>().ok()? / den.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_what_ffprobe_writes() {
        let flat = "stream_0_pix_fmt=\"yuv420p\"\nstream_0_height=1080\nstream_0_color_range=\"tv\"\n\
                    stream_0_color_space=\"bt709\"\nstream_0_time_base=\"1/90000\"\n\
                    stream_0_avg_frame_rate=\"0/0\"\nstream_0_r_frame_rate=\"25/1\"\n\
                    stream_0_duration=\"4.000000\"\nstream_0_nb_frames=\"208\"\nformat_duration=\"9.0\"\n";
        let color = ColorEncoding {
            range: ColorRange::Limited,
            matrix: ColorMatrix::Bt709,
        };
        let facts = VideoFacts {
            pixel_format: "yuv420p",
            color,
            time_base: "1:90000".to_owned(),
            frame_rate: 25.0,
            expected_frames: Some(100),
        };
        assert_eq!(parse(flat), Some(facts));
        assert_eq!(parse("format_duration=\"9.0\"\n"), None);
    }

    #[test]
    fn what_ffmpeg_cannot_hand_over_as_it_is_becomes_yuv420() {
        let full_601 = ColorEncoding::default();
        let limited = |matrix| ColorEncoding {
            range: ColorRange::Limited,
            matrix,
        };
        assert_eq!(layout("yuvj422p", "pc", "bt470bg", 720), ("yuvj420p", full_601));
        assert_eq!(layout("yuv420p", "pc", "smpte170m", 720), ("yuv420p", full_601));
        assert_eq!(
            layout("yuv420p10le", "tv", "", 1080),
            ("yuv420p", limited(ColorMatrix::Bt709))
        );
        assert_eq!(
            layout("yuv420p", "", "", 480),
            ("yuv420p", limited(ColorMatrix::Bt601))
        );
        assert_eq!(
            layout("bgr0", "pc", "gbr", 1080),
            ("yuv420p", limited(ColorMatrix::Bt601))
        );
        assert_eq!(
            layout("nv12", "tv", "bt709", 1080),
            ("nv12", limited(ColorMatrix::Bt709))
        );
        assert_eq!(layout("gray", "", "", 480).0, "gray");
    }

    #[test]
    fn complaints_become_one_line() {
        let path = Path::new("/a/b.mp4");
        let two = "[mov,mp4 @ 0x5]  moov atom not found\nfile:/a/b.mp4: Invalid data found\n";
        assert_eq!(complaint(path, two), "Invalid data found (moov atom not found)");
        assert_eq!(complaint(path, "same\nsame\n"), "same");
        assert_eq!(complaint(path, "\n"), "ffmpeg gave up without a word");
    }

    #[test]
    fn a_missing_ffmpeg_is_named_with_its_package() {
        let error = cannot_start(Path::new("a.mp4"), "ffprobe", io::ErrorKind::NotFound.into());
        assert_eq!(
            error.to_string(),
            "a.mp4: videos need the program 'ffprobe', which was not found; \
             install it (apt install ffmpeg) or give a folder of images"
        );
    }
}
