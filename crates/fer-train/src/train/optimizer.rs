//! How the weights move.
//! In: the optimizer's config. Out: Burn's optimizer, with decay where it belongs.

use burn::{
    module::ParamGroup,
    optim::{AdamWConfig, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
};

use crate::config::{OptimizerConfig, OptimizerKind};

/// The optimizer: decay on convolution and head weights alone.
#[must_use]
pub(crate) fn optimizer(config: &OptimizerConfig) -> ModuleOptimizer {
    // Convolutions and the head name their weights `weight`; norms are `gamma` and `beta`.
    let weights = ParamGroup::from_predicate("weight");
    match config.kind {
        OptimizerKind::Sgd => {
            let momentum =
                MomentumConfig { momentum: f64::from(config.momentum), dampening: 0.0, nesterov: true };
            let plain = SgdConfig::new().with_momentum(Some(momentum));
            let decayed =
                plain.clone().with_weight_decay(Some(WeightDecayConfig { penalty: config.weight_decay }));
            ModuleOptimizer::from(plain.build()).with_group(weights, decayed.build(), None)
        }
        OptimizerKind::AdamW => {
            let adam = AdamWConfig::new().with_beta_1(config.momentum).with_epsilon(1e-8);
            let plain = adam.clone().with_weight_decay(0.0);
            let decayed = adam.with_weight_decay(config.weight_decay);
            ModuleOptimizer::from(plain.build()).with_group(weights, decayed.build(), None)
        }
    }
}
