//! The command line of `fer-live`.
//! In: words. Out: [`Cli`], checked as far as words can be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum, value_parser};
use fer_base::exit;
use fer_model::DeviceChoice;
use fer_stream::StreamError;
use fer_stream::record::{FORMATS, Format};
use fer_vision::haar::HaarOptions;
use fer_vision::{FinderOptions, SmoothOptions};

use crate::face_detector::{DetectorKind, DetectorOptions};
use crate::shard::Shard;
use crate::source::{Input, SourceOptions};

/// What the program is and what it is not for.
const ABOUT: &str = "Reads apparent facial expressions from a camera, a video or a photo, as they happen.\n\n\
It says what an expression looks like to others, never what somebody feels: faces do not tell that reliably.\n\
Not for judging people. In the European Union, inferring emotions at work and in schools is prohibited\n\
(AI Act, article 5(1)(f)), and people who are shown to such a system must be told so (article 50(3)).";

/// Examples and keys at the end of the help; exit codes follow.
const EXAMPLES: &str = "Examples:\n  \
fer-live                                     first camera, else a drawn face\n  \
fer-live --input clip.mp4 --save-video out.mp4 --csv out.csv --headless\n  \
fer-live --input photo.jpg --save-picture read.png\n  \
fer-live --input rtsp://camera.local/stream --jsonl - --headless\n  \
fer-live --input photos.txt --shard 3/16 --out part-3.csv\n  \
fer-live doctor                              what is well here and what is not\n\n\
Keys in the window: h or ? these keys, q or Esc quit, space pause, s snapshot, m mirror, b boxes only.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "fer-live", version, about = ABOUT, after_help = format!("{EXAMPLES}\n\n{}", exit::HELP), args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without a command, faces are read.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// CPU threads of the network, and detector threads of the server; 0 means one a core
    #[arg(long, value_name = "N", global = true, default_value_t = 0, help_heading = "Model")]
    pub threads: usize,
    /// What to read and where to put it.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// What to do other than reading faces.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is well here and what is not: OpenCV, cascade, YuNet's file, cameras, display, model, device
    Doctor(DoctorArgs),
    /// Open the web app: a page that reads faces from the browser's camera, photos and videos
    #[cfg(feature = "web")]
    Serve(Box<ServeArgs>),
}

/// Options of `fer-live` itself.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// What is read and how.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Open no window; a single photo opens one only where there is a display and no file is asked for
    #[arg(long, help_heading = "Show")]
    pub headless: bool,
    /// Show the picture mirrored, as in a mirror; records stay as the source is
    #[arg(long, help_heading = "Show")]
    pub mirror: bool,
    /// Show boxes only
    #[arg(long, help_heading = "Show")]
    pub boxes_only: bool,
    /// Hide the faces that are found behind a mosaic, in the window and in saved pictures and videos; readings
    /// are kept. Faces that are not found stay visible
    #[arg(long, help_heading = "Show", conflicts_with = "dump_inputs")]
    pub blur: bool,
    /// Show a video as fast as it is read, not at its own pace
    #[arg(long, help_heading = "Show", conflicts_with = "headless")]
    pub fast: bool,
    /// Folder for snapshots (key s)
    #[arg(long, value_name = "FOLDER", default_value = ".", help_heading = "Show")]
    pub snapshots: PathBuf,
    /// Write the annotated video: MP4 (H.264), the source's size and times, without its sound
    #[arg(long, value_name = "FILE", help_heading = "Record")]
    pub save_video: Option<PathBuf>,
    /// Files of readings, an option a format.
    #[command(flatten)]
    pub records: RecordArgs,
    /// Photos: write the annotated picture; of several photos, into this folder
    #[arg(long, value_name = "PATH", help_heading = "Record")]
    pub save_picture: Option<PathBuf>,
    /// Write what the network sees, every face's 48×48 crop, into this folder
    #[arg(long, value_name = "FOLDER", help_heading = "Record")]
    pub dump_inputs: Option<PathBuf>,
    /// Photos: write readings as CSV into this file, which is there when it is whole; a run that was killed
    /// goes on where it was
    #[arg(long, value_name = "FILE.csv", help_heading = "Many photos")]
    pub out: Option<PathBuf>,
    /// Photos: read only share I of N, counted from 0, in the order of the paths
    #[arg(long, value_name = "I/N", requires = "out", help_heading = "Many photos")]
    pub shard: Option<Shard>,
    /// End after this many frames
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub frames: Option<u64>,
    /// Say nothing but errors
    #[arg(long, short, help_heading = "Show")]
    pub quiet: bool,
}

