//! The exponential average of a network's weights.
//! In: an average and the newest weights. Out: the moved average.

use std::{any::Any, collections::VecDeque};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::Tensor,
};

/// Moves `average` towards `module`: `average · decay + module · (1 - decay)`.
///
/// Both modules have the same shape; a decay of 0 copies. Batch-norm statistics are averaged with the
/// weights. The average must be a module of its own, not a clone: clones share batch-norm statistics,
/// and gradients and optimizer states are found by parameter id.
#[must_use]
pub(crate) fn moved<M: Module>(average: M, module: &M, decay: f64) -> M {
    let mut newest = Collect::default();
    module.visit(&mut newest);
    average.map(&mut Move { newest: newest.tensors, decay })
}

/// The decay of a step: small in the first steps, so that the random start is forgotten
/// (as in TensorFlow's `ExponentialMovingAverage`).
#[must_use]
pub(crate) fn decay_at(step: usize, decay: f64) -> f64 {
    decay.min((1.0 + step as f64) / (10.0 + step as f64))
}

#[derive(Default)]
struct Collect {
    tensors: VecDeque<Box<dyn Any>>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.push_back(Box::new(param.val().without_autodiff()));
    }
}

struct Move {
    newest: VecDeque<Box<dyn Any>>,
    decay: f64,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let newest = self.newest.pop_front().expect("both modules have the same parameters");
        let newest = newest.downcast::<Tensor<D>>().expect("in the same order");
        let newest = newest.to_device(&tensor.device().inner());
        let moved = tensor.clone().without_autodiff() * self.decay + newest * (1.0 - self.decay);
        let moved = if tensor.device().is_autodiff() { Tensor::from_inner(moved) } else { moved };
        let moved = if tensor.is_require_grad() { moved.require_grad() } else { moved };
        Param::from_mapped_value(id, moved, mapper)
    }
}
