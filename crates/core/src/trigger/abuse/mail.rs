//! A report's text out of the mail that it came in: bodies in base64 and quoted-printable
//! (<https://www.rfc-editor.org/rfc/rfc2045#section-6>) and pages in HTML are made plain, line by line. What is no such thing
//! stays as it is.

use std::borrow::Cow;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Base64,
    Quoted,
}

/// Fewer characters than this are no encoded body.
const SHORTEST: usize = 64;
/// A line that is broken is as long as a line may be, 76 characters, less the word that did not fit.
const SHORTEST_BROKEN: usize = 60;
/// What shows that a text is a page in HTML.
const TAGS: [&str; 8] = ["<html", "<body", "<div", "<p>", "<br", "<td", "<table", "<span"];

/// The text as a person would read it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let decoded = decoded(text);
    match from_html(&decoded) {
        Some(plain) => Cow::Owned(plain),
        None => decoded,
    }
}

/// The bodies of a mail with their encodings undone. A body alone, without the headers that would say so, is known by its
/// form.
fn decoded(text: &str) -> Cow<'_, str> {
    if !has_header(text) {
        if let Some(decoded) = base64_alone(text) {
            return Cow::Owned(decoded);
        }
        return if is_quoted_printable(text) { Cow::Owned(from_quoted(text)) } else { Cow::Borrowed(text) };
    }
    let mut plain = String::new();
    let (mut encoding, mut next) = (Encoding::Plain, None);
    let mut body = String::new();
    for line in text.lines() {
        let is_boundary = line.starts_with("--") && line.trim_end().len() > 2 && !line.contains(' ');
        if encoding != Encoding::Plain && is_boundary {
            finish(&mut plain, &mut body, encoding);
            encoding = Encoding::Plain;
        }
        if encoding == Encoding::Plain {
            plain.push_str(line);
            plain.push('\n');
            next = encoding_of(line).or(next);
            // The body begins behind the headers.
            if line.trim().is_empty() {
                encoding = next.take().unwrap_or(Encoding::Plain);
            }
        } else {
            body.push_str(line);
            body.push('\n');
        }
    }
    finish(&mut plain, &mut body, encoding);
    Cow::Owned(plain)
}

fn has_header(text: &str) -> bool {
    text.lines().any(|line| encoding_of(line).is_some_and(|encoding| encoding != Encoding::Plain))
}

fn encoding_of(line: &str) -> Option<Encoding> {
    let (name, value) = line.split_once(':')?;
    if !name.trim().eq_ignore_ascii_case("content-transfer-encoding") {
        return None;
    }
    Some(match value.trim().to_ascii_lowercase().as_str() {
        "base64" => Encoding::Base64,
        "quoted-printable" => Encoding::Quoted,
        _ => Encoding::Plain,
    })
}

/// What cannot be decoded stays as it is written.
fn finish(plain: &mut String, body: &mut String, encoding: Encoding) {
    let decoded = match encoding {
        Encoding::Base64 => from_base64(body),
        Encoding::Quoted => Some(from_quoted(body)),
        Encoding::Plain => None,
    };
    plain.push_str(decoded.as_deref().unwrap_or(body));
    if !plain.ends_with('\n') {
        plain.push('\n');
    }
    body.clear();
}

fn base64_alone(text: &str) -> Option<String> {
    let text = text.trim();
    let letters = |line: &str| line.bytes().all(|byte| digit(byte).is_some() || byte == b'=');
    if text.len() < SHORTEST || !text.lines().all(|line| letters(line.trim())) {
        return None;
    }
    from_base64(text).filter(|decoded| decoded.contains(' ') && !decoded.contains('\u{FFFD}'))
}

fn digit(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

fn from_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            break;
        }
        held = (held << 6 | digit(byte)?) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xFF).unwrap_or_default());
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A long line goes on in the next, and every other `=` stands for what needs to be encoded: `SRC=30.1.2.3` is none such.
fn is_quoted_printable(text: &str) -> bool {
    let goes_on = |line: &&str| line.len() >= SHORTEST_BROKEN && line.trim_end().ends_with('=');
    let needed = |piece: &str| {
        let byte = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let at_the_end = piece.get(2..).is_some_and(|rest| rest.is_empty() || rest.starts_with(['\r', '\n']));
        byte.is_some_and(|byte| byte == b'=' || byte >= 0x80 || (matches!(byte, b' ' | b'\t') && at_the_end))
    };
    let mut pieces = text.split('=');
    pieces.next();
    text.lines().any(|line| goes_on(&line))
        && pieces.all(|piece| piece.trim_start_matches('\r').starts_with('\n') || needed(piece))
}

fn from_quoted(text: &str) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        let (line, goes_on) = line.strip_suffix('=').map_or((line, false), |line| (line, true));
        let mut pieces = line.split('=');
        bytes.extend(pieces.next().unwrap_or_default().bytes());
        for piece in pieces {
            let byte = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            bytes.push(byte.unwrap_or(b'='));
            bytes.extend(piece.get(if byte.is_some() { 2.. } else { 0.. }).unwrap_or_default().bytes());
        }
        if !goes_on {
            bytes.push(b'\n');
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A page's text: blocks, rows and breaks are lines, cells are apart, quoted mail is marked as such.
fn from_html(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if lower.len() != text.len() || !TAGS.iter().any(|tag| lower.contains(tag)) {
        return None;
    }
    let mut plain = String::new();
    let (mut at, mut quotes) = (0, 0_usize);
    while let Some(open) = text.get(at..)?.find('<').map(|found| at + found) {
        push(&mut plain, text.get(at..open)?, quotes);
        let rest = lower.get(open + 1..)?;
        let is_tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        let Some(length) = rest.find('>').filter(|_| is_tag) else {
            push(&mut plain, "<", quotes);
            at = open + 1;
            continue;
        };
        let tag = rest.get(..length)?;
        let end = tag.starts_with('/');
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        // An address in pointed brackets is no tag.
        if tag.contains('@') && !tag.contains('=') {
            push(&mut plain, text.get(open..open + length + 2)?, quotes);
        }
        at = open + length + 2;
        match name.as_str() {
            "style" | "script" | "head" if !end => {
                let close = format!("</{name}");
                at = lower.get(at..)?.find(&close).map_or(text.len(), |found| at + found);
            }
            "blockquote" => {
                quotes = if end { quotes.saturating_sub(1) } else { quotes + 1 };
                plain.push('\n');
            }
            "br" | "p" | "div" | "tr" | "li" | "ul" | "ol" | "table" | "pre" | "h1" | "h2" | "h3" | "h4" | "hr" => {
                plain.push('\n');
            }
            "td" | "th" if end => plain.push('\t'),
            _ => {}
        }
    }
    push(&mut plain, text.get(at..)?, quotes);
    Some(plain)
}

fn push(plain: &mut String, text: &str, quotes: usize) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            plain.push('\n');
        }
        if quotes > 0 && (plain.is_empty() || plain.ends_with('\n')) && !line.trim().is_empty() {
            plain.push_str("> ");
        }
        plain.push_str(&unescaped(line));
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let known = after.split_once(';').filter(|(name, _)| name.len() <= 8).and_then(|(name, behind)| {
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" | "ensp" | "emsp" => ' ',
                "rarr" => '→',
                "mdash" | "ndash" => '-',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((c, behind))
        });
        plain.push(known.map_or('&', |(c, _)| c));
        rest = known.map_or(after, |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain
}
