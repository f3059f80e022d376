//! Prints how large a packaged binary is, and how long it takes from its start to its first poll for an event.
#![expect(clippy::expect_used, reason = "a measurement that cannot run stops with the reason")]

use std::path::PathBuf;

use brig_tests::function::{first_poll, median};

const STARTS: usize = 15;
/// What the warm-up asks is refused at once: the start is measured, and not AWS.
const SETTINGS: [(&str, &str); 6] = [
    ("BRIG_LEDGER_TABLE", "brig"),
    ("BRIG_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:brig"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

#[tokio::main]
async fn main() {
    let binary = PathBuf::from(std::env::args().nth(1).expect("the path of the binary"));
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(first_poll(&binary, &SETTINGS).await);
    }
    let size = std::fs::metadata(&binary).map_or(0, |file| file.len());
    println!("{} kB; start to first poll {:.1} ms (median of {STARTS})", size / 1000, median(&mut times));
}
