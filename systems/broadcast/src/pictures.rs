//! The `frame` stream: pictures as text, while somebody wants them.

use std::collections::VecDeque;
use std::sync::Arc;

use data_encoding::BASE64;
use ghostball_world as world;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::WallTime;
use crate::config::{BroadcasterConfig, FrameBufferConfig, FrameQueueConfig};
use crate::pacer::Paced;
use crate::publication::Publication;
use crate::stream::Stream;
use crate::video::{Video, VideoError, VideoWish};
use crate::wire::{FrameMetrics, PictureData};

type Encoding = JoinHandle<Result<PictureData, VideoError>>;

#[derive(Debug)]
pub(crate) struct Pictures {
    source: Paced<Option<Arc<world::Frame>>>,
    video: Arc<Video>,
    queue: Queue,
    buffer: Buffer,
    encoding: Option<Encoding>,
    is_wanted: bool,
    published: u64,
}

impl Pictures {
    pub(crate) fn new(
        config: &BroadcasterConfig,
        source: watch::Receiver<Option<Arc<world::Frame>>>,
        video: Arc<Video>,
    ) -> Self {
        Self {
            source: Paced::new(source, config.fps.default_target_fps),
            video,
            queue: Queue::new(config.frame_queue),
            buffer: Buffer::new(config.frame_buffer),
            encoding: None,
            is_wanted: false,
            published: 0,
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.queue.config.enabled
    }

    /// Whether anybody has subscribed.
    pub(crate) fn set_wanted(&mut self, is_wanted: bool) {
        if self.is_wanted == is_wanted {
            return;
        }
        self.is_wanted = is_wanted;
        self.queue.waiting.clear();
        // What is there now is the first to come.
        self.source.look_again();
    }

    /// The next picture, encoded; never while nobody wants any. Loses nothing when it is cancelled.
    pub(crate) async fn next(&mut self) -> Arc<Publication> {
        if !self.is_enabled() || !self.is_wanted {
            return std::future::pending().await;
        }
        loop {
            if self.encoding.is_none()
                && let Some(frame) = self.queue.waiting.pop_front()
            {
                self.encoding = Some(tokio::spawn(encode(self.video.clone(), frame)));
            }
            tokio::select! {
                encoded = finished(&mut self.encoding) => {
                    self.encoding = None;
                    match encoded {
                        Ok(Ok(picture)) => if let Some(publication) = self.publication(picture) {
                            return publication;
                        },
                        Ok(Err(error)) => tracing::warn!(?error, "a picture is left out"),
                        Err(error) => tracing::error!(%error, "a picture is left out"),
                    }
                }
                frame = self.source.next() => match frame {
                    Some(Some(frame)) => {
                        self.source.sent();
                        self.queue.push(frame);
                    }
                    // Looked at before the first came.
                    Some(None) => {}
                    None => return std::future::pending().await,
                }
            }
        }
    }

    fn publication(&mut self, mut picture: PictureData) -> Option<Arc<Publication>> {
        self.published += 1;
        picture.sequence = self.published;
        let data = serde_json::to_value(picture).ok()?;
        let publication = Arc::new(Publication::of_data(Stream::Frame, self.published, data));
        self.buffer.push(publication.clone());
        Some(publication)
    }

    /// The newest that is not too old.
    pub(crate) fn newest(&mut self, now: Instant) -> Option<Arc<Publication>> {
        self.clean_up(now);
        self.buffer.kept.back().cloned()
    }

    /// Lets go of what is too old.
    pub(crate) fn clean_up(&mut self, now: Instant) {
        self.buffer.clean_up(now);
    }

    pub(crate) fn metrics(&self) -> FrameMetrics {
        FrameMetrics {
            enabled: self.is_enabled(),
            queued: self.queue.waiting.len(),
            queue_size: self.queue.config.max_size,
            dropped: self.queue.dropped,
            published: self.published,
            buffered: self.buffer.kept.len(),
            buffer_size: self.buffer.config.max_size,
        }
    }
}

async fn finished(encoding: &mut Option<Encoding>) -> <Encoding as Future>::Output {
    match encoding {
        Some(encoding) => encoding.await,
        None => std::future::pending().await,
    }
}

async fn encode(video: Arc<Video>, frame: Arc<world::Frame>) -> Result<PictureData, VideoError> {
    let (width, height) = (frame.picture.width(), frame.picture.height());
    let number = frame.sequence;
    let jpeg = video.variant(VideoWish::default())?.jpeg(frame, None).await?;
    Ok(PictureData {
        frame_number: number,
        width,
        height,
        format: "jpeg",
        encoding: "base64",
        image: BASE64.encode(&jpeg),
        sequence: 0,
        timestamp: WallTime::now(),
    })
}

/// Pictures that wait to be encoded: when it is full the oldest goes, and is counted.
#[derive(Debug)]
struct Queue {
    config: FrameQueueConfig,
    waiting: VecDeque<Arc<world::Frame>>,
    dropped: u64,
}

impl Queue {
    fn new(config: FrameQueueConfig) -> Self {
        Self {
            config,
            waiting: VecDeque::new(),
            dropped: 0,
        }
    }

    fn push(&mut self, frame: Arc<world::Frame>) {
        if self.waiting.len() >= self.config.max_size.max(1) {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(frame);
    }
}

/// Messages for those who come later: no more than so many, and none that is too old.
#[derive(Debug)]
struct Buffer {
    config: FrameBufferConfig,
    kept: VecDeque<Arc<Publication>>,
}

impl Buffer {
    fn new(config: FrameBufferConfig) -> Self {
        Self {
            config,
            kept: VecDeque::new(),
        }
    }

    fn push(&mut self, publication: Arc<Publication>) {
        if self.kept.len() >= self.config.max_size.max(1) {
            self.kept.pop_front();
        }
        self.kept.push_back(publication);
    }

    fn clean_up(&mut self, now: Instant) {
        let is_old =
            |kept: &Arc<Publication>| now.saturating_duration_since(kept.since) > self.config.max_age;
        while self.kept.front().is_some_and(is_old) {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts_it() {
        let mut queue = Queue::new(FrameQueueConfig::default());
        for sequence in 0..25 {
            let frame = world::Frame {
                sequence,
                ..world::Frame::default()
            };
            queue.push(Arc::new(frame));
        }
        let waiting: Vec<_> = queue.waiting.iter().map(|frame| frame.sequence).collect();
        assert_eq!((waiting, queue.dropped), ((15..25).collect(), 15));
    }

    #[test]
    fn the_buffer_keeps_so_many_and_none_that_is_old() {
        let mut buffer = Buffer::new(FrameBufferConfig::default());
        for sequence in 0..150 {
            buffer.push(Arc::new(Publication::of_data(Stream::Frame, sequence, json!({}))));
        }
        assert_eq!((buffer.kept.len(), buffer.kept[0].issue.sequence), (100, 50));
        let later = Instant::now() + Duration::from_millis(5_001);
        buffer.clean_up(later - Duration::from_secs(1));
        assert_eq!(buffer.kept.len(), 100);
        buffer.clean_up(later);
        assert!(buffer.kept.is_empty());
    }
}
