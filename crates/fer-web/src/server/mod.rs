//! The parts put together, and their life from first to last request.
//! In: [`ServerParts`]. Out: a running [`Server`], stopped in order.

mod access;
mod connections;
mod routes;
mod security;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use fer_stream::{
    Feed,
    pipeline::{LiveOptions, run},
};
use fer_vision::{Analyzer, Classify, SmoothOptions, columns, ms};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

pub use self::access::{Access, page_address};
use self::routes::router;
use crate::{
    app::App,
    error::WebError,
    limits::Limits,
    live::hub::{Hub, HubSink},
    read::{
        MakeFinder,
        engine::{Engine, GiveBack},
        inference::Inference,
        room::Rooms,
        senders::Senders,
    },
    uploaded_videos::{OpenVideo, VideoTools, Videos},
};

/// What a server is made of.
pub struct ServerParts {
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
    pub open_video: Box<dyn OpenVideo>,
    /// The server's own camera or file, if any.
    pub input: Option<Feed>,
    /// Detector threads, one per core: decoding and detection are most of the work.
    pub n_threads: usize,
    /// What a client may ask for.
    pub limits: Limits,
    /// Called after a large picture.
    pub give_back: Arc<GiveBack>,
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
    /// [`WebError`] when the address is taken, a detector cannot be made or a thread not started.
    pub async fn start(parts: ServerParts, address: SocketAddr, access: Access) -> Result<Self, WebError> {
        let listener = connections::bind(address).await?;
        let (stop, stopped) = watch::channel(false);
        let stop_input = Arc::new(AtomicBool::new(false));
        let (inference, thread) = Inference::start(parts.classifier.clone()).map_err(no_thread)?;
        let labels = parts.classifier.labels().clone();
        let model = describe(&parts);
        let finders =
            (0..parts.n_threads.max(1)).map(|_| (parts.make_photo_finder)()).collect::<Result<_, _>>()?;
        let limits = parts.limits;
        let engine =
            Engine::start(finders, inference.clone(), &limits, parts.give_back).map_err(no_thread)?;
        let tools = VideoTools {
            open: parts.open_video,
            labels: labels.clone(),
            make_finder: parts.make_finder.clone(),
            inference: inference.clone(),
            smoothing: parts.smoothing,
        };
        let videos = Videos::start(tools, &limits)?;
        let hub = parts
            .input
            .as_ref()
            .map(|input| Arc::new(Hub::new(input.source.info(), labels.clone(), stop_input.clone())));
        let input = match (parts.input, &hub) {
            (Some(input), Some(hub)) => {
                let finder = (parts.make_finder)()?;
                let analyzer = Analyzer::new(finder, Arc::new(inference.clone()), parts.smoothing);
                Some(watch_input(input, analyzer, hub.clone(), stop_input.clone())?)
            }
            _ => None,
        };
        let app = Arc::new(App {
            engine,
            browsers: Arc::new(Semaphore::new(limits.live_clients)),
            rooms: Rooms::new(limits.all_body_bytes),
            senders: Senders::default(),
            limits,
            labels,
            smoothing: parts.smoothing,
            make_finder: parts.make_finder,
            model,
            hub,
            videos,
            stop: stopped,
            clients: AtomicU64::new(0),
        });
        Ok(Self { listener, app, access, stop, stop_input, input, inference: thread })
    }

    /// The address it listens on; the port is the true one also when 0 was asked for.
    ///
    /// # Errors
    /// [`WebError::System`] when the socket is gone.
    pub fn address(&self) -> Result<SocketAddr, WebError> {
        self.listener.local_addr().map_err(|cause| WebError::System { what: "address", cause })
    }

    /// Answers requests until `until` is ready; then ends what runs, in order, and joins all threads.
    pub async fn run(self, until: impl Future<Output = ()> + Send + 'static) {
        let Self { listener, app, access, stop, stop_input, input, inference } = self;
        let stopped = stop.subscribe();
        let asked = tokio::spawn(async move {
            until.await;
            // Everybody who waits for it is told; nobody waiting is well, too.
            stop.send_replace(true);
            stop
        });
        let limits = app.limits.clone();
        let forgetter = tokio::spawn(forget_old(app.clone()));
        connections::run(listener, router(app.clone(), access), &limits, stopped).await;
        forgetter.abort();
        asked.abort();
        stop_input.store(true, Ordering::Relaxed);
        app.videos.shelf.clear();
        let ended = tokio::task::spawn_blocking(move || {
            app.engine.stop();
            drop(app);
            if let Some(input) = input {
                drop(input.join());
            }
            inference.is_finished()
        });
        drop(ended.await);
    }
}

/// Removes videos whose time is over, also when nobody asks for any.
async fn forget_old(app: Arc<App>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_secs(60));
    loop {
        minutes.tick().await;
        app.videos.shelf.forget_old();
    }
}

fn watch_input(
    input: Feed,
    analyzer: Analyzer,
    hub: Arc<Hub>,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, WebError> {
    std::thread::Builder::new()
        .name("input".into())
        .spawn(move || {
            let mut sink = HubSink::new(hub.clone());
            let ended = run(input, LiveOptions::default(), analyzer, &stop, &mut sink);
            hub.end(&ended);
        })
        .map_err(no_thread)
}

fn no_thread(cause: std::io::Error) -> WebError {
    WebError::System { what: "thread", cause }
}

/// The answer to `GET /v1/model`: all a client needs to know before its first picture.
fn describe(parts: &ServerParts) -> serde_json::Value {
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
        "columns": columns(labels),
        "uncertain_below": parts.smoothing.uncertain_below,
        "margin": parts.smoothing.margin,
        "half_life_ms": ms(parts.smoothing.half_life),
        "source": source,
        "limits": parts.limits,
        "card": parts.card,
    })
}
