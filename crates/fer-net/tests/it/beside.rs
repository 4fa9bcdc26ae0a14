//! Networks side by side.

use burn::module::{Module, ModuleMapper, Param};
use burn::store::ModuleSnapshot;
use burn::tensor::{Distribution, Tensor};
use fer_model::net::{BlockPlan, NetPlan, Pooling};
use fer_net::{Frozen, Net};

use crate::fixtures::cpu;

fn plain(width: usize) -> BlockPlan {
    BlockPlan::Plain { width, convs: 2, pool: true }
}

fn residual(width: usize, stride: usize) -> BlockPlan {
    BlockPlan::Residual { width, stride }
}

fn separable(width: usize, stride: usize) -> BlockPlan {
    BlockPlan::Separable { width, stride }
}

fn fresh(blocks: &[BlockPlan]) -> Net {
    Net::of_plan(&NetPlan::of_one_trunk(blocks), 7, 0.0, &cpu())
}

/// A network whose places have weights that differ.
fn weighted(blocks: &[BlockPlan]) -> Net {
    let plan = NetPlan { pooling: Pooling::Weighted, ..NetPlan::of_one_trunk(blocks) };
    with_drawn_places(Net::of_plan(&plan, 7, 0.0, &cpu()))
}

/// The network with weights of places that training might have left.
fn with_drawn_places(net: Net) -> Net {
    struct Draw;
    impl ModuleMapper for Draw {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            // No other parameter of these networks has three axes.
            param.map(|own| if D == 3 { own.random_like(Distribution::Normal(0.0, 0.5)) } else { own })
        }
    }
    net.map(&mut Draw)
}

/// Whether both forms of a network give these logits, but for another order of sums; they are about 1.
fn gives(net: &Net, faces: &Tensor<4>, logits: &Tensor<2>) {
    for (form, own) in
        [("training form", net.forward(faces.clone())), ("folded", Frozen::new(net).forward(faces.clone()))]
    {
        let apart = (own - logits.clone()).abs().max().into_scalar::<f32>();
        assert!(apart < 1e-4, "{form}: {apart}");
    }
}

fn faces() -> Tensor<4> {
    Tensor::random([5, 1, 48, 48], Distribution::Normal(0.0, 1.0), &cpu())
}

#[test]
fn side_by_side_networks_are_as_wide_as_all_and_see_their_mean() {
    let narrow = [plain(16), residual(16, 1), residual(32, 2)];
    let wide = [plain(32), residual(32, 1), residual(48, 2)];
    let nets = [fresh(&narrow), fresh(&wide), fresh(&narrow)];
    let beside = Net::side_by_side(&nets).unwrap();
    assert_eq!(beside.plan(), NetPlan::of_one_trunk(&[plain(64), residual(64, 1), residual(112, 2)]));

    let faces = faces();
    let logits = nets.iter().map(|net| net.forward(faces.clone()));
    let mean = logits.reduce(|sum, one| sum + one).unwrap() / 3.0;
    gives(&beside, &faces, &mean);
}

#[test]
fn a_plan_knows_how_many_parameters_its_network_has() {
    for blocks in [
        vec![plain(16), residual(16, 1), residual(32, 2)],
        vec![plain(16), separable(16, 1), separable(24, 1), separable(40, 2)],
    ] {
        for net in [fresh(&blocks), weighted(&blocks)] {
            let trained =
                net.collect(None, None, true).into_iter().filter(|own| !own.name.contains("running"));
            let n: usize = trained.map(|own| own.shape.to_vec().iter().product::<usize>()).sum();
            assert_eq!(net.plan().size(7).parameters, n, "{}", net.plan());
        }
    }
}

#[test]
fn separable_blocks_stand_side_by_side_too() {
    let blocks = [plain(16), separable(24, 1), separable(40, 2)];
    let nets = [fresh(&blocks), fresh(&blocks)];
    let beside = Net::side_by_side(&nets).unwrap();
    assert_eq!(beside.plan(), NetPlan::of_one_trunk(&[plain(32), separable(48, 1), separable(80, 2)]));
    let faces = faces();
    let mean = (nets[0].forward(faces.clone()) + nets[1].forward(faces.clone())) / 2.0;
    gives(&beside, &faces, &mean);
    assert!(Net::side_by_side(&[fresh(&[separable(16, 1)]), fresh(&[separable(16, 1)])]).is_none());
    let whole = fresh(&[plain(16), residual(24, 1), residual(40, 2)]);
    assert!(Net::side_by_side(&[nets[0].clone(), whole]).is_none());
}

