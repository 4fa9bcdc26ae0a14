//! Faces of all clients → probabilities, batched for one network.
//! In: faces with somewhere to send the answer. Out: what the network said, in order of arrival.
//! One thread owns the classifier.
#![expect(clippy::disallowed_methods, reason = "a reading says how long each stage took")]

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Instant,
};

use fer_base::chain;
use fer_data::{Face, Labels};
use fer_vision::{Classified, Classify, VisionError};

/// Faces in one pass of the network; more wait for the next pass.
pub(crate) const MAX_BATCH: usize = 64;

/// Requests that may wait for the network; a further one waits to be handed over.
const MAX_WAITING: usize = 16;

/// What an answer is sent to: one row per face, and the time of the pass in ms.
type OnRead = Box<dyn FnOnce(Result<Answer, VisionError>) + Send>;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// What is said of each face.
    pub(crate) rows: Vec<Classified>,
    /// Time of the batch that held the request, in ms.
    pub(crate) classify_ms: f32,
}

/// How long the network may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Views {
    /// The next frame waits.
    OfFrame,
    /// As well as it can.
    OfPhoto,
}

struct Request {
    faces: Vec<Face>,
    views: Views,
    answer: OnRead,
}

/// The one door to the network. Clones share the same thread.
#[derive(Clone)]
pub(crate) struct Inference {
    requests: SyncSender<Request>,
    labels: Labels,
    face_threshold: f32,
}

impl Inference {
    /// Starts the thread that owns the classifier; it ends when the last clone is dropped.
    ///
    /// # Errors
    /// The system's, when no thread can be started.
    pub(crate) fn start(classifier: Arc<dyn Classify>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, receiver) = sync_channel(MAX_WAITING);
        let (labels, face_threshold) = (classifier.labels().clone(), classifier.face_threshold());
        let thread = std::thread::Builder::new()
            .name("inference".into())
            .spawn(move || run(&receiver, classifier.as_ref()))?;
        Ok((Self { requests, labels, face_threshold }, thread))
    }

    /// Hands over faces; the answer comes from the inference thread.
    pub(crate) fn submit(&self, faces: Vec<Face>, views: Views, answer: OnRead) {
        if let Err(unsent) = self.requests.send(Request { faces, views, answer }) {
            (unsent.0.answer)(Err(VisionError::classify("the server is stopping")));
        }
    }
}

impl Classify for Inference {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn face_threshold(&self) -> f32 {
        self.face_threshold
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.wait_for(faces, Views::OfFrame)
    }

    fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.wait_for(faces, Views::OfPhoto)
    }
}

impl Inference {
    fn wait_for(&self, faces: &[Face], views: Views) -> Result<Vec<Classified>, VisionError> {
        let (sender, receiver) = sync_channel(1);
        let answer = Box::new(move |answer| {
            // A caller that no longer listens needs no answer.
            drop(sender.send(answer));
        });
        self.submit(faces.to_vec(), views, answer);
        let answer = receiver.recv().map_err(|_| VisionError::classify("the network stopped"))?;
        answer.map(|answer| answer.rows)
    }
}

/// Takes what waits, reads it in one pass, sends the answers; until all senders are gone.
fn run(requests: &Receiver<Request>, classifier: &dyn Classify) {
    while let Ok(first) = requests.recv() {
        let mut batch = vec![first];
        let mut n_faces = batch[0].faces.len();
        while n_faces < MAX_BATCH
            && let Ok(next) = requests.try_recv()
        {
            n_faces += next.faces.len();
            batch.push(next);
        }
        let (frames, photos) = batch.into_iter().partition(|request| request.views == Views::OfFrame);
        answer_batch(frames, |faces| classifier.classify(faces));
        answer_batch(photos, |faces| classifier.classify_photo(faces));
    }
}

fn answer_batch(batch: Vec<Request>, classify: impl Fn(&[Face]) -> Result<Vec<Classified>, VisionError>) {
    let faces: Vec<Face> = batch.iter().flat_map(|request| request.faces.iter().cloned()).collect();
    let start = Instant::now();
    let rows = read(&faces, classify);
    let classify_ms = start.elapsed().as_secs_f32() * 1e3;
    match rows {
        Ok(rows) => {
            let mut rows = rows.into_iter();
            for request in batch {
                let rows = rows.by_ref().take(request.faces.len()).collect();
                (request.answer)(Ok(Answer { rows, classify_ms }));
            }
        }
        Err(problem) => {
            for request in batch {
                (request.answer)(Err(VisionError::classify(&problem)));
            }
        }
    }
}

