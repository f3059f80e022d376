//! Whether an answer is AWS's, and whole. Something between may answer with a page, a redirection, or half of what AWS said;
//! a client that looks for nothing in an answer takes such a page for success, and an empty JSON answer for an empty list.

use std::{fmt, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, retry::ErrorKind};

use crate::body::{Unread, whole};

/// For all of a body, whose beginning is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer that is read as one is larger: DynamoDB's end at 1 MB, CloudWatch Logs' at 10,000 events.
const LARGEST: usize = 32 * 1024 * 1024;

/// The answer is not AWS's, or not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsound(String);

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsound {}

/// What a body must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The query protocols of EC2, IAM, STS, SNS, Auto Scaling and load balancers: an XML document.
    Xml,
    /// A JSON object, never nothing.
    Json,
    /// A JSON object or nothing.
    JsonOrNothing,
    /// S3's answer to a write: what it says is in its head.
    Nothing,
    /// Not a call that is signed: a credentials provider's.
    Any,
}

impl Shape {
    fn of(request: &HttpRequest) -> Self {
        let header = |name: &str| request.headers().get(name).unwrap_or_default();
        if header("content-type").starts_with("application/x-www-form-urlencoded") {
            return Self::Xml;
        }
        // S3 alone has the hash of what it is sent signed. An object may hold anything, or nothing.
        if !header("x-amz-content-sha256").is_empty() {
            let says = ["list-type", "object-lock", "retention"].iter().any(|what| request.uri().contains(what));
            return match (request.method(), says) {
                ("PUT", _) => Self::Nothing,
                (_, true) => Self::Xml,
                (_, false) => Self::Any,
            };
        }
        let target = header("x-amz-target");
        // SQS answers a change of visibility with nothing.
        if target.starts_with("AmazonSQS.") {
            Self::JsonOrNothing
        } else if !target.is_empty() {
            Self::Json
        } else if header("authorization").starts_with("AWS4-") {
            if request.method() == "GET" { Self::Json } else { Self::JsonOrNothing }
        } else {
            Self::Any
        }
    }

    /// Why a body does not have it.
    fn lacks(self, body: &[u8]) -> Option<&'static str> {
        let body = body.trim_ascii();
        let is_json = body.starts_with(b"{") && body.ends_with(b"}");
        match self {
            Self::Any => None,
            Self::JsonOrNothing | Self::Nothing if body.is_empty() => None,
            Self::Nothing => Some("it holds something, and S3 answers a write with nothing"),
            Self::Xml | Self::Json if body.is_empty() => Some("it is empty"),
            Self::Json | Self::JsonOrNothing => (!is_json).then_some("it is not a JSON object, or is truncated"),
            Self::Xml => xml(body),
        }
    }
}

/// An XML document that is whole ends with the end of its root, and is no page for a browser.
fn xml(body: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(after) = ["<?", "<!--"].into_iter().find_map(|open| rest.strip_prefix(open)) {
        rest = after.split_once('>').map_or("", |(_, rest)| rest).trim_start();
    }
    let Some(root) = rest.strip_prefix('<') else { return Some("it is no XML") };
    let name = root.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next().unwrap_or_default();
    if name.is_empty() || name.starts_with('!') || name.eq_ignore_ascii_case("html") {
        return Some("it is a page for a browser");
    }
    let alone = rest.ends_with("/>") && rest.matches('<').count() == 1;
    (!alone && !rest.ends_with(&format!("</{name}>"))).then_some("it is cut")
}

/// A connector whose answers are AWS's, and whole; what is not is an error that the SDK tries again.
#[derive(Debug)]
pub(crate) struct Sound(pub(crate) SharedHttpConnector);

impl HttpConnector for Sound {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let shape = Shape::of(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if shape == Shape::Any { Ok(answer) } else { check(answer, shape).await }
        })
    }
}

async fn check(mut answer: HttpResponse, shape: Shape) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status();
    let unsound = |why: &str| {
        let why = Unsound(format!("HTTP {}: the answer cannot be read: {why}", status.as_u16()));
        ConnectorError::other(Box::new(why), Some(ErrorKind::TransientError))
    };
    if status.as_u16() < 200 || (300..400).contains(&status.as_u16()) {
        return Err(unsound("it leads elsewhere"));
    }
    if !status.is_success() {
        return Ok(answer);
    }
    let bytes = match tokio::time::timeout(PATIENCE, whole(answer.take_body(), LARGEST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(Unread::Broken(why))) => return Err(unsound(&why)),
        Ok(Err(Unread::TooLarge)) => return Err(unsound("it is too large")),
        Err(_) => return Err(unsound("it does not end")),
    };
    if let Some(why) = shape.lacks(&bytes) {
        return Err(unsound(why));
    }
    *answer.body_mut() = SdkBody::from(bytes);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_an_answer_of_aws_is_no_success() {
        let document =
            "<?xml version=\"1.0\"?>\n<!-- x --><ModifyResponse xmlns=\"y\"><return>true</return></ModifyResponse>\n";
        let page = "<!DOCTYPE html><html><body>Sign in</body></html>";
        let cut = &document[..60];
        for (shape, body, sound) in [
            (Shape::Xml, document, true),
            (Shape::Xml, "<CreateTagsResponse/>", true),
            (Shape::Xml, cut, false),
            (Shape::Xml, page, false),
            (Shape::Xml, "<html><body/></html>", false),
            (Shape::Xml, "", false),
            (Shape::Xml, "{}", false),
            (Shape::Json, "{\"Items\":[]}", true),
            (Shape::Json, " {} \n", true),
            (Shape::Json, "", false),
            (Shape::Json, "{\"Items\":[", false),
            (Shape::Json, page, false),
            (Shape::JsonOrNothing, "", true),
            (Shape::JsonOrNothing, page, false),
            (Shape::Any, page, true),
            (Shape::Nothing, "", true),
            (Shape::Nothing, page, false),
        ] {
            assert_eq!(shape.lacks(body.as_bytes()).is_none(), sound, "{shape:?} {body:?}");
        }
    }

    #[test]
    fn the_request_says_what_its_answer_looks_like() {
        let request = |headers: &[(&'static str, &'static str)], method: &str| {
            let mut request = HttpRequest::empty();
            request.set_method(method).expect("a method");
            for (name, value) in headers {
                request.headers_mut().insert(*name, *value);
            }
            Shape::of(&request)
        };
        let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=x");
        assert_eq!(request(&[("content-type", "application/x-www-form-urlencoded"), signed], "POST"), Shape::Xml);
        assert_eq!(request(&[("x-amz-target", "DynamoDB_20120810.Query"), signed], "POST"), Shape::Json);
        assert_eq!(request(&[("x-amz-target", "AmazonSQS.ChangeMessageVisibility")], "POST"), Shape::JsonOrNothing);
        let s3 = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        assert_eq!(request(&[s3, signed], "PUT"), Shape::Nothing);
        assert_eq!(request(&[s3, signed], "GET"), Shape::Any, "an object");
        assert_eq!(request(&[signed], "GET"), Shape::Json);
        assert_eq!(request(&[], "GET"), Shape::Any);
    }
}
