//! A line as words, each with where it stands.

pub(super) fn trimmed(word: &str) -> (usize, &str) {
    let start = word.trim_start_matches(['.', '-', '/', '@', '_', '%']);
    let skipped = word.len() - start.len();
    let mut end = start.trim_end_matches(['.', '-', '/', '_', '%', '@']);
    // A colon ends a label, but `::` ends an IPv6 network's address.
    if !end.ends_with("::") {
        end = end.trim_end_matches(':');
    }
    (skipped, end)
}

/// The words of a text with their places.
pub(super) fn words(text: &str, belongs: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (belongs(c), from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                found.extend(text.get(start..at).map(|word| (start, word)));
                from = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    found
}

pub(super) fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '\'')
}
