//! The camera's picture for people: encoded while somebody watches, once for all who watch the same.

mod camera_jpeg;
pub(crate) mod jpeg;
mod overlay;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::Bytes;
use ghostball_world::{Frame, Snapshot};
use tokio::sync::Mutex as AsyncMutex;

use self::camera_jpeg::CameraJpeg;
use self::jpeg::EncodeError;
use crate::counters::Counters;

/// Sizes and qualities that are encoded at a time; a viewer who wants one more is refused.
const MAX_VARIANTS: usize = 8;

/// Good enough to judge a ball's number by, at a tenth of a byte per pixel.
const DEFAULT_QUALITY: u8 = 80;

/// How the picture is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VideoWish {
    /// 1 to 100; `None`: the camera's own JPEG, else 80.
    pub(crate) quality: Option<u8>,
    /// Pixels; `None`: as the camera has it. Never made larger.
    pub(crate) width: Option<u32>,
    /// Whether balls, stick and predicted paths are drawn over it.
    pub(crate) overlay: bool,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VideoError {
    #[error(
        "expected at most {MAX_VARIANTS} different sizes and qualities at a time; ask for one that is watched already"
    )]
    TooManyVariants,
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the encoder's thread ended")]
    Thread,
}

/// Hands out encoders: viewers with the same wish share one.
#[derive(Debug)]
pub(crate) struct Video {
    variants: Mutex<Vec<(VideoWish, Weak<Variant>)>>,
    counters: Arc<Counters>,
}

/// One size and quality. Works when a viewer asks and not otherwise, so a viewer who stops taking costs nothing.
#[derive(Debug)]
pub(crate) struct Variant {
    wish: VideoWish,
    newest: AsyncMutex<Option<(Arc<Frame>, Bytes)>>,
    counters: Arc<Counters>,
}

impl Video {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self {
            variants: Mutex::default(),
            counters,
        }
    }

    /// How many watch.
    pub(crate) fn viewers(&self) -> usize {
        let variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        variants.iter().map(|(_, variant)| variant.strong_count()).sum()
    }

    /// The encoder for this wish; it lives as long as somebody holds it.
    pub(crate) fn variant(&self, wish: VideoWish) -> Result<Arc<Variant>, VideoError> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        variants.retain(|(_, variant)| variant.strong_count() > 0);
        let known = variants.iter().find(|(known, _)| *known == wish);
        if let Some(variant) = known.and_then(|(_, variant)| variant.upgrade()) {
            return Ok(variant);
        }
        if variants.len() >= MAX_VARIANTS {
            return Err(VideoError::TooManyVariants);
        }
        let variant = Arc::new(Variant {
            wish,
            newest: AsyncMutex::default(),
            counters: self.counters.clone(),
        });
        variants.push((wish, Arc::downgrade(&variant)));
        Ok(variant)
    }
}

impl Variant {
    /// The JPEG of `frame`, with what was `seen` in it where that is to be drawn. The first to ask for a frame has it
    /// encoded, on a thread apart; the others get the same bytes.
    pub(crate) async fn jpeg(
        &self,
        frame: Arc<Frame>,
        seen: Option<Arc<Snapshot>>,
    ) -> Result<Bytes, VideoError> {
        let mut newest = self.newest.lock().await;
        if let Some((known, jpeg)) = &*newest
            && Arc::ptr_eq(known, &frame)
        {
            return Ok(jpeg.clone());
        }
        // Frees the frame before for its pool.
        *newest = None;
        let (wish, source) = (self.wish, frame.clone());
        let jpeg = tokio::task::spawn_blocking(move || wish.jpeg_of(&source, seen.as_deref()))
            .await
            .map_err(|_| VideoError::Thread)??;
        self.counters.pictures_encoded.fetch_add(1, Ordering::Relaxed);
        *newest = Some((frame, jpeg.clone()));
        Ok(jpeg)
    }
}

impl VideoWish {
    /// The camera's own JPEG where it will do, else a new one.
    fn jpeg_of(self, frame: &Frame, seen: Option<&Snapshot>) -> Result<Bytes, EncodeError> {
        let picture = &frame.picture;
        let seen = seen.filter(|_| self.overlay);
        let is_wide_enough = self.width.is_none_or(|width| width >= picture.width());
        if is_wide_enough
            && seen.is_none()
            && let Some(camera) = CameraJpeg::inspect(&frame.jpeg)
            && self.quality.is_none_or(|quality| quality >= camera.quality)
        {
            return Ok(Bytes::copy_from_slice(&frame.jpeg));
        }
        let quality = self.quality.unwrap_or(DEFAULT_QUALITY);
        jpeg::encode(picture, quality, self.width, seen).map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::{ColorEncoding, Picture, PixelFormat};

    use super::*;

    fn frame(camera_quality: Option<u8>) -> Frame {
        let color = ColorEncoding::default();
        let picture = Picture::new(PixelFormat::Grey, 32, 16, color, vec![120; 512]).unwrap();
        let jpeg = camera_quality.map_or_else(Vec::new, |quality| {
            jpeg::encode(&picture, quality, None, None).unwrap()
        });
        Frame {
            picture,
            jpeg,
            ..Frame::default()
        }
    }

    #[test]
    fn the_cameras_own_bytes_go_through_where_quality_and_size_allow() {
        let camera = frame(Some(85));
        let seen = Snapshot::default();
        let wish = |quality, width, overlay| VideoWish {
            quality,
            width,
            overlay,
        };
        let passes = |quality, width| {
            wish(quality, width, false).jpeg_of(&camera, Some(&seen)).unwrap() == camera.jpeg
        };
        assert!(passes(None, None) && passes(Some(95), Some(32)) && passes(None, Some(1000)));
        assert!(!passes(Some(40), None) && !passes(None, Some(16)));
        assert!(
            wish(None, None, true).jpeg_of(&camera, Some(&seen)).unwrap() != camera.jpeg,
            "it is drawn into"
        );
        let encoded = VideoWish::default().jpeg_of(&frame(None), None).unwrap();
        assert!(!encoded.is_empty());
    }

    #[test]
    fn viewers_with_the_same_wish_share_an_encoder_and_there_are_not_too_many() {
        let video = Video::new(Arc::default());
        let wish = |width| VideoWish {
            width: Some(width),
            ..VideoWish::default()
        };
        let held: Vec<_> = (1..=8).map(|width| video.variant(wish(width)).unwrap()).collect();
        assert!(Arc::ptr_eq(&held[0], &video.variant(wish(1)).unwrap()));
        assert!(matches!(video.variant(wish(9)), Err(VideoError::TooManyVariants)));
        drop(held);
        assert!(video.variant(wish(9)).is_ok());
    }
}
