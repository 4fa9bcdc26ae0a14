//! One training step, and one validation step, of a network.
//! In: batches. Out: loss, logits and gradients for Burn's learner.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::{GradientsParams, ModuleOptimizer, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::{Device, Tensor, activation::log_softmax},
};
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use fer_net::Net;

use crate::{
    config::Config,
    error::TrainError,
    train::failure::Failure,
    train::heads::Head,
    train::loader::FaceBatch,
    train::teacher::Teacher,
    train::weight_average::{decay_at, moved},
};

/// A network with its running average and the loss's settings.
#[derive(Module, Debug)]
pub struct Trainee {
    net: Net,
    average: Option<Net>,
    #[module(skip)]
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    heads: Vec<Head>,
    teacher: Option<Teacher>,
    clip_norm: f32,
    decay: f64,
    /// Loss weight per label; empty: all 1.
    class_weights: Vec<f32>,
    /// Steps taken so far, over all epochs: clones share it.
    steps: Arc<AtomicUsize>,
    watch: Option<Watch>,
}

/// Called back with a loss or a gradient that is no number.
#[derive(Clone, Debug)]
struct Watch {
    failure: Failure,
    steps_per_epoch: usize,
}

impl Settings {
    /// Stops the run when a value of the current step is NaN or infinite.
    fn expect_finite(&self, what: &'static str, value: f32) {
        let Some(watch) = self.watch.as_ref().filter(|_| !value.is_finite()) else { return };
        let done = self.steps.load(Ordering::SeqCst);
        watch.failure.stop(TrainError::Diverged {
            epoch: done / watch.steps_per_epoch + 1,
            step: done % watch.steps_per_epoch + 1,
            what,
            value,
        });
    }

    fn has_diverged(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.failure.is_set())
    }
}

impl Trainee {
    /// A network with the config's settings, fresh or starting from `start`; `class_weights` is empty
    /// or one weight a label.
    ///
    /// `steps_done` is 0, or the steps before the checkpoint that will be loaded.
    #[must_use]
    pub fn new(
        config: &Config,
        heads: Vec<Head>,
        teacher: Option<Teacher>,
        class_weights: Vec<f32>,
        steps_done: usize,
        device: &Device,
        start: Option<&Net>,
    ) -> Self {
        let n_logits = heads.iter().map(|head| head.card.labels.len()).sum();
        let fresh = || Net::of_plan(&config.model.plan(), n_logits, config.model.dropout, device);
        device.seed(config.train.seed);
        let net = match start {
            Some(start) => moved(fresh(), start, 0.0),
            None => fresh(),
        };
        let decay = config.average.ema_decay;
        let average = (decay > 0.0).then(|| moved(fresh().no_grad(), &net, 0.0));
        let settings = Settings {
            heads,
            teacher,
            clip_norm: config.optimizer.clip_norm,
            decay,
            class_weights,
            steps: Arc::new(AtomicUsize::new(steps_done)),
            watch: None,
        };
        Self { net, average, settings }
    }

    fn first_head(&self, logits: Tensor<2>) -> Tensor<2> {
        let n_labels = self.settings.heads[0].card.labels.len();
        logits.narrow(1, 0, n_labels)
    }

    /// Tells `failure` of the first loss or gradient norm that is NaN or infinite, and stops stepping.
    #[must_use]
    pub fn watched_by(mut self, failure: Failure, steps_per_epoch: usize) -> Self {
        self.settings.watch = Some(Watch { failure, steps_per_epoch });
        self
    }

    /// The network that is judged: the average where there is one, else the raw weights.
    #[must_use]
    pub fn judged(&self) -> &Net {
        self.average.as_ref().unwrap_or(&self.net)
    }
}

impl TrainStep for Trainee {
    type Input = FaceBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: FaceBatch) -> TrainOutput<ClassificationOutput> {
        batch.images.device().seed(batch.step_seed);
        // Burn adds up the devices' gradients: each counts by its share of the step's faces.
        let share = batch.images.dims()[0] as f32 / batch.n_step as f32;
        let (images, targets) = batch.mix.apply(batch.images, batch.targets);
        let logits = self.net.forward(images.clone());
        let loss = self.settings.loss(&logits, targets, images);
        self.settings.expect_finite("the loss", loss.clone().into_scalar::<f32>());
        let output = ClassificationOutput::new(loss.clone(), self.first_head(logits), batch.labels);
        TrainOutput::new(self, (loss * share).backward(), output)
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        mut grads: GradientsParams,
    ) -> Self {
        let norm = clip(&self.net, &mut grads, self.settings.clip_norm);
        self.settings.expect_finite("the gradients' norm", norm);
        if self.settings.has_diverged() {
            return self;
        }
        let stepped = optim.step(rate, self, grads);
        let Trainee { net, average, settings } = stepped;
        let step = settings.steps.fetch_add(1, Ordering::SeqCst);
        let average = average.map(|average| moved(average, &net, decay_at(step, settings.decay)));
        Trainee { net, average, settings }
    }
}

