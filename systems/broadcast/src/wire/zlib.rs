//! zlib streams that share their compressed part.
//!
//! A zlib stream (RFC 1950) is a header, deflate blocks (RFC 1951) and the Adler-32 of the text. The part that is the
//! same for all connections is deflated once; what differs goes before it as a stored block, and the checksums of both
//! are combined. So compression costs once per view, as encoding does.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::config::CompressionConfig;

/// What comes before the head in the stream: the header of zlib, and that of a stored block.
pub(super) const ZLIB_HEAD: usize = 2 + 5;

/// Deflated text, ready to follow a stored head.
#[derive(Clone, Debug)]
pub(super) struct Deflated {
    blocks: Vec<u8>,
    adler: u32,
    text_len: usize,
}

impl Deflated {
    /// Deflates `text`; `None` where it is too short or does not shrink enough.
    pub(super) fn where_it_pays(text: &[u8], config: &CompressionConfig) -> Option<Self> {
        if text.len() < config.threshold_bytes {
            return None;
        }
        let level = Compression::new(config.level.min(9));
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 2), level);
        encoder.write_all(text).ok()?;
        let blocks = encoder.finish().ok()?;
        let pays = (blocks.len() as f64) < config.ratio_threshold * text.len() as f64;
        pays.then(|| Self {
            blocks,
            adler: adler32(text),
            text_len: text.len(),
        })
    }

    /// The zlib stream of `head` followed by the text. `head` is shorter than 64 KiB.
    pub(super) fn with_head(&self, head: &[u8]) -> Vec<u8> {
        let head_len = u16::try_from(head.len()).unwrap_or(u16::MAX);
        let head = &head[..usize::from(head_len)];
        let mut stream = Vec::with_capacity(ZLIB_HEAD + head.len() + self.blocks.len() + 4);
        // Deflate with a 32 KiB window, default level; then a stored block that is not the last.
        stream.extend_from_slice(&[0x78, 0x9c, 0x00]);
        stream.extend_from_slice(&head_len.to_le_bytes());
        stream.extend_from_slice(&(!head_len).to_le_bytes());
        stream.extend_from_slice(head);
        stream.extend_from_slice(&self.blocks);
        stream.extend_from_slice(&self.checksum_after(head).to_be_bytes());
        stream
    }

    /// The checksum of `head` followed by the text.
    pub(super) fn checksum_after(&self, head: &[u8]) -> u32 {
        combine(adler32(head), self.adler, self.text_len)
    }
}

const MODULUS: u64 = 65521;

/// RFC 1950 §9.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u64, 0_u64);
    // As many steps as fit before the sums overflow would be far more; chunks keep the modulus out of the inner loop.
    for chunk in bytes.chunks(4096) {
        for byte in chunk {
            a += u64::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    (b << 16 | a) as u32
}

/// The checksum of two texts in a row from theirs: with a = 1 + Σd and b = Σa, the second text's a starts at the first
/// one's end instead of 1, which its b then counts once per byte.
fn combine(first: u32, second: u32, second_len: usize) -> u32 {
    let parts = |adler: u32| (u64::from(adler & 0xffff), u64::from(adler >> 16));
    let ((a1, b1), (a2, b2)) = (parts(first), parts(second));
    let shift = (a1 + MODULUS - 1) % MODULUS;
    let a = (shift + a2) % MODULUS;
    let b = (b1 + b2 + shift * (second_len as u64 % MODULUS)) % MODULUS;
    (b << 16 | a) as u32
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_zlib_reader_reads_head_and_text(head in "[a-z0-9]{0,40}", word in "[a-z]{1,9}", n in 200..2000_usize) {
            let text = word.repeat(n);
            let config = CompressionConfig::default();
            if let Some(deflated) = Deflated::where_it_pays(text.as_bytes(), &config) {
                let stream = deflated.with_head(head.as_bytes());
                let mut back = String::new();
                flate2::read::ZlibDecoder::new(&stream[..]).read_to_string(&mut back).unwrap();
                prop_assert_eq!(back, head + &text);
            } else {
                prop_assert!(text.len() < config.threshold_bytes);
            }
        }
    }

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        let mut seed = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(4096)
        .collect();
        let usual = CompressionConfig::default();
        let pays = |text: &[u8], config| Deflated::where_it_pays(text, &config).is_some();
        assert!(!pays(&noise, usual));
        let at_any_price = CompressionConfig {
            ratio_threshold: 1.1,
            ..usual
        };
        assert!(pays(&noise, at_any_price));
        assert!(!pays(&[b'a'; 1000], usual));
        let shorter = CompressionConfig {
            threshold_bytes: 1000,
            ..usual
        };
        assert!(pays(&[b'a'; 1000], shorter));
    }

    #[test]
    fn a_higher_level_takes_fewer_bytes() {
        let text: String = (0..2000).map(|n| format!("{} ", n * n % 97)).collect();
        let bytes = |level| {
            let config = CompressionConfig {
                level,
                ratio_threshold: 2.0,
                ..CompressionConfig::default()
            };
            Deflated::where_it_pays(text.as_bytes(), &config)
                .unwrap()
                .blocks
                .len()
        };
        assert!(bytes(0) > bytes(1) && bytes(1) > bytes(9));
    }
}
