//! The web app, started from the command line.
//! In: the command line. Out: a server that runs until it is asked to stop.
#![expect(clippy::disallowed_methods, reason = "live sources count their time from the start")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fer_stream::Feed;
use fer_vision::Finder;
use fer_web::{Access, Limits, Server, ServerParts, WebError, page_address};

use super::{Ended, Streams};
use crate::cli::{CommonArgs, ServeArgs};
use crate::error::LiveError;
use crate::open::{open_feed, open_input};
use crate::source::{Input, SourceOptions};

/// How often the server looks whether it shall stop.
const TICK: Duration = Duration::from_millis(50);

/// Serves until `stop` is set.
pub(super) fn run(
    args: &ServeArgs,
    stop: &Arc<AtomicBool>,
    streams: &mut Streams<'_>,
) -> Result<Ended, LiveError> {
    let access = Access::at(args.address, args.allow_remote)?;
    let parts = parts(&args.common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| WebError::System { what: "threads", cause })?;
    runtime.block_on(async {
        let server = Server::start(parts, args.address, access.clone()).await?;
        let page = page_address(server.address()?, &access);
        streams.say(&page);
        if args.open {
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
        Ok(Ended::Done)
    })
}

fn parts(common: &CommonArgs) -> Result<ServerParts, LiveError> {
    let model = crate::model::load(common.model.as_deref(), common.device)?;
    let card = serde_json::to_value(&model.card).expect("a card that was read is JSON");
    super::prepare::refuse_align(common)?;
    let finding = common.finder_options(model.crop_factor());
    let live = common.detector.options();
    let photo = live.photo(model.classifier.face_threshold() > 0.0);
    Ok(ServerParts {
        make_finder: Arc::new(move || Ok(Finder::new(live.build()?, finding))),
        make_photo_finder: Arc::new(move || Ok(Finder::new(photo.build()?, finding))),
        classifier: model.classifier,
        smoothing: common.smooth_options(),
        card,
        open_video: Box::new(|path: &Path| {
            open_input(&Input::Video(path.to_owned()), &SourceOptions::new(Instant::now()))
        }),
        input: server_input(common)?,
        n_threads: fer_kernels::threads(),
        limits: Limits::default(),
        give_back: Arc::new(fer_kernels::memory::give_back),
    })
}

/// The server's own camera or file, if one is asked for.
fn server_input(common: &CommonArgs) -> Result<Option<Feed>, LiveError> {
    let Some(words) = &common.input else { return Ok(None) };
    let input = common.parse_input(words)?;
    if matches!(input, Input::Photos(_)) {
        let instead = "drop photos on the page, or read them with fer-live --input";
        return Err(LiveError::Config(format!(
            "{input}: the server takes a camera, a video or an address; {instead}"
        )));
    }
    Ok(Some(open_feed(&input, common.source_options(Instant::now()))?))
}

/// Opens the page in the user's browser; when that fails, the printed address is enough.
fn open_browser(page: &str, streams: &mut Streams<'_>) {
    if let Err(error) = std::process::Command::new("xdg-open").arg(page).spawn() {
        streams.notice(&format!("xdg-open: {error}; open the address above yourself"));
    }
}
