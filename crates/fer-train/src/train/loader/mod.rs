//! Samples → batches, in an order and with an augmentation fixed by (seed, epoch, index).
//! In: a split's samples. Out: Burn data loaders of [`FaceBatch`].
//!
//! Burn's own loader shuffles by its own generator and its datasets do not know the epoch, so a
//! resumed run would see other batches; this one is a function of (seed, epoch, index).

mod mix;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, sync_channel},
    },
};

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderIterator, Progress},
        dataset::DatasetError,
    },
    tensor::{Device, Int, Tensor, TensorData},
};
use fer_data::{
    Samples,
    augment::{Augment, rng_for},
    balance,
    face::{PIXELS, SIDE, normalize},
};
use fer_model::card::HeadCard;
pub use mix::Mix;
use rand::RngExt;

use crate::train::heads::set_targets;

/// How many batches wait ready-made.
const READY: usize = 4;

/// Index of the first step's random stream; faces count up from 0, steps down from here.
const STEPS: u64 = u64::MAX - 1_000;

/// One step's faces.
#[derive(Clone, Debug)]
pub struct FaceBatch {
    /// Normalised faces, `[N, 1, 48, 48]`.
    pub images: Tensor<4>,
    /// Label distributions, `[N, n_logits]`: a head's columns sum to 1, or to 0 where a face has no
    /// label of its set.
    pub targets: Tensor<2>,
    /// Label indices of the first head, `[N]`.
    pub labels: Tensor<1, Int>,
    /// How its faces are to be mixed with each other.
    pub mix: Mix,
    /// Seed of this step's dropout.
    pub step_seed: u64,
    /// Faces of the whole step: more than this batch's where devices share it.
    pub n_step: usize,
}

/// What a loader does with its samples.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Faces per step.
    pub batch_size: usize,
    /// Devices that share each step's faces.
    pub n_devices: usize,
    /// Seed of order, augmentation, mixing and dropout.
    pub seed: u64,
    /// The augmentation; `None` keeps order and pixels as they are (validation).
    pub augment: Option<Augment>,
    /// Draw every class equally often.
    pub balanced: bool,
    /// Alpha of mixup; 0: off.
    pub mixup: f32,
    /// Alpha of CutMix; 0: off.
    pub cutmix: f32,
    /// The heads' label sets, in the order of the logits.
    pub heads: Vec<HeadCard>,
}

/// A loader over one split.
pub struct FaceLoader {
    samples: Arc<Samples>,
    recipe: Recipe,
    device: Device,
    /// Which device's share of each step this loader serves; `None`: the whole step.
    share: Option<usize>,
    /// The epoch that the next iteration serves, from 1.
    epoch: AtomicUsize,
}

impl FaceLoader {
    /// A loader whose first iteration is epoch `first_epoch` (from 1).
    #[must_use]
    pub fn new(samples: Arc<Samples>, recipe: Recipe, device: Device, first_epoch: usize) -> Self {
        Self { samples, recipe, device, share: None, epoch: AtomicUsize::new(first_epoch) }
    }

    /// Steps in one pass, on however many devices.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.samples.len().div_ceil(self.recipe.batch_size)
    }

    fn copy(&self, device: Device, share: Option<usize>) -> Self {
        Self {
            samples: Arc::clone(&self.samples),
            recipe: self.recipe.clone(),
            device,
            share,
            epoch: AtomicUsize::new(self.epoch.load(Ordering::SeqCst)),
        }
    }

    fn order(&self, epoch: usize) -> Vec<usize> {
        let n = self.samples.len();
        match (&self.recipe.augment, self.recipe.balanced) {
            (None, _) => (0..n).collect(),
            (Some(_), false) => balance::shuffled_order(n, self.recipe.seed, epoch as u64),
            (Some(_), true) => {
                let labels: Vec<usize> = self.samples.samples.iter().map(|sample| sample.label).collect();
                balance::balanced_order(&labels, self.recipe.seed, epoch as u64)
            }
        }
    }
}

/// The part of a step of `n_step` faces that a device takes.
fn part(share: Option<usize>, n_devices: usize, n_step: usize) -> Range<usize> {
    match share {
        None => 0..n_step,
        Some(idx) => idx * n_step / n_devices..(idx + 1) * n_step / n_devices,
    }
}

