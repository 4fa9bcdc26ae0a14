//! Drawn frames with what the native program reads in them, to hold the WebAssembly against.
//! In: a model folder, an output folder, how many frames, people, a seed.
//! Out: `frames.rgba` (640×480, 4 bytes a pixel) and `readings.jsonl`, a frame each; 15 frames per second.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, bail};
use fer_drawn::Scene;
use fer_vision::ms;
use fer_wasm::PageReader;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const RATE: u32 = 15;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder, n_frames, n_people, seed] = arguments.as_slice() else {
        bail!("expected MODEL FOLDER FRAMES PEOPLE SEED");
    };
    let (model, folder) = (Path::new(model), Path::new(folder));
    let file = |name: &str| fs::read(model.join(name)).with_context(|| format!("{}/{name}", model.display()));
    let reader = PageReader::new(&file("card.json")?, &file("weights.safetensors")?)?;
    let mut stream = reader.stream()?;
    let scene = Scene::new(seed.parse()?, n_people.parse()?, WIDTH, HEIGHT);
    let (mut pixels, mut lines) = (Vec::new(), String::new());
    for frame in 0..n_frames.parse()? {
        let time = Duration::from_secs(1) * frame / RATE;
        let picture = scene.frame(time);
        pixels.extend(picture.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]));
        let reading = stream.read(picture, ms(time))?;
        lines += &(serde_json::to_string(&reading)? + "\n");
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("frames.rgba"), pixels)?;
    Ok(fs::write(folder.join("readings.jsonl"), lines)?)
}