#[test]
fn weighted_pooling_begins_as_means_and_both_forms_agree_on_it() {
    let blocks = [plain(16), residual(32, 2)];
    let means = fresh(&blocks);
    let faces = faces();
    let begun = means.clone().with_weighted_pooling();
    assert_eq!(begun.plan().to_string(), format!("{}, weighted pooling", means.plan()));
    gives(&begun, &faces, &means.forward(faces.clone()));

    let (one, two) = (weighted(&blocks), weighted(&blocks));
    let logits = one.forward(faces.clone());
    gives(&one, &faces, &logits);
    assert_eq!(one.plan().size(7).parameters, means.plan().size(7).parameters + 32 * 12 * 12);
    let mean = (logits.clone() + two.forward(faces.clone()) + means.forward(faces.clone())) / 3.0;
    for joined in [Net::side_by_side, Net::as_trunks] {
        gives(&joined(&[one.clone(), two.clone(), means.clone()]).unwrap(), &faces, &mean);
    }

    // A weight moves what it stands for alone: the same face, turned, gives other features.
    let turned = one.forward(faces.clone().flip([3])) - logits;
    assert!(turned.abs().max().into_scalar::<f32>() > 1e-2);
}

#[test]
fn standardized_faces_are_read_alike_in_any_light() {
    let blocks = [plain(16), residual(32, 2)];
    let plan = NetPlan { standardizes: true, ..NetPlan::of_one_trunk(&blocks) };
    let net = || Net::of_plan(&plan, 7, 0.0, &cpu());
    let (one, two, faces) = (net(), net(), faces());
    let logits = one.forward(faces.clone());
    gives(&one, &faces, &logits);
    for other_light in [faces.clone() * 2.0 + 0.7, faces.clone() * 0.7 - 1.0] {
        let apart = (one.forward(other_light.clone()) - logits.clone()).abs().max().into_scalar::<f32>();
        // The floor under the deviation, 0.05 of about 1, keeps them from being equal.
        assert!(apart < 0.1, "{apart}");
        gives(&one, &other_light, &one.forward(other_light.clone()));
    }
    // A blank crop is one, whatever its grey.
    let blank = Tensor::zeros([1, 1, 48, 48], &cpu());
    gives(&one, &(blank.clone() + 1.5), &one.forward(blank));

    assert_eq!(one.plan().to_string(), format!("standardized faces, {}", fresh(&blocks).plan()));
    let mean = (logits + two.forward(faces.clone())) / 2.0;
    for joined in [Net::side_by_side, Net::as_trunks] {
        gives(&joined(&[one.clone(), two.clone()]).unwrap(), &faces, &mean);
        assert!(joined(&[one.clone(), fresh(&blocks)]).is_none());
    }
}

#[test]
fn trunks_stay_apart_and_each_counts_alike() {
    let blocks = [plain(16), residual(32, 2)];
    let nets = [fresh(&blocks), fresh(&blocks), fresh(&blocks)];
    let two = Net::as_trunks(&nets[..2]).unwrap();
    let three = Net::as_trunks(&[two.clone(), nets[2].clone()]).unwrap();
    assert_eq!(three.plan(), NetPlan { n_trunks: 3, ..NetPlan::of_one_trunk(&blocks) });
    let parameters = three.plan().size(7).parameters;
    assert_eq!(
        parameters,
        3 * fresh(&blocks).plan().size(7).parameters - 2 * 7,
        "one bias a label, not three"
    );

    let faces = faces();
    let logits = nets.iter().map(|net| net.forward(faces.clone()));
    gives(&three, &faces, &(logits.reduce(|sum, one| sum + one).unwrap() / 3.0));

    for other in [fresh(&[plain(16)]), fresh(&[plain(16), residual(48, 2)])] {
        assert!(Net::as_trunks(&[nets[0].clone(), other]).is_none());
    }
    assert!(Net::as_trunks(&[]).is_none());
}

#[test]
fn networks_of_other_blocks_or_outputs_cannot_stand_side_by_side() {
    let own = fresh(&[plain(16), residual(32, 1)]);
    for other in [
        fresh(&[plain(16), residual(32, 2)]),
        fresh(&[plain(16), residual(16, 1)]),
        fresh(&[plain(16), plain(32)]),
        fresh(&[plain(16)]),
        Net::of_plan(&NetPlan::of_one_trunk(&[plain(16), residual(32, 1)]), 8, 0.0, &cpu()),
        Net::as_trunks(&[own.clone(), own.clone()]).unwrap(),
    ] {
        assert!(Net::side_by_side(&[own.clone(), other]).is_none());
    }
    assert!(Net::side_by_side(&[]).is_none());
}
