//! The video: MJPEG as `multipart/x-mixed-replace`, and single pictures.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use ghostball_world::Frame;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Shared;
use super::reply::{Asked, HttpError};
use crate::SourceView;
use crate::bridge::Handover;
use crate::pacer::Paced;
use crate::shutdown::UntilShutdown;
use crate::video::{Variant, VideoError, VideoWish};

/// `quality=1..100&fps=1..60&width=16..&overlay=0|1`; what is left out is as the camera has it.
#[derive(Debug, Deserialize)]
pub(super) struct VideoQuery {
    quality: Option<u8>,
    fps: Option<f64>,
    width: Option<u32>,
    overlay: Option<u8>,
}

impl VideoQuery {
    fn check(&self) -> Result<(VideoWish, f64), HttpError> {
        let refuse = |message: String| Err(HttpError::new(StatusCode::BAD_REQUEST, message));
        if let Some(quality @ (0 | 101..)) = self.quality {
            return refuse(format!("expected quality from 1 to 100, found {quality}"));
        }
        if let Some(width @ 0..16) = self.width {
            return refuse(format!("expected a width of at least 16 pixels, found {width}"));
        }
        if let Some(overlay @ 2..) = self.overlay {
            return refuse(format!("expected overlay 0 or 1, found {overlay}"));
        }
        let fps = self.fps.unwrap_or(60.0);
        if !(1.0..=60.0).contains(&fps) {
            return refuse(format!("expected fps from 1 to 60, found {fps}"));
        }
        let wish = VideoWish {
            quality: self.quality,
            width: self.width,
            overlay: self.overlay == Some(1),
        };
        Ok((wish, fps))
    }
}

/// One picture, the newest.
pub(super) async fn picture(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<VideoQuery>,
) -> Result<Response, HttpError> {
    let (wish, _) = query.check()?;
    let newest = shared.frame.borrow().clone();
    let frame = newest.ok_or_else(|| {
        HttpError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no frame has come from the source yet; try again",
        )
    })?;
    let variant = shared.video.variant(wish)?;
    let seen = shared
        .snapshot
        .borrow()
        .as_ref()
        .map(|seen| seen.snapshot.clone());
    let jpeg = variant.jpeg(frame, seen).await?;
    let described = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((described, jpeg).into_response())
}

/// Pictures without end, each when the viewer has taken the one before: a slow viewer skips.
pub(super) async fn stream(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<VideoQuery>,
) -> Result<Response, HttpError> {
    let (wish, fps) = query.check()?;
    let mut frame = Paced::new(shared.frame.clone(), fps);
    frame.look_again();
    let viewer = Viewer {
        variant: shared.video.variant(wish)?,
        frame,
        seen: shared.snapshot.clone(),
        until_shutdown: shared.until_shutdown.clone(),
    };
    let parts = unfold(viewer, |mut viewer| async move {
        let part = viewer.next_part().await?;
        Some((Ok::<_, Infallible>(part), viewer))
    });
    let described = [
        (header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((described, Body::from_stream(parts)).into_response())
}

/// What there is to watch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VideoStatus {
    /// Whether a picture can be had.
    available: bool,
    source: Option<SourceView>,
    /// Pixels.
    width: u32,
    height: u32,
    frame_number: Option<u64>,
    /// Frames a second, mean since the first; null before the second.
    fps: Option<f64>,
    /// Whether the camera delivers JPEG, which goes through as it is where quality and size allow.
    camera_jpeg: bool,
    viewers: usize,
    pictures_encoded: u64,
}

/// What there is to watch, and who does.
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Json<VideoStatus> {
    let frame = shared.frame.borrow().clone();
    let seen = shared.snapshot.borrow().clone();
    let since_first = seen.as_ref().map(|seen| seen.snapshot.since_first.as_secs_f64());
    let number = seen.as_ref().map(|seen| seen.snapshot.frame_number);
    let fps = number.zip(since_first).filter(|(_, secs)| *secs > 0.0);
    Json(VideoStatus {
        available: frame.is_some(),
        source: shared.facts.source(),
        width: frame.as_ref().map_or(0, |frame| frame.picture.width()),
        height: frame.as_ref().map_or(0, |frame| frame.picture.height()),
        frame_number: number,
        fps: fps.map(|(number, secs)| (number as f64 / secs * 1e2).round() / 1e2),
        camera_jpeg: frame.is_some_and(|frame| !frame.jpeg.is_empty()),
        viewers: shared.video.viewers(),
        pictures_encoded: shared.counters.pictures_encoded.load(Ordering::Relaxed),
    })
}

struct Viewer {
    variant: Arc<Variant>,
    frame: Paced<Option<Arc<Frame>>>,
    /// As new as the frame, or newer by one.
    seen: watch::Receiver<Option<Handover>>,
    until_shutdown: UntilShutdown,
}

impl Viewer {
    /// The next picture as one part of the answer; `None` at the end of the server.
    async fn next_part(&mut self) -> Option<Bytes> {
        loop {
            let frame = tokio::select! {
                frame = self.frame.next() => frame?,
                () = self.until_shutdown.wait() => return None,
            };
            let Some(frame) = frame else {
                continue;
            };
            self.frame.sent();
            let seen = self.seen.borrow().as_ref().map(|seen| seen.snapshot.clone());
            match self.variant.jpeg(frame, seen).await {
                Ok(jpeg) => return Some(part(&jpeg)),
                // The next frame may do better.
                Err(error) => tracing::debug!(%error, "a frame was left out of the video"),
            }
        }
    }
}

fn part(jpeg: &[u8]) -> Bytes {
    let head = format!(
        "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        jpeg.len()
    );
    Bytes::from([head.as_bytes(), jpeg, b"\r\n"].concat())
}

impl From<VideoError> for HttpError {
    fn from(error: VideoError) -> Self {
        let status = match error {
            VideoError::TooManyVariants => StatusCode::SERVICE_UNAVAILABLE,
            VideoError::Encode(_) | VideoError::Thread => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
