//! The simulated table as a source.

use std::sync::Arc;

use ghostball_simulation::{SimulatedTable, SimulationOptions};
use ghostball_world::{Frame, FramePool};

use crate::stamps::stamp_of;
use crate::{CaptureError, FrameSource, SourceDescription};

/// Never ends. Frame `n` is captured exactly at `n / fps`, however long rendering takes.
pub(crate) struct SimulatedSource {
    table: SimulatedTable,
    description: SourceDescription,
    next_number: u64,
}

impl SimulatedSource {
    pub(crate) fn open(options: &SimulationOptions) -> Result<Self, CaptureError> {
        Ok(Self {
            table: SimulatedTable::new(*options)?,
            description: SourceDescription {
                name: format!("simulated table (seed {})", options.seed),
                width: options.width,
                height: options.height,
                frame_rate: options.fps,
                expected_frames: None,
                span: None,
                // Rendering waits for whoever takes the frames: nothing is lost.
                live: false,
            },
            next_number: 0,
        })
    }
}

impl FrameSource for SimulatedSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        let number = self.next_number;
        let frame = pool.fill(|frame| -> Result<(), CaptureError> {
            self.table.render_next(&mut frame.picture)?;
            frame.sequence = number;
            frame.captured_at = stamp_of(number, self.description.frame_rate);
            frame.jpeg.clear();
            Ok(())
        })?;
        self.next_number += 1;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_stamped_by_their_number() {
        let options = SimulationOptions {
            width: 160,
            height: 90,
            fps: 25.0,
            ..SimulationOptions::default()
        };
        let mut source = SimulatedSource::open(&options).unwrap();
        let mut pool = FramePool::default();
        for number in 0..3 {
            let frame = source.next_frame(&mut pool).unwrap().unwrap();
            assert_eq!(
                (frame.sequence, frame.captured_at.nanos),
                (number, number * 40_000_000)
            );
            assert_eq!((frame.picture.width(), frame.picture.height()), (160, 90));
        }
        assert_eq!(pool.len(), 1);
    }
}