/// One row per face, or why not: a network that fails or panics fails this batch and not the server.
fn read(
    faces: &[Face],
    classify: impl Fn(&[Face]) -> Result<Vec<Classified>, VisionError>,
) -> Result<Vec<Classified>, String> {
    if faces.is_empty() {
        return Ok(Vec::new());
    }
    let rows = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| classify(faces)))
        .map_err(|_| "the network panicked".to_owned())?
        .map_err(|error| chain(&error))?;
    if rows.len() == faces.len() {
        Ok(rows)
    } else {
        Err(format!("expected {} rows, found {}", faces.len(), rows.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Says a face's mean grey value, and remembers the batches it saw.
    struct Fake {
        labels: Labels,
        batches: Mutex<Vec<usize>>,
        gate: Mutex<()>,
    }

    impl Classify for Fake {
        fn labels(&self) -> &Labels {
            &self.labels
        }

        fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
            drop(self.gate.lock().expect("the test does not panic"));
            self.batches.lock().expect("the test does not panic").push(faces.len());
            if faces.iter().any(|face| face.pixels()[0] == 255) {
                return Err(VisionError::classify("white"));
            }
            Ok(faces.iter().map(|face| vec![f32::from(face.pixels()[0])].into()).collect())
        }

        /// Tells photos by a value that no frame has.
        fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
            Ok(faces.iter().map(|face| vec![-f32::from(face.pixels()[0])].into()).collect())
        }
    }

    fn fake() -> Arc<Fake> {
        Arc::new(Fake { labels: Labels::fer2013(), batches: Mutex::default(), gate: Mutex::default() })
    }

    #[test]
    fn requests_that_wait_together_are_read_together() {
        let classifier = fake();
        let (inference, _thread) = Inference::start(classifier.clone()).expect("a thread starts");
        let (sender, receiver) = std::sync::mpsc::channel();
        let gate = classifier.gate.lock().expect("the test does not panic");
        for value in [10_u8, 20, 30] {
            let sender = sender.clone();
            let faces = vec![Face::blank(value), Face::blank(value + 1)];
            inference.submit(
                faces,
                Views::OfFrame,
                Box::new(move |answer| {
                    sender.send(answer.expect("the fake reads grey").rows).expect("the test listens");
                }),
            );
        }
        drop(gate);
        let answers: Vec<_> = receiver.iter().take(3).collect();
        let rows = |values: [f32; 2]| values.map(|value| Classified::from(vec![value]));
        assert_eq!(answers[0], rows([10.0, 11.0]));
        assert_eq!(answers[2], rows([30.0, 31.0]));
        let batches = classifier.batches.lock().expect("the test does not panic");
        assert!(batches.len() < 3, "three requests came as {batches:?}");
    }

    #[test]
    fn a_failing_batch_fails_its_requests_and_the_next_one_is_read() {
        let (inference, _thread) = Inference::start(fake()).expect("a thread starts");
        let error = inference.classify(&[Face::blank(255)]).expect_err("white faces fail");
        assert!(error.to_string().contains("white"), "{error}");
        let rows = inference.classify(&[Face::blank(7)]).expect("grey faces are read");
        assert_eq!(rows, [Classified::from(vec![7.0])]);
    }

    #[test]
    fn photos_and_frames_that_wait_together_are_read_each_in_its_own_way() {
        let classifier = fake();
        let (inference, _thread) = Inference::start(classifier.clone()).expect("a thread starts");
        let (sender, receiver) = std::sync::mpsc::channel();
        let gate = classifier.gate.lock().expect("the test does not panic");
        let asked = [(1, Views::OfFrame), (2, Views::OfPhoto), (3, Views::OfFrame), (4, Views::OfPhoto)];
        for (value, views) in asked {
            let sender = sender.clone();
            let answer = Box::new(move |answer: Result<Answer, VisionError>| {
                let rows = answer.expect("the fake reads grey").rows;
                sender.send(rows[0].probabilities[0]).expect("the test listens");
            });
            inference.submit(vec![Face::blank(value)], views, answer);
        }
        drop(gate);
        let mut answers: Vec<f32> = receiver.iter().take(4).collect();
        answers.sort_by(f32::total_cmp);
        assert_eq!(answers, [-4.0, -2.0, 1.0, 3.0]);
    }
}
