//! The web app, started from the command line.
//! In: the command line. Out: a server that runs until it is asked to stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Outcome, Streams, prepare};
use crate::cli::{CommonArgs, ServeArgs};
use crate::error::LiveError;
use crate::pipeline::Finder;
use crate::source::{Input, open_input};
use crate::web::{Input as ServerInput, Limits, Parts, Server, page_address};

/// How often the server looks whether it shall stop.
const TICK: Duration = Duration::from_millis(50);

/// Serves until `stop` is set.
pub(super) fn run(
    args: &ServeArgs,
    stop: &Arc<AtomicBool>,
    streams: &mut Streams<'_>,
) -> Result<Outcome, LiveError> {
    let access = args.serve.access()?;
    let parts = parts(&args.common)?;
    let failed = |error: std::io::Error| LiveError::Device {
        device: args.serve.address.to_string(),
        reason: error.to_string(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let server = Server::start(parts, args.serve.address, access.clone()).await?;
        let page = page_address(server.address().map_err(failed)?, &access);
        streams.say(&page);
        if args.serve.open {
            open_browser(&page, streams);
        }
        let asked = Arc::clone(stop);
        server
            .run(async move {
                while !asked.load(Ordering::Relaxed) {
                    tokio::time::sleep(TICK).await;
                }
            })
            .await;
        Ok(Outcome::Done)
    })
}

fn parts(common: &CommonArgs) -> Result<Parts, LiveError> {
    let loaded = crate::model::load(common.model.as_deref(), common.device)?;
    let card = serde_json::to_value(&loaded.card).map_err(|error| LiveError::Model(error.to_string()))?;
    let (live, photo) = (common.clone(), common.clone());
    Ok(Parts {
        classifier: loaded.classifier,
        make_finder: Arc::new(move || Ok(Finder::new(live.detector.build()?, live.finder_options()))),
        make_photo_finder: Arc::new(move || {
            Ok(Finder::new(photo.detector.photo().build()?, photo.finder_options()))
        }),
        smoothing: common.smooth_options(),
        card,
        open_video: Box::new(|path: &Path| {
            open_input(&Input::Video(path.to_owned()), &crate::source::SourceOptions::new(Instant::now()))
        }),
        input: server_input(common)?,
        n_threads: fer_kernels::threads(),
        limits: Limits::default(),
    })
}

/// The server's own camera or file, if one is asked for.
fn server_input(common: &CommonArgs) -> Result<Option<ServerInput>, LiveError> {
    let Some(words) = &common.input else { return Ok(None) };
    let input = Input::parse(words)?;
    if matches!(input, Input::Photos(_)) {
        let instead = "drop photos on the page, or read them with fer-live --input";
        return Err(LiveError::Config(format!(
            "{input}: the server takes a camera, a video or an address; {instead}"
        )));
    }
    let opened = prepare::open(&input, common)?;
    Ok(Some(ServerInput { source: opened.source, open_again: opened.open_again }))
}

/// Opens the page in the user's browser; when that fails, the printed address is enough.
fn open_browser(page: &str, streams: &mut Streams<'_>) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(opener).arg(page).spawn() {
        streams.notice(&format!("{opener}: {error}; open the address above yourself"));
    }
}
