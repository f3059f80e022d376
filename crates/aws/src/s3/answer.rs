//! What S3 answers: a page of a list, a refusal, a compressed text.

use std::io::{self, Write};

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use brig_core::ids::EniId;
use brig_engine::ports::Object;
use flate2::write::MultiGzDecoder;

/// A line is no longer: a record has some hundred bytes.
const LONGEST: usize = 64 * 1024;
/// So many lines of one object are kept.
const MOST: usize = 5_000;

/// A page of ListObjectsV2.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// Asks for the next one, where there is one.
    pub(super) next: Option<String>,
}

impl Page {
    pub(super) fn of(text: &str) -> Result<Self, XmlDecodeError> {
        let mut document = Document::new(text);
        let mut root = document.root_element()?;
        let mut page = Self { objects: Vec::new(), next: None };
        let mut truncated = None;
        while let Some(mut tag) = root.next_tag() {
            match tag.start_el().local() {
                "Contents" => page.objects.push(object(&mut tag)?),
                "IsTruncated" => truncated = Some(try_data(&mut tag)? == "true"),
                "NextContinuationToken" => page.next = Some(try_data(&mut tag)?.into_owned()),
                _ => {}
            }
        }
        match truncated {
            Some(true) if page.next.is_some() => Ok(page),
            Some(false) => Ok(Self { next: None, ..page }),
            _ => Err(XmlDecodeError::custom("it does not say whether the list is whole")),
        }
    }
}

fn object(contents: &mut ScopedDecoder<'_, '_>) -> Result<Object, XmlDecodeError> {
    let (mut key, mut bytes) = (None, None);
    while let Some(mut tag) = contents.next_tag() {
        match tag.start_el().local() {
            "Key" => key = Some(try_data(&mut tag)?.into_owned()),
            "Size" => bytes = try_data(&mut tag)?.parse().ok(),
            _ => {}
        }
    }
    let whole = key.zip(bytes).map(|(key, bytes)| Object { key, bytes });
    whole.ok_or_else(|| XmlDecodeError::custom("an object has no key or no size"))
}

/// Code and message of a refusal, as far as there are any.
pub(super) fn refusal(text: &str) -> (Option<String>, String) {
    let (mut code, mut message) = (None, String::new());
    let mut document = Document::new(text);
    let Ok(mut root) = document.root_element() else { return (code, message) };
    while let Some(mut tag) = root.next_tag() {
        let local = tag.start_el().local().to_owned();
        let Ok(data) = try_data(&mut tag) else { continue };
        match local.as_str() {
            "Code" => code = Some(data.into_owned()),
            "Message" => message = data.into_owned(),
            _ => {}
        }
    }
    (code, message)
}

/// The lines of a compressed text that name an interface; the text itself is never held.
pub(super) struct Lines(MultiGzDecoder<Filter>);

struct Filter {
    interfaces: Vec<String>,
    /// A line whose end has not come yet.
    begun: Vec<u8>,
    found: Vec<String>,
}

impl Lines {
    pub(super) fn with(interfaces: &[EniId]) -> Self {
        let interfaces = interfaces.iter().map(ToString::to_string).collect();
        Self(MultiGzDecoder::new(Filter { interfaces, begun: Vec::new(), found: Vec::new() }))
    }

    pub(super) fn read(&mut self, part: &[u8]) -> Result<(), String> {
        self.0.write_all(part).map_err(|why| why.to_string())
    }

    pub(super) fn end(self) -> Result<Vec<String>, String> {
        let mut filter = self.0.finish().map_err(|why| why.to_string())?;
        let last = std::mem::take(&mut filter.begun);
        filter.line(&last).map_err(|why| why.to_string())?;
        Ok(filter.found)
    }
}

impl Filter {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let line = String::from_utf8_lossy(line);
        if self.interfaces.iter().any(|interface| line.contains(interface)) {
            if self.found.len() >= MOST {
                return Err(io::Error::other(format!("it has more than {MOST} records of the interfaces")));
            }
            self.found.push(line.into_owned());
        }
        Ok(())
    }
}

impl Write for Filter {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let mut lines = part.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for rest in lines {
            let mut line = std::mem::take(&mut self.begun);
            line.extend_from_slice(rest);
            self.line(&line)?;
        }
        self.begun.extend_from_slice(last);
        if self.begun.len() > LONGEST {
            return Err(io::Error::other("a line of it has no end"));
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn a_page_is_whole_or_names_the_next() {
        let page = |rest: &str| {
            let list = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name><Contents><Key>a&amp;b.gz</Key><Size>434</Size></Contents><Contents><Key>c.gz</Key><Owner><ID>x</ID></Owner><Size>7</Size></Contents>"#;
            Page::of(&format!("{list}{rest}</ListBucketResult>")).map_err(|why| why.to_string())
        };
        let whole = page("<IsTruncated>false</IsTruncated>").expect("a page");
        let object = |key: &str, bytes| Object { key: key.to_owned(), bytes };
        assert_eq!(whole, Page { objects: vec![object("a&b.gz", 434), object("c.gz", 7)], next: None });
        let part = page("<IsTruncated>true</IsTruncated><NextContinuationToken>1+/=</NextContinuationToken>");
        assert_eq!(part.expect("a page").next.as_deref(), Some("1+/="));
        for bad in
            ["", "<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated><Contents><Key>x</Key></Contents>"]
        {
            assert!(page(bad).is_err(), "{bad}");
        }
        for bad in ["", "<html>", "{}"] {
            assert!(Page::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_has_its_code_where_there_is_one() {
        let text = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>1</RequestId></Error>";
        assert_eq!(refusal(text), (Some("AccessDenied".to_owned()), "Access Denied".to_owned()));
        for text in ["", "<html><body>busy</body></html>", "<Error><Code><x/></Code></Error>"] {
            assert_eq!(refusal(text).0, None, "{text}");
        }
    }

    fn lines(text: &str, part: usize) -> Result<Vec<String>, String> {
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(text.as_bytes()).expect("memory");
        let bytes = zip.finish().expect("memory");
        let mut lines = Lines::with(&["eni-1".into(), "eni-2".into()]);
        for part in bytes.chunks(part) {
            lines.read(part)?;
        }
        lines.end()
    }

    #[test]
    fn lines_of_the_interfaces_are_kept_however_they_come() {
        let text = "version interface-id\n2 eni-1 a\n2 eni-3 b\n2 eni-2 c\n\n2 eni-1 d";
        for part in [1, 7, 1000] {
            assert_eq!(lines(text, part).expect("text"), ["2 eni-1 a", "2 eni-2 c", "2 eni-1 d"]);
        }
        assert_eq!(lines("", 3).expect("text"), Vec::<String>::new());
    }

    #[test]
    fn what_is_too_much_or_no_text_is_an_error() {
        let mut broken = Lines::with(&[]);
        expect!["invalid gzip header"].assert_eq(&broken.read(b"PAR1 is no gzip at all").expect_err("no gzip"));
        expect!["a line of it has no end"].assert_eq(&lines(&"x".repeat(LONGEST + 1), 1000).expect_err("a long line"));
        expect!["it has more than 5000 records of the interfaces"]
            .assert_eq(&lines(&"eni-1\n".repeat(MOST + 1), 1000).expect_err("many lines"));
        let mut half = Lines::with(&[]);
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(b"2 eni-1 a\n").expect("memory");
        let bytes = zip.finish().expect("memory");
        half.read(&bytes[..bytes.len() - 4]).expect("a beginning");
        assert!(half.end().is_err(), "its end is missing");
    }
}
