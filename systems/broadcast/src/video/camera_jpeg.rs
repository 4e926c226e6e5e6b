//! What a camera's own JPEG is worth.

/// Sum of the luma quantisation table of quality 50 (ITU-T T.81, table K.1), which all others are scaled from.
const LUMA_SUM_AT_50: u32 = 3688;

/// What can be told from the head of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CameraJpeg {
    /// 1 to 100, on the usual scale of libjpeg.
    pub(super) quality: u8,
}

impl CameraJpeg {
    /// Reads the segments before the pixels. `None` where a browser could not show it: no JPEG, or one that leaves out
    /// its Huffman tables, as Motion-JPEG cameras may.
    pub(super) fn inspect(jpeg: &[u8]) -> Option<Self> {
        let mut rest = jpeg.strip_prefix(&[0xff, 0xd8])?;
        let (mut quality, mut has_huffman_tables) = (None, false);
        loop {
            let [0xff, marker, high, low, ..] = *rest else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = rest.get(4..2 + length.max(2))?;
            match marker {
                0xc4 => has_huffman_tables = true,
                0xdb if quality.is_none() => quality = quality_of(segment),
                0xda => break,
                _ => {}
            }
            rest = &rest[2 + length..];
        }
        let quality = quality?;
        has_huffman_tables.then_some(Self { quality })
    }
}

/// The quality that libjpeg would have made this table (the first of a DQT segment) from: its inverse.
fn quality_of(segment: &[u8]) -> Option<u8> {
    let (kind, table) = segment.split_first()?;
    let sum: u32 = match kind >> 4 {
        0 => table.get(..64)?.iter().map(|step| u32::from(*step)).sum(),
        _ => table
            .get(..128)?
            .chunks_exact(2)
            .map(|step| u32::from(u16::from_be_bytes([step[0], step[1]])))
            .sum(),
    };
    let percent = 100 * sum / LUMA_SUM_AT_50;
    let quality = match percent {
        0..100 => 100 - percent / 2,
        _ => 5000 / percent,
    };
    u8::try_from(quality.clamp(1, 100)).ok()
}

#[cfg(test)]
mod tests {
    use ghostball_world::{ColorEncoding, Picture, PixelFormat};

    use super::*;
    use crate::video::jpeg;

    fn jpeg_of(quality: u8) -> Vec<u8> {
        let picture =
            Picture::new(PixelFormat::Grey, 16, 16, ColorEncoding::default(), vec![90; 256]).unwrap();
        jpeg::encode(&picture, quality, None, None).unwrap()
    }

    #[test]
    fn the_quality_is_read_from_the_tables() {
        for quality in [20, 50, 75, 90, 98] {
            let found = CameraJpeg::inspect(&jpeg_of(quality)).unwrap().quality;
            assert!(found.abs_diff(quality) <= 2, "expected {quality}, found {found}");
        }
    }

    #[test]
    fn a_jpeg_without_huffman_tables_is_not_for_browsers() {
        let mut bytes = jpeg_of(80);
        while let Some(at) = bytes.windows(2).position(|pair| pair == [0xff, 0xc4]) {
            let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            bytes.drain(at..at + 2 + length);
        }
        assert_eq!(CameraJpeg::inspect(&bytes), None);
    }

    #[test]
    fn broken_bytes_are_no_jpeg() {
        let whole = jpeg_of(80);
        let pixels_at = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        for end in 0..pixels_at {
            assert_eq!(CameraJpeg::inspect(&whole[..end]), None);
        }
        assert_eq!(CameraJpeg::inspect(&[0xff, 0xd8, 0xff, 0xdb, 0, 0, 0, 0]), None);
    }
}
