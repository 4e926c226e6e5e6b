//! Images, one after the other.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ghostball_world::{Frame, FramePool};

use crate::stamps::stamp_of;
use crate::{CaptureError, FrameSource, SourceDescription, read_image};

/// Images carry no time: they are taken to be 30 a second.
const FRAME_RATE: f64 = 30.0;

/// A list of images. Each may have its own size.
pub(crate) struct ImageSource {
    paths: Vec<PathBuf>,
    description: SourceDescription,
    next_index: usize,
    /// Images left out because they are no pictures.
    damaged: u64,
}

impl ImageSource {
    /// Reads the first sound image to know its size; where there is none, the error is that of the first.
    pub(crate) fn open(paths: Vec<PathBuf>, name: &Path) -> Result<Self, CaptureError> {
        let mut first = Frame::default();
        let mut failure = None;
        for path in &paths {
            match read_image(path, &mut first) {
                Ok(()) => {
                    failure = None;
                    break;
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        Ok(Self {
            description: SourceDescription {
                name: name.display().to_string(),
                width: first.picture.width(),
                height: first.picture.height(),
                frame_rate: FRAME_RATE,
                expected_frames: Some(paths.len() as u64),
                span: None,
                live: false,
            },
            paths,
            next_index: 0,
            damaged: 0,
        })
    }
}

impl FrameSource for ImageSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        while let Some(path) = self.paths.get(self.next_index) {
            let number = self.next_index as u64;
            self.next_index += 1;
            let read = pool.fill(|frame| {
                frame.sequence = number;
                frame.captured_at = stamp_of(number, FRAME_RATE);
                read_image(path, frame)
            });
            match read {
                Ok(frame) => return Ok(Some(frame)),
                // One line for the first: the others are counted.
                Err(error) if self.damaged == 0 => tracing::error!("{error}; it is left out"),
                Err(_) => {}
            }
            self.damaged += 1;
        }
        Ok(None)
    }

    fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// The images of a folder in natural order of their names. Hidden files and subfolders are left out.
pub(crate) fn images_in(folder: &Path) -> Result<Vec<PathBuf>, CaptureError> {
    let failed = |cause| CaptureError::Io {
        path: folder.to_owned(),
        action: "list the folder",
        cause,
    };
    if !folder.exists() {
        return Err(CaptureError::Missing {
            path: folder.to_owned(),
        });
    }
    let mut named = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let is_image = ["jpg", "jpeg", "png"].iter().any(|known| extension == *known);
        if is_image && !name.starts_with('.') && path.is_file() {
            named.push((name, path));
        }
    }
    if named.is_empty() {
        return Err(CaptureError::EmptyFolder {
            path: folder.to_owned(),
        });
    }
    named.sort_by(|(a, _), (b, _)| natural_order(a, b));
    Ok(named.into_iter().map(|(_, path)| path).collect())
}

/// Order of names in which runs of digits count as numbers: `frame2` before `frame10`. Names that differ only in leading
/// zeros are ordered by their characters, so that the order is total.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (part_a, part_b) = (first_part(rest_a), first_part(rest_b));
        let order = match (number(part_a), number(part_b)) {
            (Some(n), Some(m)) => n.len().cmp(&m.len()).then_with(|| n.cmp(m)),
            _ => part_a.cmp(part_b),
        };
        if order != Ordering::Equal {
            return order;
        }
        if part_a.is_empty() {
            return a.cmp(b);
        }
        (rest_a, rest_b) = (&rest_a[part_a.len()..], &rest_b[part_b.len()..]);
    }
}

/// The run of digits at the start, or the run of anything else.
fn first_part(text: &str) -> &str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits);
    &text[..end.unwrap_or(text.len())]
}

/// A run of digits without its leading zeros: of two such, the longer is the larger number.
fn number(part: &str) -> Option<&str> {
    part.starts_with(|c: char| c.is_ascii_digit())
        .then(|| part.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_png(path: &Path, width: u32) {
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, 64);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![9; 64 * width as usize]).unwrap();
    }

    #[test]
    fn names_with_numbers_are_ordered_by_the_numbers() {
        let mut names = [
            "b1",
            "a10",
            "a2",
            "a",
            "a02x",
            "a2x",
            "10",
            "9",
            "a100000000000000000000000",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "9",
                "10",
                "a",
                "a2",
                "a02x",
                "a2x",
                "a10",
                "a100000000000000000000000",
                "b1"
            ]
        );
    }

    #[test]
    fn images_come_in_natural_order_each_with_its_own_size() {
        let folder = tempfile::tempdir().unwrap();
        for (name, width) in [("10.png", 100), ("9.PNG", 90), (".8.png", 80), ("11.txt", 110)] {
            write_png(&folder.path().join(name), width);
        }
        fs::create_dir(folder.path().join("1.png")).unwrap();
        let mut source = ImageSource::open(images_in(folder.path()).unwrap(), folder.path()).unwrap();
        assert_eq!(
            (source.description().width, source.description().expected_frames),
            (90, Some(2))
        );
        let mut pool = FramePool::default();
        let mut seen = Vec::new();
        while let Some(frame) = source.next_frame(&mut pool).unwrap() {
            seen.push((frame.sequence, frame.captured_at.nanos, frame.picture.width()));
        }
        assert_eq!(seen, [(0, 0, 90), (1, 33_333_333, 100)]);
    }

    #[test]
    fn a_folder_without_images_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let error = images_in(folder.path()).unwrap_err().to_string();
        let expected = ": the folder holds no image; expected .jpg, .jpeg or .png files";
        assert!(error.ends_with(expected), "{error}");
        let missing = images_in(Path::new("/no/such")).unwrap_err();
        assert!(matches!(missing, CaptureError::Missing { .. }));
    }
}
