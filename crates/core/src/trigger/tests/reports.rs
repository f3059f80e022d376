//! Abuse reports as they really arrive: in a mail's encoding, quoted, with headers, as a web page, with other tools' logs.

use expect_test::expect;

use super::{
    variants::{B, check},
    *,
};

const MAIL: &str = "We have received a report(s) that your AWS resource(s)\n\n\
    AWS ID: 123456789012   Region: eu-west-1   EC2 Instance Id: i-0123456789abcdef0 [203.0.113.9]\n\n\
    has been implicated in activity which resembles a Denial of Service attack against remote hosts.\n\n\
    * Log Extract:\n<<<\nReport begin time: 22-01-2026 03:04:05 UTC\nProtocol: UDP\nRemote IP: 198.51.100.7\nRemote port(s): 53\n>>>\n";
/// The same in base64, as mailers break it.
const MAIL_64: &str = include_str!("reports/mail.b64");
/// The same, quoted-printable.
const MAIL_QP: &str = include_str!("reports/mail.qp");

#[test]
fn an_abuse_report_is_read_in_the_mail_that_it_came_in() {
    let of = |text: String| json!({"abuse_report": text});
    let quoted = |text: &str| text.lines().map(|line| ["> ", line, "\n"].concat()).collect::<String>();
    let headers =
        "From: x@example.com\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ";
    let page =
        format!("<html><head><style>p {{}}</style></head><body><p>{}</p></body></html>", MAIL.replace('\n', "<br>"));
    check(
        vec![
            ("as AWS sends it", of(MAIL.to_owned())),
            ("with other ends of lines", of(MAIL.replace('\n', "\r\n"))),
            ("its head with single spaces", of(MAIL.replace("   ", " "))),
            ("its head in capitals", of(MAIL.to_uppercase())),
            (
                "forwarded",
                of(format!(
                    "---------- Forwarded message ---------\nFrom: AWS <x@amazon.com>\nTo: <a@example.com>\n\n{MAIL}"
                )),
            ),
            ("forwarded as a quotation", of(format!("FYI\n\nBegin forwarded message:\n\n{}", quoted(MAIL)))),
            (
                "forwarded as an original message",
                of(format!("see below\n\n-----Original Message-----\nFrom: x@amazon.com\nSent: Friday\n\n{MAIL}")),
            ),
            ("in base64", of(format!("{headers}base64\n\n{MAIL_64}"))),
            ("in base64, without its headers", of(MAIL_64.to_owned())),
            ("quoted-printable", of(format!("{headers}quoted-printable\n\n{MAIL_QP}"))),
            ("quoted-printable, without its headers", of(MAIL_QP.to_owned())),
            (
                "in parts",
                of(format!(
                    "{}\n\n--b1\n{headers}base64\n\n{MAIL_64}--b1\nContent-Type: text/html\n\n{page}\n--b1--\n",
                    headers.replace("\nContent-Transfer-Encoding: ", "")
                )),
            ),
            ("as a page", of(page)),
            (
                "as a page with a quotation",
                of(format!(
                    "<div>Our own {B} is fine, do not touch it.</div><blockquote>Source IP: 203.0.113.9</blockquote>"
                )),
            ),
            (
                "text with an equals sign that is none",
                of(format!("Jan 2 03:04:05 fw: SRC=30.113.0.9 DST=198.51.100.7\n{}PROTO=\n", "LEN=40 ".repeat(9))),
            ),
        ],
        &expect![[r#"
            as AWS sends it: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            with other ends of lines: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            its head with single spaces: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            its head in capitals: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            forwarded: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            forwarded as a quotation: 123456789012/eu-west-1/i-0123456789abcdef0 ask
            forwarded as an original message: 123456789012/eu-west-1/i-0123456789abcdef0 ask
            in base64: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            in base64, without its headers: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            quoted-printable: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            quoted-printable, without its headers: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            in parts: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            as a page: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            as a page with a quotation: 123456789012/us-east-1/203.0.113.9 ? Quoted
            text with an equals sign that is none: 123456789012/us-east-1/30.113.0.9
        "#]],
    );
}

#[test]
fn hosts_and_logs_of_other_tools_are_read() {
    let of = |text: &str| json!({"abuse_report": text});
    check(
        vec![
            (
                "a host's name",
                of(
                    "Source: ec2-203-0-113-9.eu-central-1.compute.amazonaws.com\nTarget: www.example.com (198.51.100.7)",
                ),
            ),
            ("a host's older name", of("Your machine ec2-203-0-113-9.compute-1.amazonaws.com is attacking us.")),
            ("a private name", of("Attack from ip-10-1-2-3.eu-west-1.compute.internal")),
            (
                "a name with the instance",
                of("Attack from i-0123456789abcdef0.us-west-2.compute.internal against our sensor"),
            ),
            ("an ARN", of("Resource: arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0")),
            ("tcpdump", of("03:04:05.123456 IP 203.0.113.9.54321 > 198.51.100.7.22: Flags [S], seq 1")),
            ("tcpdump, IPv6", of("03:04:05.123456 IP6 2001:db8::9.54321 > 2001:db8:1::7.443: Flags [S]")),
            ("a mapped address", of("Source IP: ::ffff:203.0.113.9")),
            (
                "X-ARF in JSON",
                of(
                    "{\"ReporterIp\": \"192.0.2.1\",\n \"SourceIp\": \"203.0.113.9\",\n \"DestinationIp\": \"198.51.100.7\"}",
                ),
            ),
            (
                "JSON on one line",
                of("{\"source_ip\":\"203.0.113.9\",\"destination_ip\":\"198.51.100.7\",\"reporter_ip\":\"192.0.2.1\"}"),
            ),
            (
                "semicolons",
                of(
                    "Timestamp;Source IP;Source Port;Destination IP\n2026-01-02T03:04:05Z;203.0.113.9;4444;198.51.100.7\n",
                ),
            ),
            ("no columns", of("2026-01-02 03:04:05,203.0.113.9,198.51.100.7,22,tcp")),
            ("local and remote, of nobody's head", of("Local IP: 198.51.100.7\nRemote IP: 203.0.113.9")),
            ("an access log", of("203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] \"GET /wp-login.php HTTP/1.1\" 404 1")),
            ("several", of("Source IPs: 203.0.113.9, 2001:db8::9\nDestination IPs: 198.51.100.7, 198.51.100.8")),
            ("ids in capitals", of("EC2 INSTANCE ID: I-0123456789ABCDEF0\nREGION: EU-WEST-1\nAWS ID: 1234-5678-9012")),
        ],
        &expect![[r#"
            a host's name: 123456789012/eu-central-1/203.0.113.9
            a host's older name: 123456789012/us-east-1/203.0.113.9
            a private name: 123456789012/eu-west-1/10.1.2.3 ? Private
            a name with the instance: 123456789012/us-west-2/i-0123456789abcdef0 contain
            an ARN: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            tcpdump: 123456789012/us-east-1/203.0.113.9
            tcpdump, IPv6: 123456789012/us-east-1/2001:db8::9
            a mapped address: 123456789012/us-east-1/203.0.113.9
            X-ARF in JSON: 123456789012/us-east-1/203.0.113.9
            JSON on one line: 123456789012/us-east-1/203.0.113.9
            semicolons: 123456789012/us-east-1/203.0.113.9
            no columns: 123456789012/us-east-1/203.0.113.9 ? Unlabelled; 123456789012/us-east-1/198.51.100.7 ? Unlabelled
            local and remote, of nobody's head: 123456789012/us-east-1/198.51.100.7 ? Unlabelled; 123456789012/us-east-1/203.0.113.9 ? Unlabelled
            an access log: 123456789012/us-east-1/203.0.113.9 ? Unlabelled
            several: 123456789012/us-east-1/203.0.113.9; 123456789012/us-east-1/2001:db8::9
            ids in capitals: 123456789012/eu-west-1/i-0123456789abcdef0 contain
        "#]],
    );
}
