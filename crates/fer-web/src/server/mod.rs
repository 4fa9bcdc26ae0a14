//! The parts put together, and their life from first to last request.
//! In: [`Parts`]. Out: a running [`Server`], stopped in order.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use serde_json::json;
use tokio::sync::watch;

use super::{
    connections,
    engine::Engine,
    inference::Inference,
    limits::Limits,
    metrics::Metrics,
    routes::router,
    security::Access,
    source::{Hub, HubSink},
    state::{App, MakeFinder},
    videos::{OpenVideo, VideoTools, Videos},
};
use crate::{
    classify::Classify,
    error::LiveError,
    frame::FrameSource,
    pipeline::{LiveOptions, Opener, Stages, run},
    record::csv_header,
    smooth::{SmoothOptions, Smoother},
};

/// The server's own camera or file.
pub struct Input {
    /// Where frames come from.
    pub source: Box<dyn FrameSource>,
    /// How a live source is opened again after it failed.
    pub open_again: Option<Opener>,
}

/// What a server is made of.
pub struct Parts {
    /// The network.
    pub classifier: Arc<dyn Classify>,
    /// Makes a finder for each camera and video.
    pub make_finder: Arc<MakeFinder>,
    /// Makes a finder for photos, one for each thread.
    pub make_photo_finder: Arc<MakeFinder>,
    /// How readings are steadied.
    pub smoothing: SmoothOptions,
    /// The model's card, shown as it is at `/v1/model`.
    pub card: serde_json::Value,
    /// Opens an uploaded video.
    pub open_video: Box<OpenVideo>,
    /// The server's own camera or file, if any.
    pub input: Option<Input>,
    /// Detector threads, one per core: decoding and detection are most of the work.
    pub n_threads: usize,
    /// What a client may ask for.
    pub limits: Limits,
}

/// A server that listens.
pub struct Server {
    listener: tokio::net::TcpListener,
    app: Arc<App>,
    access: Access,
    stop: watch::Sender<bool>,
    stop_input: Arc<AtomicBool>,
    input: Option<JoinHandle<()>>,
    inference: JoinHandle<()>,
}

impl Server {
    /// Starts threads and listens; answers wait until [`Server::run`].
    ///
    /// # Errors
    /// [`LiveError`] when the address is taken, a detector cannot be made or a thread not started.
    pub async fn start(parts: Parts, address: SocketAddr, access: Access) -> Result<Self, LiveError> {
        let listener = connections::bind(address).await?;
        let metrics = Arc::new(Metrics::default());
        let (stop, stopped) = watch::channel(false);
        let stop_input = Arc::new(AtomicBool::new(false));
        let (inference, thread) =
            Inference::start(parts.classifier.clone(), metrics.clone()).map_err(no_thread)?;
        let labels = parts.classifier.labels().clone();
        let model = describe(&parts);
        let finders =
            (0..parts.n_threads.max(1)).map(|_| (parts.make_photo_finder)()).collect::<Result<_, _>>()?;
        let limits = parts.limits;
        let engine =
            Engine::start(finders, inference.clone(), limits.waiting, limits.pixels, metrics.clone())?;
        let tools = VideoTools {
            open: parts.open_video,
            labels: labels.clone(),
            make_finder: parts.make_finder.clone(),
            inference: inference.clone(),
            smoothing: parts.smoothing,
        };
        let videos = Videos::start(tools, limits.videos, limits.video_keep).map_err(no_thread)?;
        let hub = parts
            .input
            .as_ref()
            .map(|input| Arc::new(Hub::new(input.source.info(), labels.clone(), stop_input.clone())));
        let input = match (parts.input, &hub) {
            (Some(input), Some(hub)) => {
                let finder = (parts.make_finder)()?;
                let stages = Stages {
                    finder,
                    classifier: Arc::new(inference.clone()),
                    smoother: Smoother::new(parts.smoothing),
                };
                Some(feed(input, stages, hub.clone(), stop_input.clone())?)
            }
            _ => None,
        };
        let app = Arc::new(App {
            engine,
            limits,
            metrics,
            labels,
            smoothing: parts.smoothing,
            make_finder: parts.make_finder,
            model,
            source: hub,
            videos,
            stop: stopped,
            clients: AtomicU64::new(0),
        });
        Ok(Self { listener, app, access, stop, stop_input, input, inference: thread })
    }

    /// The address it listens on; the port is the true one also when 0 was asked for.
    ///
    /// # Errors
    /// The system's, when the socket is gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests until `until` is ready; then ends what runs, in order, and joins all threads.
    pub async fn run(self, until: impl Future<Output = ()> + Send + 'static) {
        let Self { listener, app, access, stop, stop_input, input, inference } = self;
        let stopped = stop.subscribe();
        let asked = tokio::spawn(async move {
            until.await;
            // Everybody who waits for it is told; nobody waiting is well, too.
            let _told = stop.send(true);
            stop
        });
        let (limits, metrics) = (app.limits.clone(), app.metrics.clone());
        let forgetter = tokio::spawn(forget_old(app.clone()));
        connections::run(listener, router(app.clone(), access), &limits, metrics, stopped).await;
        forgetter.abort();
        asked.abort();
        stop_input.store(true, Ordering::Relaxed);
        app.videos.clear();
        let ended = tokio::task::spawn_blocking(move || {
            app.engine.stop();
            drop(app);
            if let Some(input) = input {
                let _ended = input.join();
            }
            inference.is_finished()
        });
        let _ended = ended.await;
    }
}

/// Removes videos whose time is over, also when nobody asks for any.
async fn forget_old(app: Arc<App>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_secs(60));
    loop {
        minutes.tick().await;
        app.videos.forget_old();
    }
}

fn feed(
    input: Input,
    stages: Stages,
    hub: Arc<Hub>,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, LiveError> {
    std::thread::Builder::new()
        .name("input".into())
        .spawn(move || {
            let mut sink = HubSink::new(hub.clone());
            let ended = run(input.source, input.open_again, LiveOptions::default(), stages, &stop, &mut sink);
            hub.end(&ended);
        })
        .map_err(no_thread)
}

fn no_thread(error: std::io::Error) -> LiveError {
    LiveError::Open { input: "web app".into(), reason: format!("no thread for it: {error}") }
}

/// The answer to `GET /v1/model`: all a client needs to know before its first picture.
fn describe(parts: &Parts) -> serde_json::Value {
    let labels = parts.classifier.labels();
    let source = parts.input.as_ref().map(|input| {
        let info = input.source.info();
        json!({
            "name": info.name,
            "live": info.live,
            "width": info.width,
            "height": info.height,
            "frames_per_second": info.frames_per_second,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "labels": labels.names(),
        "columns": csv_header(labels),
        "uncertain_below": parts.smoothing.uncertain_below,
        "half_life_ms": crate::reading::ms(parts.smoothing.half_life),
        "source": source,
        "limits": parts.limits,
        "card": parts.card,
    })
}
