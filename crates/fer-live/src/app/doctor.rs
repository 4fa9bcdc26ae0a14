//! What is well here and what is not.
//! In: the machine. Out: a line per finding, with what to do when it is not well.

use fer_base::chain;
use fer_vision::yunet::{BYTES, FILE, SHA256, WHERE};

use super::Streams;
use crate::cli::DoctorArgs;
use crate::face_detector::{DetectorKind, DetectorOptions, yunet};
use crate::source::{Camera, cameras};

/// Writes all findings.
pub(super) fn run(args: &DoctorArgs, streams: &mut Streams<'_>) {
    let mut findings = Vec::new();
    findings.push(Finding::well("fer-live", env!("CARGO_PKG_VERSION")));
    opencv(&mut findings);
    cascade(args, &mut findings);
    findings.push(yunet(args));
    camera_list(&mut findings);
    display(&mut findings);
    model(args, &mut findings);
    for finding in &findings {
        streams.say(&finding.line());
    }
    let n_ill = findings.iter().filter(|finding| finding.remedy.is_some()).count();
    streams.say(&match n_ill {
        0 => "all is well".to_owned(),
        _ => format!("{n_ill} to look at (marked !)"),
    });
}

/// One thing that was looked at.
struct Finding {
    what: String,
    found: String,
    /// What to do; only when it is not well.
    remedy: Option<String>,
}

impl Finding {
    fn well(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), found: found.into(), remedy: None }
    }

    fn ill(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.to_owned(), found: found.into(), remedy: Some(remedy.into()) }
    }

    fn line(&self) -> String {
        let mark = if self.remedy.is_some() { "!" } else { " " };
        let remedy =
            self.remedy.as_ref().map_or_else(String::new, |remedy| format!("\n  {:10} → {remedy}", ""));
        format!("{mark} {:10} {}{remedy}", self.what, self.found)
    }
}

#[cfg(feature = "opencv")]
fn opencv(findings: &mut Vec<Finding>) {
    use crate::opencv::{cascade_places, facts};

    let facts = facts();
    findings.push(Finding::well("opencv", facts.version));
    for line in facts.backends {
        let found = Finding::well("opencv", line.clone());
        let lacks = line.starts_with("FFMPEG:") && line.contains("NO");
        let remedy = "videos and addresses will not open: install an OpenCV that is built with FFmpeg";
        findings.push(if lacks { Finding::ill("opencv", line, remedy) } else { found });
    }
    let folders: Vec<String> =
        cascade_places().iter().filter_map(|place| Some(place.parent()?.display().to_string())).collect();
    let looked = format!("for --detector opencv looked for in {}", folders.join(", "));
    findings.push(Finding::well("cascade", looked));
}

#[cfg(not(feature = "opencv"))]
fn opencv(findings: &mut Vec<Finding>) {
    let remedy = "no cameras, videos and windows: build with the feature opencv";
    findings.push(Finding::ill("opencv", "not in this build", remedy));
}

fn cascade(args: &DoctorArgs, findings: &mut Vec<Finding>) {
    let options = DetectorOptions { cascade: args.cascade.clone(), ..DetectorOptions::default() };
    findings.push(match (options.build(), &args.cascade) {
        (Ok(_), Some(path)) => Finding::well("cascade", path.display().to_string()),
        (Ok(_), None) => Finding::well("cascade", "OpenCV's frontal face, built in"),
        (Err(error), _) => {
            Finding::ill("cascade", chain(&error), "give another file, or none: --cascade FILE")
        }
    });
}

/// Where YuNet's file is to be had, or whether the given one is it.
fn yunet(args: &DoctorArgs) -> Finding {
    let remedy = format!("fetch {FILE}: {WHERE}; {BYTES} bytes, SHA-256 {SHA256}");
    let Some(path) = &args.detector_model else {
        return Finding::well("yunet", format!("not needed; for --detector yunet, {remedy}"));
    };
    let options = DetectorOptions {
        kind: DetectorKind::Yunet,
        yunet: Some(path.clone()),
        ..DetectorOptions::default()
    };
    let shown = path.display();
    match options.build().and_then(|_| yunet::is_published(path)) {
        Ok(true) => Finding::well("yunet", format!("{shown}: {FILE} as published")),
        Ok(false) => {
            let found = format!("{shown}: can be used, but its SHA-256 is not that of {FILE}");
            Finding::ill("yunet", found, remedy)
        }
        Err(error) => Finding::ill("yunet", chain(&error), remedy),
    }
}

fn camera_list(findings: &mut Vec<Finding>) {
    let cameras = cameras();
    if cameras.is_empty() {
        let remedy = "plug one in; in a virtual machine or container, pass /dev/video0 through; without one: --input drawn";
        findings.push(Finding::ill("camera", "the system lists none", remedy));
    }
    for camera in &cameras {
        findings.push(permission(camera));
        findings.extend(opening(camera));
    }
}

/// Whether the camera's device file may be read and written.
fn permission(camera: &Camera) -> Finding {
    let what = format!("camera {}", camera.index);
    let device = camera.device.display();
    match std::fs::OpenOptions::new().read(true).write(true).open(&camera.device) {
        Ok(_) => Finding::well(&what, format!("{}: {device} may be read", camera.name)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let remedy = "sudo usermod --append --groups video $USER, then log in again";
            Finding::ill(&what, format!("{}: {device} is not ours to read ({error})", camera.name), remedy)
        }
        Err(error) => {
            let remedy = "close the program that uses it, or plug it in again";
            Finding::ill(&what, format!("{}: {device}: {error}", camera.name), remedy)
        }
    }
}

#[cfg(feature = "opencv")]
fn opening(camera: &Camera) -> Option<Finding> {
    let what = format!("camera {}", camera.index);
    let facts = crate::opencv::camera_facts(camera);
    if !facts.gives_frames {
        let remedy = "many cameras have a second device that gives no pictures: try the next number; else close other programs";
        return Some(Finding::ill(&what, "does not open or gives no frame", remedy));
    }
    let sizes: Vec<String> =
        facts.sizes.iter().map(|(width, height, rate)| format!("{width}×{height} at {rate:.0}")).collect();
    Some(Finding::well(&what, format!("opens; sizes: {}", sizes.join(", "))))
}

#[cfg(not(feature = "opencv"))]
fn opening(_: &Camera) -> Option<Finding> {
    None
}

#[cfg(feature = "opencv")]
fn display(findings: &mut Vec<Finding>) {
    findings.push(match crate::opencv::display() {
        Some(display) => Finding::well("display", display),
        None => {
            let remedy = "on a machine without a screen use --headless, or fer-live serve";
            Finding::ill("display", "neither WAYLAND_DISPLAY nor DISPLAY is set", remedy)
        }
    });
}

#[cfg(not(feature = "opencv"))]
fn display(_: &mut Vec<Finding>) {}

fn model(args: &DoctorArgs, findings: &mut Vec<Finding>) {
    match crate::model::load(args.model.as_deref(), args.device) {
        Ok(model) => {
            let labels = model.card.labels.names().join(", ");
            findings.push(Finding::well("model", format!("{} ({labels})", model.origin)));
            let device = format!("{}: {}", model.place.description, model.place.reason);
            findings.push(Finding::well("device", device));
        }
        Err(error) => {
            let remedy =
                "give a folder that fer-train wrote: --model FOLDER; a device that is there: --device cpu";
            findings.push(Finding::ill("model", chain(&error), remedy));
        }
    }
}