/// Options of reading faces, shared by all commands that do.
#[derive(Clone, Debug, Args)]
pub struct CommonArgs {
    /// Camera (0, /dev/video2, part of its name), video file or animated GIF, photo, folder or glob of photos, list of
    /// photos (a .txt with a path a line), RTSP or HTTP address, - (JPEGs on standard input), or drawn (a drawn face) [default: first camera, else drawn]
    #[arg(long, short, value_name = "INPUT", help_heading = "Input")]
    pub input: Option<String>,
    /// Of a folder, read the photos of all folders in it too
    #[arg(long, help_heading = "Input")]
    pub recursive: bool,
    /// Picture size to ask of a camera or a drawn scene
    #[arg(long, value_name = "WxH", value_parser = parse_size, help_heading = "Input")]
    pub size: Option<(u32, u32)>,
    /// Frames per second to ask of a camera or a drawn scene; on standard input, the recorded rate:
    /// then no frame is dropped
    #[arg(long, value_name = "FPS", value_parser = parse_rate, help_heading = "Input")]
    pub rate: Option<f64>,
    /// Standard input holds raw 8-bit RGB frames of this size
    #[arg(long, value_name = "WxH", value_parser = parse_size, help_heading = "Input")]
    pub stdin_size: Option<(u32, u32)>,
    /// How many people the drawn scene shows
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Input",
          value_parser = clap::value_parser!(u8).range(0..=12))]
    pub people: u8,
    /// The drawn scene's seed
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Input")]
    pub seed: u64,
    /// Model folder [default: the shipped model]
    #[arg(long, value_name = "FOLDER", help_heading = "Model")]
    pub model: Option<PathBuf>,
    /// What the network runs on: auto, cpu, gpu or wgpu
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Model")]
    pub device: DeviceChoice,
    /// Detector and its options.
    #[command(flatten)]
    pub detector: DetectorArgs,
    /// Search the whole picture this often, in ms; between, only near known faces
    #[arg(long, value_name = "MS", default_value_t = ms(FinderOptions::default().scan_every), help_heading = "Detection")]
    pub search_every: u64,
    /// Side of the network's crop relative to the detector's box [default: what the model was trained on]
    #[arg(long, value_name = "FACTOR", value_parser = parse_factor, help_heading = "Detection")]
    pub crop_factor: Option<f32>,
    /// Turn each crop so that the eyes are level; with --detector yunet, which finds eyes
    #[arg(long, help_heading = "Detection")]
    pub align: bool,
    /// Half-life of the smoothing in ms; 0 for none
    #[arg(long, value_name = "MS", default_value_t = ms(SmoothOptions::default().half_life), help_heading = "Smoothing")]
    pub half_life: u64,
    /// From this smoothed probability on, 0 to 1, a face of a photo has a label; in a video half of --margin above it, until half of that below
    #[arg(long, value_name = "P", default_value_t = SmoothOptions::default().uncertain_below, value_parser = parse_probability, help_heading = "Smoothing")]
    pub uncertain_below: f32,
    /// How much surer, 0 to 1, another label must be to replace the shown one
    #[arg(long, value_name = "P", default_value_t = SmoothOptions::default().margin, value_parser = parse_probability, help_heading = "Smoothing")]
    pub margin: f32,
}

/// Options of `fer-live doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Model folder [default: the shipped model]
    #[arg(long, value_name = "FOLDER")]
    pub model: Option<PathBuf>,
    /// What the network shall run on: auto, cpu, gpu or wgpu
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Haar cascade file, OpenCV's XML [default: OpenCV's frontal face, built in]
    #[arg(long, value_name = "FILE")]
    pub cascade: Option<PathBuf>,
    /// YuNet's ONNX file, to be checked against the published one
    #[arg(long, value_name = "FILE")]
    pub detector_model: Option<PathBuf>,
}

/// Options of `fer-live serve`.
#[cfg(feature = "web")]
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What is read and how.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000", value_parser = parse_address)]
    pub address: std::net::SocketAddr,
    /// Let other machines in: makes an access token and prints the address that holds it
    #[arg(long)]
    pub allow_remote: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
}

/// Files of readings: an option for each of [`FORMATS`], called as its files end.
#[derive(Clone, Debug, Default)]
pub struct RecordArgs {
    /// What was asked for, in the order of [`FORMATS`].
    pub files: Vec<(Format, PathBuf)>,
}

impl Args for RecordArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        FORMATS.iter().fold(command, |command, format| {
            let option = Arg::new(format.ending).long(format.ending).value_name("FILE").help(format.help);
            command.arg(option.help_heading("Record").value_parser(value_parser!(PathBuf)))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RecordArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = |format: Format| Some((format, matches.get_one::<PathBuf>(format.ending)?.clone()));
        Ok(Self { files: FORMATS.into_iter().filter_map(file).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Options of the face detector.
#[derive(Clone, Debug, Args)]
pub struct DetectorArgs {
    /// Which detector finds faces
    #[arg(long, value_enum, default_value_t = DetectorName::from(DetectorOptions::default().kind), value_name = "KIND", help_heading = "Detection")]
    pub detector: DetectorName,
    /// YuNet's ONNX file, from opencv_zoo: face_detection_yunet_2023mar.onnx
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub detector_model: Option<PathBuf>,
    /// Haar cascade file, OpenCV's XML [default: OpenCV's frontal face, built in]
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub cascade: Option<PathBuf>,
    /// Step from one face size to the next while the whole picture is searched, above 1
    #[arg(long, value_name = "FACTOR", default_value_t = HaarOptions::default().scale_factor, help_heading = "Detection")]
    pub scale_factor: f64,
    /// How many windows must agree on a face; more means fewer false and fewer true faces
    #[arg(long, value_name = "N", default_value_t = HaarOptions::default().neighbours, help_heading = "Detection")]
    pub neighbours: u32,
    /// Width of the smallest face to find, in the picture's pixels [default: what the search side allows]
    #[arg(long, value_name = "PIXELS", default_value_t = HaarOptions::default().smallest_face,
          hide_default_value = true, help_heading = "Detection")]
    pub smallest_face: u32,
    /// Longest side the picture is scaled down to for the search; larger finds smaller faces, slower
    #[arg(long, value_name = "PIXELS", default_value_t = HaarOptions::default().search_side, help_heading = "Detection",
          value_parser = value_parser!(u32).range(48..=4096))]
    pub search_side: u32,
}

