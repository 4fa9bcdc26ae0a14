//! An animated GIF, read as a clip.
//! In: a file. Out: its pictures as [`Frame`]s, with the times at which a browser shows them.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use fer_base::regular;
use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageDecoder, ImageResult, Limits, RgbImage};

/// Larger pictures are refused before a pixel is decoded: the decoder holds three of them, a few wait, and a few bytes
/// may ask for one more.
const MOST_PIXELS: u64 = 4_000_000;

/// A delay of a hundredth of a second or none is no wish for speed: all browsers show such a picture this long.
const USUAL_DELAY: Duration = Duration::from_millis(100);

type TimedPicture = (RgbImage, Duration);

/// The pictures of an animated GIF, decoded two ahead by a thread of its own.
pub struct GifSource {
    path: PathBuf,
    size: (u32, u32),
    pictures: Receiver<ImageResult<TimedPicture>>,
    index: u64,
    timestamp: Duration,
}

impl GifSource {
    /// Opens a GIF.
    ///
    /// # Errors
    /// [`StreamError::Open`] when the file cannot be read, is no GIF, or larger than 4 megapixels.
    pub fn open(path: &Path) -> Result<Self, StreamError> {
        let gif = decoder(path)?;
        let size = gif.dimensions();
        let (sender, pictures) = sync_channel(2);
        // The decoder's iterator does not travel between threads: it lives in one. A reader who leaves ends it.
        std::thread::spawn(move || {
            gif.into_frames().map(|frame| frame.map(picture)).try_for_each(|frame| sender.send(frame))
        });
        Ok(Self { path: path.to_owned(), size, pictures, index: 0, timestamp: Duration::ZERO })
    }

    /// Whether a file is a GIF of more than one picture; one that cannot be read is not.
    #[must_use]
    pub fn is_animated(path: &Path) -> bool {
        decoder(path).is_ok_and(|gif| gif.into_frames().take(2).filter(Result::is_ok).count() == 2)
    }
}

fn decoder(path: &Path) -> Result<GifDecoder<BufReader<File>>, StreamError> {
    let file = regular::open(path)
        .map_err(|error| StreamError::open_for(path.display(), "cannot be read", error))?;
    let mut gif = GifDecoder::new(BufReader::new(file))
        .map_err(|error| StreamError::open_for(path.display(), "not a GIF, or damaged", error))?;
    let (width, height) = gif.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let most = MOST_PIXELS / 1_000_000;
        let problem = format!("{width}×{height} pixels, expected at most {most} megapixels");
        return Err(StreamError::open(path.display(), problem));
    }
    // A part of a picture may claim to be larger than the picture.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_PIXELS * 4 * 3);
    gif.set_limits(limits).map_err(|error| StreamError::open_for(path.display(), "too large", error))?;
    Ok(gif)
}

fn picture(frame: image::Frame) -> TimedPicture {
    let delay = Duration::from(frame.delay());
    let shown = if delay <= Duration::from_millis(10) { USUAL_DELAY } else { delay };
    (image::DynamicImage::from(frame.into_buffer()).into_rgb8(), shown)
}

impl FrameSource for GifSource {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: self.path.display().to_string(),
            live: false,
            width: self.size.0,
            height: self.size.1,
            frames_per_second: 0.0,
            n_frames: None,
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let Ok(next) = self.pictures.recv() else { return Ok(None) };
        let index = self.index;
        let (picture, shown) = next.map_err(|error| StreamError::Read {
            input: self.path.display().to_string(),
            frame: index,
            problem: "damaged or cut off".to_owned(),
            cause: Some(error.into()),
        })?;
        let timestamp = self.timestamp;
        self.index += 1;
        self.timestamp += shown;
        Ok(Some(Frame { picture, timestamp, index }))
    }
}
