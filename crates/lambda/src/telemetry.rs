//! Logs as JSON lines on standard output, where Lambda collects them.

use std::io::{self, Write};

use brig_core::model::text;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging: Brig's own lines from info on, those of its libraries from warn on. Events and policies are never logged.
pub fn start() {
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("brig_core", LevelFilter::INFO)
        .with_target("brig_engine", LevelFilter::INFO)
        .with_target("brig_aws", LevelFilter::INFO)
        .with_target("brig_lambda", LevelFilter::INFO)
        .with_target("bootstrap", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(|| Lines(io::stdout()));
    // A second start (tests in one process) keeps the first.
    let _ = tracing_subscriber::registry().with(lines).with(levels).try_init();
}

/// Writes lines without what would hide or forge something where a person reads them: JSON escapes line breaks, and leaves
/// bidirectional and invisible characters as they are.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    /// Takes one event's whole line, as the formatter hands it over.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        self.0.write_all(text::one_line(&line, usize::MAX).as_bytes())?;
        if bytes.ends_with(b"\n") {
            self.0.write_all(b"\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("the lines").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_that_hides_nothing() {
        let written = Shared::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer().json().with_writer(move || Lines(writer.clone()));
        let hostile = "web\r\n\u{1b}[31m\u{202e}\u{2066}\u{200b}\u{2028}\u{85}x";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::info!(name = hostile, "{hostile}");
        });
        let text = String::from_utf8(written.0.lock().expect("the lines").clone()).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
        let hidden = |c: char| c.is_control() || "\u{202e}\u{2066}\u{200b}\u{2028}".contains(c);
        assert!(!text.trim_end_matches('\n').chars().any(hidden), "{text:?}");
        let event: serde_json::Value = serde_json::from_str(&text).expect("still JSON");
        assert!(event.pointer("/fields/name").is_some_and(serde_json::Value::is_string), "{event}");
    }
}
