//! The wgpu path, proved on whatever adapter there is: Mesa's software renderer will do.

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn_train::TrainStep;
use fer_data::Split;
use fer_model::{DeviceChoice, ModelError};
use fer_net::{choose, device::several};
use fer_train::train::loader::{FaceBatch, FaceLoader};
use fer_train::train::step::Trainee;

use crate::train::runs::{alone, config, fresh, plain_recipe, seven};

fn losses(device: &Device, start: &Trainee) -> Vec<f32> {
    let samples = std::sync::Arc::new(fer_drawn::samples(Split::Train, 4, 3));
    let recipe = plain_recipe(14, 1, seven());
    let loader = FaceLoader::new(samples, recipe, device.clone(), 1);
    let batches: Vec<FaceBatch> = loader.iter().map(Result::unwrap).collect();
    // A round trip through a record: `fork` would share batch-norm statistics between the devices.
    let mut trainee = fresh(&plain(), device).load_record(start.clone().into_record());
    let mut optimizer = SgdConfig::new().init();
    let mut losses = Vec::new();
    for batch in batches.iter().cycle().take(4) {
        let step = TrainStep::step(&trainee, batch.clone());
        losses.push(step.item.loss.into_scalar::<f32>());
        trainee = trainee.optimize(&mut optimizer, 0.02.into(), step.grads);
    }
    losses
}

fn plain() -> fer_train::config::Config {
    config(&["model.dropout=0", "train.mixup=0", "average.ema_decay=0"])
}

#[test]
fn steps_on_wgpu_agree_with_steps_on_the_cpu() {
    let _turn = alone();
    let wgpu = match choose(DeviceChoice::Wgpu) {
        Ok(chosen) => chosen.device.autodiff(),
        Err(ModelError::Device { reason, .. }) => {
            eprintln!("skipped: {reason}");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let cpu = choose(DeviceChoice::Cpu).unwrap().device.autodiff();
    let start = fresh(&plain(), &cpu);
    let (cpu, wgpu) = (losses(&cpu, &start), losses(&wgpu, &start));
    for (step, (a, b)) in cpu.iter().zip(&wgpu).enumerate() {
        assert!((a - b).abs() < 1e-3, "step {step}: {a} on the CPU, {b} on wgpu");
    }
    assert!(cpu[2] < cpu[0], "the steps learn: {cpu:?}");
}

#[test]
fn more_gpus_than_there_are_are_refused_with_what_was_seen() {
    let Ok(one) = choose(DeviceChoice::Wgpu) else {
        eprintln!("skipped: no adapter");
        return;
    };
    assert_eq!(several(&one, 1).unwrap(), std::slice::from_ref(&one.device));
    let error = several(&one, 99).unwrap_err();
    assert!(error.to_string().contains("wgpu saw only"), "{error}");
    let cpu = choose(DeviceChoice::Cpu).unwrap();
    assert_eq!(several(&cpu, 3).unwrap().len(), 3);
}
