//! A window with a picture and keys.
//! In: pictures. Out: key presses.

use fer_stream::StreamError;
use image::RgbImage;
use opencv::highgui;

use super::cause::cause;
use super::picture::to_bgr;

/// The display windows would open on, or `None` where there is no screen.
#[must_use]
pub fn display() -> Option<String> {
    if cfg!(any(windows, target_os = "macos")) {
        return Some("the desktop".to_owned());
    }
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("WAYLAND_DISPLAY").or_else(|| set("DISPLAY"))
}

/// An open window; it closes when dropped.
pub struct Window {
    title: String,
    is_sized: bool,
}

impl Window {
    /// Opens a window.
    ///
    /// # Errors
    /// [`StreamError::Device`] when there is no display.
    pub fn open(title: &str) -> Result<Self, StreamError> {
        if display().is_none() {
            let problem = "neither WAYLAND_DISPLAY nor DISPLAY is set: use --headless, or fer-live serve";
            return Err(StreamError::device("display", problem));
        }
        let flags = highgui::WINDOW_NORMAL | highgui::WINDOW_KEEPRATIO | highgui::WINDOW_GUI_NORMAL;
        highgui::named_window(title, flags).map_err(no_display)?;
        Ok(Self { title: title.to_owned(), is_sized: false })
    }

    /// Shows a picture; the first one sets the window's size.
    ///
    /// # Errors
    /// [`StreamError::Device`] when the display is gone.
    pub fn show(&mut self, picture: &RgbImage) -> Result<(), StreamError> {
        let bgr = to_bgr(picture).map_err(no_display)?;
        if !self.is_sized {
            self.is_sized = true;
            highgui::resize_window(&self.title, picture.width() as i32, picture.height() as i32)
                .map_err(no_display)?;
        }
        highgui::imshow(&self.title, &bgr).map_err(no_display)
    }

    /// Waits up to `milliseconds`, at least 1, for a key: its character, Esc as `'\u{1b}'`.
    /// A window that was closed answers `q`.
    ///
    /// # Errors
    /// [`StreamError::Device`] when the display is gone.
    pub fn key(&mut self, milliseconds: i32) -> Result<Option<char>, StreamError> {
        let code = highgui::wait_key(milliseconds.max(1)).map_err(no_display)?;
        let visible = highgui::get_window_property(&self.title, highgui::WND_PROP_VISIBLE);
        if self.is_sized && visible.is_ok_and(|visible| visible < 1.0) {
            return Ok(Some('q'));
        }
        Ok(u8::try_from(code & 0xff).ok().filter(|_| code >= 0).map(char::from))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Nothing is lost when the window is already closed.
        drop(highgui::destroy_window(&self.title));
    }
}

fn no_display(error: opencv::Error) -> StreamError {
    StreamError::device_for("display", "the window cannot be shown", cause(&error))
}
