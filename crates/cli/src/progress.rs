//! Something to look at while a call runs: on a terminal, on standard error, one line that goes away.

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

const EVERY: Duration = Duration::from_millis(500);

/// Awaits `call`; meanwhile shows `what` and the seconds.
pub async fn while_waiting<T>(what: &str, call: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return call.await;
    }
    let began = Instant::now();
    let mut call = std::pin::pin!(call);
    loop {
        tokio::select! {
            answer = &mut call => {
                draw("");
                return answer;
            }
            () = tokio::time::sleep(EVERY) => draw(&format!("{what} ... {} s", began.elapsed().as_secs())),
        }
    }
}

fn draw(line: &str) {
    let mut stderr = io::stderr();
    // A terminal that cannot be written to costs the line, not the call.
    let _ = write!(stderr, "\r\u{1b}[2K{line}");
    let _ = stderr.flush();
}
