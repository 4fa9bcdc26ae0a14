//! Faces found and ids per person, against the drawn truth.
//! In: drawn scenes of one to five people, and empty rooms. Out: a table.

use std::collections::BTreeSet;

use fer_drawn::Scene;
use fer_vision::{Finder, Frame, VisionError};

use super::{BenchArgs, is_at, time_of, true_box};

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    println!(
        "size       people  scenes  found    ids per person  false faces/frame  box/truth  dx     dy     score min/p5/p50"
    );
    for size in [(640, 480), (1280, 720), (320, 240)] {
        for n_people in [0, 1, 2, 3, 5] {
            let mut count = Count::default();
            for seed in args.common.seed..args.common.seed + 6 {
                let finder = args.finder(1.0)?;
                count.add(finder, &Scene::new(seed, n_people, size.0, size.1), args.frames)?;
            }
            println!("{}", count.row(size, n_people));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    n_scenes: u32,
    n_frames: u64,
    n_true: u64,
    n_found: u64,
    n_false: u64,
    ids: usize,
    people: usize,
    sizes: Vec<f32>,
    right: Vec<f32>,
    down: Vec<f32>,
    scores: Vec<f32>,
}

impl Count {
    fn add(&mut self, mut finder: Finder, scene: &Scene, n_frames: u64) -> Result<(), VisionError> {
        let n_people = scene.people().count();
        let mut ids = vec![BTreeSet::new(); n_people];
        for index in 0..n_frames {
            let timestamp = time_of(index);
            let found = finder.find(&Frame { picture: scene.frame(timestamp), timestamp, index })?;
            let truth = scene.truth(timestamp);
            for face in found.faces.iter().filter(|face| face.crop.is_some()) {
                let person = truth.iter().find(|truth| is_at(truth, &face.face_box));
                let Some(person) = person else {
                    self.n_false += 1;
                    continue;
                };
                self.n_found += 1;
                ids[person.id].insert(face.track);
                let (tx, ty) = true_box(person).center();
                let (x, y) = face.face_box.center();
                self.sizes.push(face.face_box.width / person.width);
                self.right.push((x - tx) / person.width);
                self.down.push((y - ty) / person.width);
                self.scores.push(face.face_box.score);
            }
            self.n_true += n_people as u64;
            self.n_frames += 1;
        }
        self.n_scenes += 1;
        self.people += n_people;
        self.ids += ids.iter().map(BTreeSet::len).sum::<usize>();
        Ok(())
    }

    fn row(&mut self, size: (u32, u32), n_people: usize) -> String {
        let found = 100.0 * self.n_found as f64 / self.n_true.max(1) as f64;
        let ids = self.ids as f64 / self.people.max(1) as f64;
        let false_faces = self.n_false as f64 / self.n_frames.max(1) as f64;
        let size = format!("{}×{}", size.0, size.1);
        let middle = |values: &mut Vec<f32>| super::percentiles(values).0;
        let (ratio, dx, dy) = (middle(&mut self.sizes), middle(&mut self.right), middle(&mut self.down));
        self.scores.sort_by(f32::total_cmp);
        let score = |part: f64| {
            let at = ((self.scores.len() as f64 - 1.0).max(0.0) * part) as usize;
            self.scores.get(at).copied().unwrap_or(0.0)
        };
        format!(
            "{size:<10} {n_people:>6}  {:>6}  {found:>5.1} %  {ids:>14.2}  {false_faces:>17.4}  {ratio:>9.3}  {dx:>+.3} {dy:>+.3} {:>4}/{}/{}",
            self.n_scenes,
            score(0.0),
            score(0.05),
            score(0.5)
        )
    }
}
