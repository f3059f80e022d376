//! What S3 answers: a page of a list, a refusal, a compressed text.

use std::io::{self, Write};

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use brig_engine::ports::{Lines, Object};
use flate2::write::MultiGzDecoder;

/// A line is no longer: a record has some hundred bytes.
const LONGEST: usize = 64 * 1024;

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
            _ => Err(XmlDecodeError::custom("it does not say whether the list is complete")),
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

/// A refusal, as far as it can be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Option<String>,
    pub(super) message: String,
    /// Where the bucket is, where it is elsewhere and the answer says so.
    pub(super) region: Option<String>,
}

impl Refusal {
    pub(super) fn of(text: &str) -> Self {
        let mut refusal = Self::default();
        let mut document = Document::new(text);
        let Ok(mut root) = document.root_element() else { return refusal };
        while let Some(mut tag) = root.next_tag() {
            let local = tag.start_el().local().to_owned();
            let Ok(data) = try_data(&mut tag) else { continue };
            match local.as_str() {
                "Code" => refusal.code = Some(data.into_owned()),
                "Message" => refusal.message = data.into_owned(),
                "Region" => refusal.region = Some(data.into_owned()),
                _ => {}
            }
        }
        refusal
    }
}

/// Hands on the lines of a compressed text; the text itself is never held.
pub(super) struct Unzip<'a>(MultiGzDecoder<Split<'a>>);

struct Split<'a> {
    line: Lines<'a>,
    /// A line whose end has not come yet.
    begun: Vec<u8>,
}

impl<'a> Unzip<'a> {
    pub(super) fn to(line: Lines<'a>) -> Self {
        Self(MultiGzDecoder::new(Split { line, begun: Vec::new() }))
    }

    pub(super) fn read(&mut self, part: &[u8]) -> Result<(), String> {
        self.0.write_all(part).map_err(|why| why.to_string())
    }

    pub(super) fn end(self) -> Result<(), String> {
        let split = self.0.finish().map_err(|why| why.to_string())?;
        if !split.begun.is_empty() {
            (split.line)(&String::from_utf8_lossy(&split.begun));
        }
        Ok(())
    }
}

impl Write for Split<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let mut lines = part.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for rest in lines {
            if self.begun.is_empty() {
                (self.line)(&String::from_utf8_lossy(rest));
            } else {
                self.begun.extend_from_slice(rest);
                (self.line)(&String::from_utf8_lossy(&self.begun));
                self.begun.clear();
            }
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
        let refusal = Refusal::of(text);
        assert_eq!((refusal.code.as_deref(), refusal.message.as_str()), (Some("AccessDenied"), "Access Denied"));
        let text = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        assert_eq!(Refusal::of(text).region.as_deref(), Some("eu-west-1"));
        for text in ["", "<html><body>busy</body></html>", "<Error><Code><x/></Code></Error>"] {
            assert_eq!(Refusal::of(text).code, None, "{text}");
        }
    }

    fn zipped(text: &str) -> Vec<u8> {
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(text.as_bytes()).expect("memory");
        zip.finish().expect("memory")
    }

    fn lines(bytes: &[u8], part: usize) -> (Vec<String>, Result<(), String>) {
        let mut found = Vec::new();
        let mut keep = |line: &str| found.push(line.to_owned());
        let end = {
            let mut unzip = Unzip::to(&mut keep);
            bytes.chunks(part).try_for_each(|part| unzip.read(part)).and_then(|()| unzip.end())
        };
        (found, end)
    }

    #[test]
    fn lines_are_handed_on_however_they_come() {
        let bytes = zipped("version interface-id\n2 eni-1 a\n\n2 eni-1 d");
        for part in [1, 7, 1000] {
            assert_eq!(
                lines(&bytes, part),
                (["version interface-id", "2 eni-1 a", "", "2 eni-1 d"].map(str::to_owned).to_vec(), Ok(()))
            );
        }
        assert_eq!(lines(&zipped(""), 3), (Vec::new(), Ok(())));
        // Of several members, as gzip allows.
        let two = [zipped("a\nb"), zipped("c\n")].concat();
        assert_eq!(lines(&two, 5), (vec!["a".to_owned(), "bc".to_owned()], Ok(())));
    }

    #[test]
    fn what_is_cut_off_or_no_text_is_an_error_after_what_came() {
        let error = |bytes: &[u8]| lines(bytes, 1000).1.expect_err("no text");
        expect!["invalid gzip header"].assert_eq(&error(b"PAR1 is no gzip at all"));
        expect!["a line of it has no end"].assert_eq(&error(&zipped(&"x".repeat(LONGEST + 1))));
        let whole = zipped("2 eni-1 a\n");
        let (found, end) = lines(&whole[..whole.len() - 4], 1000);
        assert_eq!(found, ["2 eni-1 a"]);
        assert!(end.is_err(), "its end is missing");
    }
}
