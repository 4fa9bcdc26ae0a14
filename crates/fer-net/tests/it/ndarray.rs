//! The optional NdArray backend still reads faces, for as long as Burn ships it.
#![allow(deprecated)] // Burn 0.22 deprecates it in favour of Flex; this test is all that keeps it in.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use fer_model::Architecture;
use fer_net::Net;

#[test]
fn ndarray_and_flex_give_the_same_logits() {
    let (flex, ndarray) = (Device::flex(), Device::ndarray());
    let net = Net::new(Architecture::Tiny, 7, 0.0, &flex);
    let faces = Tensor::<4>::random([3, 1, 48, 48], Distribution::Normal(0.0, 1.0), &flex);
    let copy = Net::new(Architecture::Tiny, 7, 0.0, &ndarray).load_record(net.clone().into_record());
    let expected = net.forward(faces.clone()).into_data();
    let found = copy.forward(Tensor::from_data(faces.into_data(), &ndarray)).into_data();
    found.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
}
