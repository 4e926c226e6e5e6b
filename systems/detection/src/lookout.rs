//! Looks for the table beside the frames.
//!
//! A look takes longer than a frame may. So it is made on a thread of its own, and what it found is taken a fixed time
//! later by the camera's stamps, not when it happens to be there: the same frames give the same states on every run. Who
//! is early waits.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ghostball_world::{Frame, Lens, TableSighting};
use serde::{Deserialize, Serialize};

use crate::detector::Detector;
use crate::watch::NoseMemory;

/// What is known before a look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LookTerms {
    /// The lens, where it was calibrated.
    pub lens: Option<Lens>,
    /// The radius of a ball by the table's length, where both are known.
    pub ball_by_length: Option<f64>,
    /// Width by length of the playing surface.
    pub width_by_length: f64,
}

/// What a look for the table found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look {
    /// The table, or why there is none.
    pub seen: Result<TableSighting, String>,
    /// Its noses, for glances.
    pub noses: NoseMemory,
}

/// A look that was begun and not yet taken.
#[derive(Debug)]
enum Pending {
    /// It is under way.
    UnderWay,
    /// It is done, as somebody had to know of it before its time.
    Done(Box<Look>),
}

/// What is remembered of a [`Lookout`]: when the look that is not yet taken was begun, and what it found.
pub type LookoutMemory = Option<(Duration, Look)>;

/// Makes one look at a time. The thread ends with it.
#[derive(Debug, Default)]
pub struct Lookout {
    pending: Option<(Duration, Pending)>,
    worker: Option<Worker>,
    /// Used where no thread can be had.
    detector: Option<Box<Detector>>,
}

/// The thread, and one place each for what it is asked and what it answers: it is asked again only after its answer.
#[derive(Debug)]
struct Worker {
    questions: SyncSender<(Arc<Frame>, LookTerms)>,
    /// Never locked: a resource has to be shareable, which a receiver alone is not.
    looks: Mutex<Receiver<Look>>,
    /// Its answer is still to come, and to be thrown away.
    is_abandoned: bool,
}

impl Lookout {
    /// Goes on from a memory.
    pub fn with_memory(memory: LookoutMemory) -> Self {
        Self {
            pending: memory.map(|(begun, look)| (begun, Pending::Done(Box::new(look)))),
            ..Self::default()
        }
    }

    /// What it remembers; waits for the look that is under way.
    pub fn memory(&mut self) -> LookoutMemory {
        let (begun, look) = self.finish()?;
        self.pending = Some((begun, Pending::Done(Box::new(look.clone()))));
        Some((begun, look))
    }

    /// When the look that is not yet taken was begun, as time since the first frame.
    pub fn begun(&self) -> Option<Duration> {
        self.pending.as_ref().map(|(begun, _)| *begun)
    }

    /// Begins a look at this frame; one that is not yet taken is abandoned.
    pub fn begin(&mut self, frame: Arc<Frame>, terms: LookTerms, now: Duration) {
        self.abandon();
        let mut worker = self.worker.take().or_else(Worker::start);
        let left = match &mut worker {
            Some(worker) => worker.ask((frame, terms)).err(),
            None => Some((frame, terms)),
        };
        self.worker = worker;
        let pending = match left {
            None => Pending::UnderWay,
            // Without a thread a look holds a frame up, no more.
            Some((frame, terms)) => {
                self.worker = None;
                let detector = self.detector.get_or_insert_default();
                Pending::Done(Box::new(look(detector, &frame, terms)))
            }
        };
        self.pending = Some((now, pending));
    }

    /// What the look that is not yet taken found, and when it was begun; waits until it is done.
    pub fn finish(&mut self) -> Option<(Duration, Look)> {
        match self.pending.take()? {
            (begun, Pending::Done(look)) => Some((begun, *look)),
            (begun, Pending::UnderWay) => {
                let look = self.worker.as_mut().and_then(Worker::answer);
                Some((begun, look.unwrap_or_else(Look::failed)))
            }
        }
    }

    /// What the look that is under way finds is of no use any more.
    pub fn abandon(&mut self) {
        if let (Some((_, Pending::UnderWay)), Some(worker)) = (self.pending.take(), &mut self.worker) {
            worker.is_abandoned = true;
        }
    }
}

impl Worker {
    fn start() -> Option<Self> {
        let (questions, asked) = sync_channel::<(Arc<Frame>, LookTerms)>(1);
        let (answers, looks) = sync_channel(1);
        let work = move || {
            let mut detector = Detector::default();
            for (frame, terms) in asked {
                let look = look(&mut detector, &frame, terms);
                drop(frame);
                if answers.send(look).is_err() {
                    break;
                }
            }
        };
        let started = thread::Builder::new().name("lookout".to_owned()).spawn(work);
        if let Err(error) = &started {
            tracing::warn!(%error, "no thread to look for the table with: some frames will be late");
        }
        started.is_ok().then_some(Self {
            questions,
            looks: Mutex::new(looks),
            is_abandoned: false,
        })
    }