impl DataLoader<FaceBatch> for FaceLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<FaceBatch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst);
        let order = self.order(epoch);
        let total = self.num_items();
        let (samples, recipe, share) = (Arc::clone(&self.samples), self.recipe.clone(), self.share);
        let (sender, receiver) = sync_channel(READY);
        // Drawn, augmented and normalised on its own thread, so that the step never waits for it.
        // When the iterator is dropped, sending fails and the thread ends.
        std::thread::spawn(move || {
            for (step, chunk) in order.chunks(recipe.batch_size).enumerate() {
                // A last step may be too small for every device to take a face of it.
                let batch = host_batch(&samples, &recipe, (epoch, step), chunk, share);
                if !batch.labels.is_empty() && sender.send(batch).is_err() {
                    return;
                }
            }
        });
        Box::new(FaceIterator { receiver, device: self.device.clone(), done: 0, total })
    }

    fn num_items(&self) -> usize {
        let Recipe { batch_size, n_devices, .. } = self.recipe;
        let n = self.samples.len();
        let step = |first: usize| part(self.share, n_devices, batch_size.min(n - first)).len();
        (0..n).step_by(batch_size).map(step).sum()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<FaceBatch>> {
        Arc::new(self.copy(device.clone(), self.share))
    }

    /// One device's share of every step, whichever of [`Recipe::n_devices`] even ranges begins at `start`.
    ///
    /// Burn splits a loader into ranges for its devices. Taken as they are, each device would see its own
    /// faces in steps of its own size; shares of the same steps keep the schedule, and the faces of a
    /// step, those of one device.
    fn slice(&self, start: usize, _end: usize) -> Arc<dyn DataLoader<FaceBatch>> {
        let n_range = (self.samples.len() / self.recipe.n_devices).max(1);
        Arc::new(self.copy(self.device.clone(), Some(start / n_range)))
    }
}

struct FaceIterator {
    receiver: Receiver<HostBatch>,
    device: Device,
    done: usize,
    total: usize,
}

impl Iterator for FaceIterator {
    type Item = Result<FaceBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.receiver.recv().ok()?;
        self.done += batch.labels.len();
        Some(Ok(batch.onto(&self.device)))
    }
}

impl DataLoaderIterator<FaceBatch> for FaceIterator {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("faces".to_owned()))
    }
}

/// A batch before it reaches a device.
struct HostBatch {
    images: Vec<f32>,
    targets: Vec<f32>,
    labels: Vec<i64>,
    n_logits: usize,
    mix: Mix,
    step_seed: u64,
    n_step: usize,
}

impl HostBatch {
    fn onto(self, device: &Device) -> FaceBatch {
        let n = self.labels.len();
        FaceBatch {
            images: Tensor::from_data(TensorData::new(self.images, [n, 1, SIDE, SIDE]), device),
            targets: Tensor::from_data(TensorData::new(self.targets, [n, self.n_logits]), device),
            labels: Tensor::from_data(TensorData::new(self.labels, [n]), device),
            mix: self.mix,
            step_seed: self.step_seed,
            n_step: self.n_step,
        }
    }
}

fn host_batch(
    samples: &Samples,
    recipe: &Recipe,
    (epoch, step): (usize, usize),
    whole: &[usize],
    share: Option<usize>,
) -> HostBatch {
    let chunk = &whole[part(share, recipe.n_devices, whole.len())];
    let n_logits = recipe.heads.iter().map(|head| head.labels.len()).sum();
    let mut images = vec![0.0; chunk.len() * PIXELS];
    let mut targets = vec![0.0; chunk.len() * n_logits];
    let (inputs, _) = images.as_chunks_mut::<PIXELS>();
    for ((input, target), &idx) in inputs.iter_mut().zip(targets.chunks_mut(n_logits)).zip(chunk) {
        let sample = &samples.samples[idx];
        match &recipe.augment {
            None => normalize(&sample.face, input),
            Some(augment) => {
                let mut rng = rng_for(recipe.seed, epoch as u64, idx as u64);
                normalize(&augment.apply(&sample.face, &mut rng), input);
            }
        }
        set_targets(&recipe.heads, sample, target);
    }
    // Steps draw from streams of their own, apart from the faces' and from those of balance.rs.
    let mut rng = rng_for(recipe.seed, epoch as u64, STEPS - step as u64);
    HostBatch {
        images,
        targets,
        labels: chunk.iter().map(|&idx| samples.samples[idx].label as i64).collect(),
        n_logits,
        mix: Mix::draw(recipe.mixup, recipe.cutmix, &mut rng),
        step_seed: rng.random::<u64>().wrapping_add(share.unwrap_or(0) as u64),
        n_step: whole.len(),
    }
}
