//! Ctrl-C and the termination signal, from a program's first moment on.
//! In: signals. Out: work that stops well; before there is any, a word and an exit code.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fer_base::exit;

use crate::console::note;

type StopAction = Box<dyn Fn() + Send>;

/// What the next signal does.
enum Next {
    /// Files are still being read: it ends the program, with a word.
    Leave,
    /// It stops the work.
    Stop(StopAction),
    /// The work is stopping already: it ends the program.
    End,
}

static NEXT: Mutex<Next> = Mutex::new(Next::Leave);

/// Catches signals from here on. The first one stops the work, if it has begun ([`stop_with`]), and ends the
/// program otherwise; the second one ends it.
pub fn catch() {
    let handler = || match std::mem::replace(&mut *next(), Next::End) {
        Next::Stop(stop) => stop(),
        Next::Leave => {
            note("interrupted before there was a result: nothing was written");
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        Next::End => std::process::exit(i32::from(exit::INTERRUPTED)),
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        note(&format!("Ctrl-C will end the program at once: {error}"));
    }
}

/// The work has begun: the next signal stops it like this.
pub fn stop_with(stop: impl Fn() + Send + 'static) {
    *next() = Next::Stop(Box::new(stop));
}

fn next() -> MutexGuard<'static, Next> {
    NEXT.lock().unwrap_or_else(PoisonError::into_inner)
}