    /// Waits for the answer; `None` where the thread has ended.
    fn answer(&mut self) -> Option<Look> {
        let looks = self.looks.get_mut().unwrap_or_else(PoisonError::into_inner);
        looks.recv().ok()
    }

    /// Gives the question back where the thread has ended.
    fn ask(&mut self, question: (Arc<Frame>, LookTerms)) -> Result<(), (Arc<Frame>, LookTerms)> {
        if std::mem::take(&mut self.is_abandoned) && self.answer().is_none() {
            return Err(question);
        }
        self.questions.send(question).map_err(|unsent| unsent.0)
    }
}

impl Look {
    /// The thread ended in the middle of it.
    fn failed() -> Self {
        let why = "the search for the table broke off; this is a defect in ghostball";
        Self {
            seen: Err(why.to_owned()),
            noses: NoseMemory::default(),
        }
    }
}

fn look(detector: &mut Detector, frame: &Frame, terms: LookTerms) -> Look {
    detector.set_lens(terms.lens);
    detector.set_ball_by_length(terms.ball_by_length);
    detector.set_width_by_length(terms.width_by_length);
    let seen = detector.find_table(&frame.picture);
    let noses = match (&seen, frame.picture.planes()) {
        (Ok(_), Some(planes)) => NoseMemory::of(&planes, detector.nose_points()),
        _ => NoseMemory::default(),
    };
    Look {
        seen: seen.map_err(|error| error.to_string()),
        noses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};
    use ghostball_world::{BallSet, ColorEncoding, PixelFormat};

    const TERMS: LookTerms = LookTerms {
        lens: None,
        ball_by_length: None,
        width_by_length: 0.5,
    };

    fn frame(drawn: &Drawn) -> Arc<Frame> {
        let picture = draw(drawn);
        Arc::new(Frame {
            picture,
            ..Frame::default()
        })
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_look_finds_what_the_detector_finds_whoever_makes_it() {
        let frame = frame(&Drawn::default());
        let found = Detector::new(BallSet::Auto).find_table(&frame.picture).unwrap();
        let mut lookout = Lookout::default();
        lookout.begin(Arc::clone(&frame), TERMS, at(5));
        assert_eq!(lookout.begun(), Some(at(5)));
        let (begun, look) = lookout.finish().unwrap();
        assert_eq!((begun, look.seen), (at(5), Ok(found)));
        assert!(lookout.finish().is_none());
        // The frame can be filled again.
        assert_eq!(Arc::strong_count(&frame), 1);
    }

    #[test]
    fn what_an_abandoned_look_finds_is_never_taken_for_that_of_the_next() {
        let moved = Drawn {
            corners_in_image: Drawn::default().corners_in_image.map(|corner| corner + 20.0),
            ..Drawn::default()
        };
        let mut lookout = Lookout::default();
        for _ in 0..3 {
            lookout.begin(frame(&Drawn::default()), TERMS, at(0));
            lookout.abandon();
            assert!(lookout.begun().is_none() && lookout.finish().is_none());
            lookout.begin(frame(&Drawn::default()), TERMS, at(1));
            lookout.begin(frame(&moved), TERMS, at(2));
            let (begun, look) = lookout.finish().unwrap();
            let corner = look.seen.unwrap().corners_in_image[0];
            assert_eq!(begun, at(2));
            assert!(corner.distance(moved.corners_in_image[0]) < 2.0, "{corner}");
        }
    }

    #[test]
    fn a_look_under_way_is_remembered_with_what_it_will_find() {
        let mut lookout = Lookout::default();
        assert!(lookout.memory().is_none());
        lookout.begin(frame(&Drawn::default()), TERMS, at(7));
        let memory = lookout.memory();
        let mut other = Lookout::with_memory(memory);
        let taken = [lookout.finish().unwrap(), other.finish().unwrap()];
        assert_eq!(taken[0].1.seen, taken[1].1.seen);
        assert_eq!(taken.map(|(begun, _)| begun), [at(7); 2]);
    }

    #[test]
    fn a_picture_without_a_table_says_why() {
        let mut lookout = Lookout::default();
        let mut frame = Frame::default();
        let (format, color) = (PixelFormat::Yuv420, ColorEncoding::default());
        let plain = frame.picture.reshape(format, 800, 450, color).unwrap();
        plain.fill(90);
        lookout.begin(Arc::new(frame), TERMS, at(0));
        let (_, look) = lookout.finish().unwrap();
        let why = look.seen.unwrap_err();
        assert!(why.contains("expected"), "{why}");
    }
}
