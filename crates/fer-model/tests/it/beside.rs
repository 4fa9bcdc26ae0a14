//! Networks side by side.

use burn::tensor::{Distribution, Tensor};
use fer_model::{
    Net,
    net::{BlockPlan, FoldedNet},
};

use crate::fixtures::cpu;

fn plain(width: usize) -> BlockPlan {
    BlockPlan::Plain { width, convs: 2, pool: true }
}

fn residual(width: usize, stride: usize) -> BlockPlan {
    BlockPlan::Residual { width, stride }
}

fn fresh(blocks: &[BlockPlan]) -> Net {
    Net::of_blocks(blocks, 7, 0.0, &cpu())
}

#[test]
fn side_by_side_networks_are_as_wide_as_all_and_see_their_mean() {
    let narrow = [plain(16), residual(16, 1), residual(32, 2)];
    let wide = [plain(32), residual(32, 1), residual(48, 2)];
    let nets = [fresh(&narrow), fresh(&wide), fresh(&narrow)];
    let beside = Net::side_by_side(&nets).unwrap();
    assert_eq!(beside.plan(), [plain(64), residual(64, 1), residual(112, 2)]);

    let faces = Tensor::random([5, 1, 48, 48], Distribution::Normal(0.0, 1.0), &cpu());
    let logits = nets.iter().map(|net| net.forward(faces.clone()));
    let mean = logits.reduce(|sum, one| sum + one).unwrap() / 3.0;
    for (form, own) in [
        ("training form", beside.forward(faces.clone())),
        ("folded", FoldedNet::fold(&beside).forward(faces.clone())),
    ] {
        let apart = (own - mean.clone()).abs().max().into_scalar::<f32>();
        // Other widths sum in another order, nothing else; the logits are about 1.
        assert!(apart < 1e-4, "{form}: {apart}");
    }
}

#[test]
fn networks_of_other_blocks_or_outputs_cannot_stand_side_by_side() {
    let own = fresh(&[plain(16), residual(32, 1)]);
    for other in [
        fresh(&[plain(16), residual(32, 2)]),
        fresh(&[plain(16), residual(16, 1)]),
        fresh(&[plain(16), plain(32)]),
        fresh(&[plain(16)]),
        Net::of_blocks(&[plain(16), residual(32, 1)], 8, 0.0, &cpu()),
    ] {
        assert!(Net::side_by_side(&[own.clone(), other]).is_none());
    }
    assert!(Net::side_by_side(&[]).is_none());
}
