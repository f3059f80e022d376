use super::*;

fn lines(text: &str) -> Vec<String> {
    let report = Report::read(text);
    let place = |origin: &Origin| {
        let account = origin.account.as_ref().map_or("", AccountId::as_str);
        let region = origin.region.as_ref().map_or("", Region::as_str);
        let parts: Vec<&str> = ["", account, region].into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { String::new() } else { format!(" {}", parts.join(" ")) }
    };
    let origins = report.origins.iter().map(|origin| {
        let unclear = origin.unclear.map_or_else(String::new, |unclear| format!(" ? {unclear:?}"));
        format!("{}{}{unclear}", origin.target, place(origin))
    });
    origins.chain(report.time.map(|time| format!("at {time}"))).collect()
}

/// Each report, and what of it is an origin: in its place where it states one, with a question where it is not plain.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_report_names_as_its_origin_what_it_calls_so_and_nothing_else() {
    const A: &str = "i-0aaaaaaaaaaaaaaa1";
    const B: &str = "i-0bbbbbbbbbbbbbbb2";
    let cases: Vec<(&str, String, Vec<String>)> = vec![
        (
            "AWS's mail, its head on one line",
            format!("Abuse notice.\n\nAWS ID: 123456789012    Region: eu-west-1    EC2 Instance Id: {A} [203.0.113.9]\n\nFloods were seen."),
            vec![format!("{A} 123456789012 eu-west-1")],
        ),
        (
            "its head on several lines",
            format!("AWS Account: 1234-5678-9012\nRegion: eu-west-1\nEC2 Instance Id: {A}\nAbuse Time: Fri Jan 02 03:04:05 UTC 2026\n"),
            vec![format!("{A} 123456789012 eu-west-1"), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "its head in another order",
            format!("* Instance ID: {A}\n* Region: ap-southeast-2\n* AWS Account ID: 123456789012\n"),
            vec![format!("{A} 123456789012 ap-southeast-2")],
        ),
        (
            "two accounts in one mail",
            format!("AWS ID: 123456789012\nRegion: eu-west-1\nInstance ID: {A}\n\nAWS ID: 999988887777\nRegion: us-east-1\nInstance ID: {B}\n"),
            vec![format!("{A} 123456789012 eu-west-1"), format!("{B} 999988887777 us-east-1")],
        ),
        (
            "two heads that begin with the instance",
            format!("Instance ID: {A}\nRegion: eu-west-1\nInstance ID: {B}\nRegion: us-east-1\n"),
            vec![format!("{A} eu-west-1"), format!("{B} us-east-1")],
        ),
        (
            "AWS's log, its time in another zone",
            format!("DOS,{A},2026-11-20 12:00:00 PDT,198.51.100.7,TCP,*,80,eu-west-1"),
            vec![format!("{A} eu-west-1"), "at 2026-11-20T19:00:00.000Z".to_owned()],
        ),
        (
            "AWS's log whose time cannot be read",
            format!("DOS,{A},last Tuesday,198.51.100.7,TCP,*,80,eu-west-1"),
            vec![format!("{A} eu-west-1")],
        ),
        (
            "AWS's log with an address",
            "DOS,203.0.113.9,2026-11-20T12:00:00Z,198.51.100.7,TCP,*,80,us-east-1".to_owned(),
            vec!["203.0.113.9 us-east-1".to_owned(), "at 2026-11-20T12:00:00.000Z".to_owned()],
        ),
        (
            "the ARN of the instance",
            format!("Resource: arn:aws:ec2:eu-west-1:123456789012:instance/{A}"),
            vec![format!("{A} 123456789012 eu-west-1")],
        ),
        (
            "fail2ban",
            "The IP 203.0.113.9 has just been banned by Fail2Ban after 5 attempts against SSH on our server 198.51.100.7.\n\
             Source: 203.0.113.9\nDate: 2026-01-02T03:04:05Z\nLines:\nJan  2 03:04:05 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2"
                .to_owned(),
            vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "X-ARF",
            "Reported-From: abuse@example.org\nCategory: abuse\nReport-Type: login-attack\nService: ssh\nUser-Agent: x\n\
             Date: Fri, 02 Jan 2026 03:04:05 +0000\nSource-Type: ip-address\nSource: 203.0.113.9\nPort: 22\nReport-ID: 1@example.org"
                .to_owned(),
            vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "a feed of infected hosts",
            "\"timestamp\",\"ip\",\"protocol\",\"port\",\"tag\"\n\"2026-01-02 03:04:05\",\"203.0.113.9\",\"tcp\",\"6379\",\"redis\"\n".to_owned(),
            vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "a log with a column each",
            "timestamp,src_ip,src_port,dst_ip,dst_port\n2026-01-02 03:04:05,203.0.113.9,4444,198.51.100.7,22\n".to_owned(),
            vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "the victim's column first",
            "dst_ip | src_ip | time\n198.51.100.7 | 203.0.113.9 | 2026-01-02T03:04:05Z\n".to_owned(),
            vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()],
        ),
        (
            "a firewall's log",
            "Jan 2 03:04:05 fw kernel: DROP IN=eth0 SRC=203.0.113.9 DST=198.51.100.7 LEN=40 PROTO=TCP SPT=4444 DPT=22".to_owned(),
            vec!["203.0.113.9".to_owned()],
        ),
        ("an arrow", "2026-01-02T03:04:05Z 203.0.113.9:4444 -> 198.51.100.7:22 SYN".to_owned(), vec!["203.0.113.9".to_owned(), "at 2026-01-02T03:04:05.000Z".to_owned()]),
        ("IPv6", "Source IP: 2001:db8::9\nDestination IP: 2001:db8:1::7".to_owned(), vec!["2001:db8::9".to_owned()]),
        ("made harmless", "Offending IP: 203[.]0[.]113[.]9\nVictim: 198[.]51[.]100[.]7".to_owned(), vec!["203.0.113.9".to_owned()]),
        ("a link made harmless", "Phishing URL: hxxp://203[.]0[.]113[.]9/login.php".to_owned(), vec!["203.0.113.9".to_owned()]),
        ("a network", "Source: 203.0.113.0/24".to_owned(), vec![]),
        ("a single address as a network", "Source: 203.0.113.9/32".to_owned(), vec!["203.0.113.9".to_owned()]),
        ("a range", "Source: 203.0.113.9 - 203.0.113.20".to_owned(), vec![]),
        ("a range in one word", "Source: 203.0.113.9-203.0.113.20".to_owned(), vec![]),
        ("a private address", "Source IP: 10.0.0.5".to_owned(), vec!["10.0.0.5 ? Private".to_owned()]),
        ("the loopback", "Source IP: 127.0.0.1".to_owned(), vec![]),
        (
            "the victim by id",
            format!("Source instance: {A}\nVictim: {B}\n"),
            vec![A.to_owned()],
        ),
        ("the destination by id", format!("Instance ID: {A}\nDestination: {B}"), vec![A.to_owned()]),
        ("a target by id", format!("Target instance: {B}"), vec![]),
        (
            "what is to be left alone",
            format!("Instance ID: {A}\nPlease do NOT touch {B}, it is production."),
            vec![A.to_owned()],
        ),
        (
            "what is to be left alone, over two lines",
            format!("Instance ID: {A}\nPlease do NOT\ntouch {B}"),
            vec![A.to_owned()],
        ),
        (
            "what is denied",
            format!("Instance ID: {A}\nInstance {B} is not involved."),
            vec![A.to_owned(), format!("{B} ? Negated")],
        ),
        (
            "our sensor",
            format!("Attacks from {A} were seen by our sensor {B}."),
            vec![A.to_owned()],
        ),
        (
            "the sensor behind its name",
            format!("Attacks from {A} hit {B} (our honeypot)"),
            vec![A.to_owned()],
        ),
        (
            "headers of the mail",
            format!("Received: from mail.example.org (mail.example.org [192.0.2.77])\n\tby mx ({B}) with ESMTP\nMessage-ID: <{B}@example.org>\nX-Originating-IP: 192.0.2.78\nFrom: {B}@example.org\nTo: abuse@example.com\n\nInstance ID: {A}"),
            vec![A.to_owned()],
        ),
        (
            "the reporter",
            "Reporter: 192.0.2.1\nReporter source IP: 192.0.2.2\nSource IP: 203.0.113.9".to_owned(),
            vec!["203.0.113.9".to_owned()],
        ),
        (
            "quoted mail",
            format!("Instance ID: {A}\n\nOn Friday somebody wrote:\n> Instance ID: {B}\n"),
            vec![A.to_owned()],
        ),
        ("nothing but quoted mail", format!("> Instance ID: {A}"), vec![format!("{A} ? Quoted")]),
        (
            "a signature",
            format!("Instance ID: {A}\n-- \nThe abuse team, instance {B}, 192.0.2.9"),
            vec![A.to_owned()],
        ),
        ("an id that is only mentioned", format!("See also {A} in the attachment."), vec![format!("{A} ? Unlabelled")]),
        ("an address that is only mentioned", "hello\ni-XYZ 203.0.113.9 xi-0abcdef0123456789".to_owned(), vec!["203.0.113.9 ? Unlabelled".to_owned()]),
        (
            "a list below its heading",
            "Source IPs:\n- 203.0.113.9\n- 203.0.113.10\n\nVictims:\n- 198.51.100.7\n".to_owned(),
            vec!["203.0.113.9".to_owned(), "203.0.113.10".to_owned()],
        ),
        (
            "ids in one line",
            format!("Instance IDs: {A}, {B}"),
            vec![A.to_owned(), B.to_owned()],
        ),
        ("other ids", "Resources: eni-bfcffe88, ami-99999999, vol-0123456789abcdef0".to_owned(), vec![]),
        (
            "the same thing as origin and as victim",
            format!("Source: {A}\nVictim: {A}"),
            vec![format!("{A} ? Contradicted")],
        ),
        ("the attack in a sentence", format!("Your instance {A} is attacking our network."), vec![A.to_owned()]),
        ("the attacked in a sentence", format!("Your instance {A} was attacked from 203.0.113.9."), vec!["203.0.113.9".to_owned()]),
    ];
    let mut wrong = Vec::new();
    for (what, text, expected) in &cases {
        let found = lines(text);
        if found != *expected {
            wrong.push(format!("{what}:\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_destination_is_the_other_end() {
    let report =
        Report::read("DOS,203.0.113.9,2026-01-02T03:04:05Z,198.51.100.7,TCP,*,80,us-east-1\nVictim: 198.51.100.8");
    assert_eq!(
        report.others,
        ["198.51.100.7".parse::<IpAddr>().expect("address"), "198.51.100.8".parse().expect("address")]
    );
}

#[test]
fn a_report_of_any_size_is_read_in_bounds() {
    let text: Vec<String> =
        (0..20_000).map(|n| format!("Instance ID: i-{n:017x} from 203.0.{}.{}\n", n / 256 % 256, n % 256)).collect();
    let text = text.concat();
    let report = Report::read(&text);
    assert!(report.origins.len() <= MOST_KEPT && report.excluded.len() <= 2 * MOST_KEPT);
}

proptest::proptest! {
    #[test]
    fn any_text_ends_without_a_panic_and_names_only_what_it_holds(text in "(?s).{0,400}", id in "i-[0-9a-f]{17}") {
        let text = format!("{text} {id} {text}");
        for origin in Report::read(&text).origins {
            if let Target::Instance(found) = origin.target {
                proptest::prop_assert!(text.contains(found.as_str()));
            }
        }
    }
}
