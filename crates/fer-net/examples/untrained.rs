//! Writes model folders with fresh weights, for speed comparisons and for trying the file format.
//! In: a folder. Out: one model folder a preset in it: `tiny`, `small`, `base`, `vgg`.
//! Usage: `cargo run --release -p fer-net --example untrained -- FOLDER`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use fer_data::Labels;
use fer_model::{Architecture, DeviceChoice, ModelCard};
use fer_net::{Net, checkpoint, choose};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: untrained FOLDER")?);
    let device = choose(DeviceChoice::Cpu)?.device;
    device.seed(1);
    for architecture in Architecture::ALL {
        let labels = Labels::fer2013();
        let net = Net::new(architecture, labels.len(), 0.0, &device);
        let mut card = ModelCard::new(architecture, labels, "1970-01-01");
        card.selection = "nothing: these weights are untrained".to_owned();
        let path = folder.join(architecture.name());
        checkpoint::save(&path, &net, &card)?;
        println!("{}", path.display());
    }
    Ok(())
}
