//! Ctrl-C while questions are asked: ends the process, before anything was written.
//! It neither asks nor writes files.
//!
//! A prompt blocks the thread that asks it, so nobody on that thread hears the signal. In raw mode the prompt reads Ctrl-C as
//! a key; between two keys, and before the first, the terminal sends the signal instead, which would otherwise be lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use futures_util::FutureExt;

use crate::exit_code::ExitCode;
use crate::output;

/// As long as it lives, Ctrl-C ends the process with the message.
pub(super) struct EndsAtInterrupt {
    is_armed: Arc<Mutex<bool>>,
}

impl EndsAtInterrupt {
    /// Listens from now on. Where no thread can be had, Ctrl-C is heard by the prompts only.
    pub(super) fn saying(message: String) -> Self {
        let is_armed = Arc::new(Mutex::new(true));
        let armed = Arc::clone(&is_armed);
        let (listening, ready) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            let pressed = runtime.block_on(async {
                let mut pressed = std::pin::pin!(tokio::signal::ctrl_c());
                // The first poll installs the handler; a signal that comes before it would end the process without a word.
                let first = pressed.as_mut().now_or_never();
                // Whoever waits for this has not gone.
                let _ = listening.send(());
                match first {
                    Some(pressed) => pressed,
                    None => pressed.await,
                }
            });
            // Held to the end of the process: nothing is written behind the message.
            let armed = lock(&armed);
            if pressed.is_ok() && *armed {
                output::ask::abandon();
                output::write::notice(&message);
                std::process::exit(i32::from(ExitCode::Failed.number()));
            }
        });
        if thread.is_ok() {
            // An error means that the thread could not listen.
            let _ = ready.recv();
        }
        Self { is_armed }
    }
}

impl Drop for EndsAtInterrupt {
    fn drop(&mut self) {
        *lock(&self.is_armed) = false;
    }
}

fn lock(is_armed: &Mutex<bool>) -> MutexGuard<'_, bool> {
    is_armed.lock().unwrap_or_else(PoisonError::into_inner)
}