impl InferenceStep for Trainee {
    type Input = FaceBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: FaceBatch) -> ClassificationOutput {
        let logits = self.judged().forward(batch.images);
        let of_head = |head: &Head| cross_entropy(of(head, &logits), of(head, &batch.targets), &[]);
        let loss = self.settings.over_heads(of_head);
        ClassificationOutput::new(loss, self.first_head(logits), batch.labels)
    }
}

impl Settings {
    /// The loss of a step, `[1]`: every head's, by its part; labels and teacher by the teacher's weight.
    fn loss(&self, logits: &Tensor<2>, targets: Tensor<2>, images: Tensor<4>) -> Tensor<1> {
        let taught = self
            .teacher
            .as_ref()
            .map(|teacher| (teacher, Tensor::from_inner(teacher.targets(images.inner(), &self.heads))));
        let of_head = |head: &Head| {
            let own = adjusted(of(head, logits), &head.adjustment);
            let labels = smoothed(of(head, &targets), head.smoothing);
            let weights: &[f32] = if head.start == 0 { &self.class_weights } else { &[] };
            let loss = cross_entropy(own, labels, weights);
            let Some((teacher, soft)) = &taught else { return loss };
            // Gradients of softened logits shrink by the temperature's square, which this gives back.
            let scale = teacher.temperature * teacher.temperature;
            let own = of(head, logits) / teacher.temperature;
            let distance = cross_entropy(own, of(head, soft), &[]) * scale;
            loss * (1.0 - teacher.weight) + distance * teacher.weight
        };
        self.over_heads(of_head)
    }

    /// The sum of every head's loss, by its part.
    fn over_heads(&self, of_head: impl Fn(&Head) -> Tensor<1>) -> Tensor<1> {
        let parts = self.heads.iter().map(|head| of_head(head) * head.part);
        parts.reduce(|sum, one| sum + one).expect("a network has a head")
    }
}

/// A head's columns of `[N, n_logits]`.
fn of(head: &Head, all: &Tensor<2>) -> Tensor<2> {
    all.clone().narrow(1, head.start, head.card.labels.len())
}

fn adjusted(logits: Tensor<2>, adjustment: &[f32]) -> Tensor<2> {
    if adjustment.is_empty() {
        return logits;
    }
    let device = logits.device();
    logits + Tensor::<1>::from_floats(adjustment, &device).reshape([1, adjustment.len()])
}

fn smoothed(targets: Tensor<2>, smoothing: f32) -> Tensor<2> {
    if smoothing == 0.0 {
        return targets;
    }
    let n_labels = targets.dims()[1];
    // A row without a label stays without one.
    let mass = targets.clone().sum_dim(1);
    targets * (1.0 - smoothing) + mass * (smoothing / n_labels as f32)
}

/// Mean cross-entropy against label distributions, `[1]`; weighted by class where weights are given.
///
/// Burn's `CrossEntropyLoss` takes label indices alone; mixed and FER+ labels are distributions.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, class_weights: &[f32]) -> Tensor<1> {
    let [n, n_labels] = logits.dims();
    let targets = if class_weights.is_empty() {
        targets
    } else {
        let device = targets.device();
        targets * Tensor::<1>::from_floats(class_weights, &device).reshape([1, n_labels])
    };
    (log_softmax(logits, 1) * targets).sum().neg() / n as f32
}

/// Scales all gradients of a network so that their norm together is at most `limit`, and returns the
/// norm before; 0: nothing is scaled.
///
/// Burn clips each parameter by itself, which changes the direction of the step; recipes clip the whole.
fn clip(net: &Net, grads: &mut GradientsParams, limit: f32) -> f32 {
    let mut squares = SumOfSquares { grads, sum: None };
    net.visit(&mut squares);
    let norm = squares.sum.map_or(0.0, |sum| sum.sqrt().into_scalar::<f32>());
    if limit > 0.0 && norm > limit {
        net.visit(&mut ScaleGradients { grads, factor: limit / norm });
    }
    norm
}

struct SumOfSquares<'a> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let square = grad.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct ScaleGradients<'a> {
    grads: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for ScaleGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.grads.register(param.id, grad * self.factor);
        }
    }
}
