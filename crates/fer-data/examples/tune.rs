
use std::time::Duration;
use fer_data::drawn::{Person, Scene};
fn main() {
    let out = std::env::args().nth(1).unwrap();
    let first: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let n: u64 = std::env::args().nth(3).unwrap().parse().unwrap();
    std::fs::create_dir_all(&out).unwrap();
    for seed in first..first + n {
        let scene = Scene::new(seed, 1, 640, 480);
        let tone = scene.people().next().map_or(0, Person::tone);
        for i in 0..13 {
            let t = Duration::from_millis(1600 * i + 900);
            let e = scene.truth(t)[0].emotion;
            image::DynamicImage::ImageRgb8(scene.frame(t)).to_luma8().save(format!("{out}/{seed}-{tone}-{e}-{i}.pgm")).unwrap();
        }
    }
}