/// A detector, as the command line calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DetectorName {
    /// The Haar cascade that found FER-2013's own faces.
    Haar,
    /// The same cascade, evaluated by OpenCV; slower, for comparison.
    Opencv,
    /// YuNet, with `--detector-model`.
    Yunet,
}

impl From<DetectorKind> for DetectorName {
    fn from(kind: DetectorKind) -> Self {
        match kind {
            DetectorKind::Haar => Self::Haar,
            DetectorKind::OpenCv => Self::Opencv,
            DetectorKind::Yunet => Self::Yunet,
        }
    }
}

impl DetectorArgs {
    /// How faces are found.
    #[must_use]
    pub fn options(&self) -> DetectorOptions {
        DetectorOptions {
            kind: match self.detector {
                DetectorName::Haar => DetectorKind::Haar,
                DetectorName::Opencv => DetectorKind::OpenCv,
                DetectorName::Yunet => DetectorKind::Yunet,
            },
            yunet: self.detector_model.clone(),
            cascade: self.cascade.clone(),
            search: HaarOptions {
                scale_factor: self.scale_factor,
                neighbours: self.neighbours,
                smallest_face: self.smallest_face,
                search_side: self.search_side,
                ..HaarOptions::default()
            },
        }
    }

    /// The files it is made of, as they were given.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.detector_model, &self.cascade].into_iter().flatten().map(PathBuf::as_path)
    }
}

impl CommonArgs {
    /// What an input's words mean.
    ///
    /// # Errors
    /// [`StreamError::Open`] when they mean nothing that is there.
    pub(crate) fn parse_input(&self, words: &str) -> Result<Input, StreamError> {
        if self.recursive { Input::parse_recursive(words) } else { Input::parse(words) }
    }

    /// What sources are told; live sources count their time from `started`.
    #[must_use]
    pub fn source_options(&self, started: Instant) -> SourceOptions {
        SourceOptions {
            started,
            size: self.size,
            rate: self.rate,
            stdin_size: self.stdin_size,
            n_people: usize::from(self.people),
            seed: self.seed,
        }
    }

    /// How faces are found and cut out, for a model trained on crops of this factor.
    #[must_use]
    pub fn finder_options(&self, trained_on: f32) -> FinderOptions {
        FinderOptions {
            scan_every: Duration::from_millis(self.search_every),
            crop_factor: self.crop_factor.unwrap_or(trained_on),
            align: self.align,
            ..FinderOptions::default()
        }
    }

    /// How readings are steadied.
    #[must_use]
    pub fn smooth_options(&self) -> SmoothOptions {
        SmoothOptions {
            half_life: Duration::from_millis(self.half_life),
            uncertain_below: self.uncertain_below,
            margin: self.margin,
            ..SmoothOptions::default()
        }
    }
}

/// Whole milliseconds.
fn ms(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// An address, or a name of this machine such as `localhost`, with a port.
#[cfg(feature = "web")]
fn parse_address(words: &str) -> Result<std::net::SocketAddr, String> {
    let found = std::net::ToSocketAddrs::to_socket_addrs(words).ok().and_then(|mut found| found.next());
    found.ok_or_else(|| "expected an address and a port, such as 127.0.0.1:8000".to_owned())
}

fn parse_size(words: &str) -> Result<(u32, u32), String> {
    let size = words.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    size.filter(|&(width, height)| (1..=16384).contains(&width) && (1..=16384).contains(&height))
        .ok_or_else(|| "expected width and height up to 16384, such as 640x480".to_owned())
}

fn parse_rate(words: &str) -> Result<f64, String> {
    let rate = words.parse().ok().filter(|rate| (0.1..=1000.0).contains(rate));
    rate.ok_or_else(|| "expected frames per second, 0.1 to 1000".to_owned())
}

fn parse_factor(words: &str) -> Result<f32, String> {
    let factor = words.parse().ok().filter(|factor| (0.3..=3.0).contains(factor));
    factor.ok_or_else(|| "expected a factor, 0.3 to 3".to_owned())
}

fn parse_probability(words: &str) -> Result<f32, String> {
    let probability = words.parse().ok().filter(|probability| (0.0..=1.0).contains(probability));
    probability.ok_or_else(|| "expected a probability, 0 to 1".to_owned())
}
