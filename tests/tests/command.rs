//! `brig`, the command for people, against the functions as they were deployed.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, time::Duration};

use brig_tests::{
    account::{Account, unique},
    function::bootstrap,
    seed::{Launch, Network},
};
use serde_json::Value;
use tokio::process::Command;

/// What one run of the command printed, and how it ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("nothing but JSON on standard output")
    }
}

fn command(arguments: &[&str]) -> Command {
    let binary: PathBuf = bootstrap().with_file_name("brig");
    let mut command = Command::new(binary);
    // No terminal, as in a script.
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn ran(mut command: Command) -> Ran {
    let output = command.output().await.expect("the command starts; `cargo build --workspace` builds it");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

async fn brig(arguments: &[&str]) -> Ran {
    ran(command(arguments)).await
}

async fn launched(account: &Account, network: &Network, name: &str) -> String {
    let identity = account.identity().await;
    account.launch(network, name, Launch { profile: Some(&identity), ..Launch::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_plans_contains_looks_verifies_and_gives_back() {
    let account = Account::open().await;
    let network = account.network(201, false).await;
    let name = unique("command");
    let instance = launched(&account, &network, &name).await;
    let before = account.state(&instance).await;

    // By its Name tag and its address too.
    let address = account.describe(&instance).await.private_ip_address().expect("an address").to_owned();
    for named in [instance.as_str(), &name, &address] {
        let planned = brig(&["plan", named]).await;
        assert_eq!(planned.code, 0, "{named}: {planned:?}");
        assert!(planned.out.starts_with("PLAN: nothing was changed\n"), "{planned:?}");
        assert!(planned.out.contains("brig-isolation"), "{planned:?}");
    }
    let story = brig(&["show", &instance]).await;
    assert_eq!((story.code, story.out.starts_with("NEVER CONTAINED")), (2, true), "{story:?}");
    assert_eq!(account.state(&instance).await, before, "looking changes nothing");

    let contained = brig(&["contain", &name, "--reason", "IR-7"]).await;
    assert_eq!(contained.code, 0, "{contained:?}");
    assert!(contained.out.starts_with("CONTAINED\n"), "{contained:?}");
    assert!(!contained.out.contains('\u{1b}'), "no colour where there is no terminal");
    assert_eq!(contained.err, "", "no progress where there is no terminal");
    assert_ne!(account.state(&instance).await, before);

    let story = brig(&["show", &instance]).await;
    assert_eq!(story.code, 0, "{story:?}");
    assert!(story.out.contains("IR-7"), "{story:?}");
    let claim = "(invoked by arn:aws:iam::123456789012:";
    assert!(story.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(claim), "{story:?}");

    let status = brig(&["--json", "status"]).await.json();
    let active = status["active"].as_array().expect("a list");
    assert!(active.iter().any(|entry| entry["instance_id"] == instance.as_str()), "{status:#}");

    let verified = brig(&["verify", &instance]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(verified.out.starts_with("VERIFIED"), "{verified:?}");

    // Nobody can be asked, and nobody has agreed.
    let held = account.state(&instance).await;
    for asking in [vec!["release", &instance], vec!["contain", &instance, "--force"], vec!["drill", &instance]] {
        let refused = brig(&asking).await;
        assert_eq!(refused.code, 2, "{asking:?}: {refused:?}");
        assert!(refused.err.contains("--yes"), "{refused:?}");
    }
    assert_eq!(account.state(&instance).await, held);

    let planned = brig(&["plan", &instance, "--release"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    let released = brig(&["release", &instance, "--yes", "--reason", "IR-7"]).await;
    assert_eq!(released.code, 0, "{released:?}");
    assert!(released.out.starts_with("RELEASED\n"), "{released:?}");
    assert_eq!(account.state(&instance).await, before);
    let again = brig(&["release", &instance, "--yes"]).await;
    assert_eq!(again.code, 0, "it is released, as was wanted: {again:?}");
    let story = brig(&["show", &instance]).await;
    assert_eq!((story.code, story.out.starts_with("RELEASED\n")), (0, true), "{story:?}");
    for part in ["Timeline (UTC)", "claimed", "isolated", "released", "What was given back"] {
        assert!(story.out.contains(part), "{part}: {story:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_one_page_of_the_record_and_of_what_is_seen_now() {
    let account = Account::open().await;
    let network = account.network(204, false).await;
    let name = format!("{} <b>&'\"", unique("page"));
    let instance = launched(&account, &network, &name).await;
    let folder = std::env::temp_dir().join(unique("brig-report"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (html, md) = (folder.join("page.html"), folder.join("page.md"));
    let (html, md) = (html.to_str().expect("UTF-8"), md.to_str().expect("UTF-8"));
    let read = |file: &str| std::fs::read_to_string(file).expect("a page");

    let never = brig(&["report", &instance]).await;
    assert_eq!(never.code, 2, "{never:?}");
    assert!(never.out.contains("NEVER CONTAINED"), "{never:?}");

    let contained = brig(&["contain", &instance, "--reason", "IR-8"]).await;
    assert_eq!(contained.code, 0, "{contained:?}");
    let held = account.state(&instance).await;
    let address = account.describe(&instance).await.private_ip_address().expect("an address").to_owned();
    let arn = format!("arn:aws:ec2:us-east-1:123456789012:instance/{instance}");
    for named in [instance.as_str(), &name, &address, &arn] {
        let ran = brig(&["report", named, "--html", html, "--md", md]).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{named}: {ran:?}");
        let page = read(html);
        assert!(page.contains("<title>Contained: ") && page.contains("&lt;b&gt;&amp;&#39;&quot;"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
        for part in ["IR-8", "Seen now", "nothing has drifted", "the VPC", "snap-", "governance mode", "</svg>"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        for part in ["# Incident: ", "**CONTAINED**", "IR-8", "snap-", "## People and invocations"] {
            assert!(read(md).contains(part), "{part}: {}", read(md));
        }
    }
    assert_eq!(account.state(&instance).await, held, "a report changes nothing");
    let recorded = brig(&["report", &instance, "--record-only", "--md"]).await;
    assert_eq!(recorded.code, 0, "{recorded:?}");
    assert!(recorded.out.contains("Read back last") && !recorded.out.contains("Seen now"), "{recorded:?}");

    let released = brig(&["release", &instance, "--yes", "--reason", "IR-8 is over"]).await;
    assert_eq!(released.code, 0, "{released:?}");
    let ran = brig(&["report", &instance]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in ["**RELEASED**", "### Given back", "IR-8 is over", "Release read back"] {
        assert!(ran.out.contains(part), "{part}: {ran:?}");
    }
    let nowhere = folder.join("no/such/folder.html");
    let ran = brig(&["report", &instance, "--html", nowhere.to_str().expect("UTF-8")]).await;
    assert_eq!((ran.code, ran.err.contains("could not be written")), (2, true), "{ran:?}");
    std::fs::remove_dir_all(&folder).expect("its folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_contains_a_user_by_its_key_and_reads_and_gives_back_by_its_name() {
    let account = Account::open().await;
    let name = unique("leaked");
    account.iam.create_user().user_name(&name).send().await.expect("a user");
    let made = account.iam.create_access_key().user_name(&name).send().await.expect("a key");
    let key = made.access_key().expect("it").access_key_id().to_owned();
    let named = format!("user/{name}");
    let never = brig(&["report", &named]).await;
    assert_eq!((never.code, never.out.contains("no containment of the user")), (2, true), "{never:?}");

    let contained = brig(&["contain", &key, "--reason", "IR-9"]).await;
    assert_eq!(contained.code, 0, "{contained:?}");
    assert!(contained.out.starts_with("CONTAINED") && contained.out.contains(&name), "{contained:?}");
    let place = format!("123456789012/iam/{name}");
    let arn = format!("arn:aws:iam::123456789012:user/{name}");
    for by in [key.as_str(), &named, &place, &arn] {
        let story = brig(&["show", by]).await;
        assert_eq!((story.code, story.out.starts_with("CONTAINED")), (0, true), "{by}: {story:?}");
        assert!(story.out.contains("put_user_permissions_boundary"), "{by}: {story:?}");
        let page = brig(&["report", by]).await;
        for part in ["**CONTAINED**", "IR-9", "Seen now", "nothing has drifted", "deactivate_access_key"] {
            assert!(page.out.contains(part), "{by}, {part}: {page:?}");
        }
    }
    let listed = brig(&["status"]).await;
    assert!(listed.out.contains(&name), "{listed:?}");
    let stopped = brig(&["contain", &named, "--stop"]).await;
    assert_eq!(stopped.code, 2, "{stopped:?}");

    let planned = brig(&["plan", &named, "--release"]).await;
    assert_eq!((planned.code, planned.out.contains("activate_access_key")), (0, true), "{planned:?}");
    let released = brig(&["release", &key, "--yes", "--reason", "IR-9 is over"]).await;
    assert_eq!((released.code, released.out.starts_with("RELEASED")), (0, true), "{released:?}");
    let page = brig(&["report", &named]).await;
    assert!(page.out.contains("**RELEASED**") && page.out.contains("Delete the keys that leaked"), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_goes_the_whole_way_and_leaves_nothing_behind() {
    let account = Account::open().await;
    let network = account.network(202, false).await;
    let instance = launched(&account, &network, &unique("drill")).await;
    let before = account.state(&instance).await;
    let drill = brig(&["drill", &instance, "--yes"]).await;
    assert_eq!(drill.code, 0, "{drill:?}");
    for part in [
        "1 of 4: the plan",
        "2 of 4: contain",
        "CONTAINED",
        "3 of 4: verify",
        "VERIFIED",
        "4 of 4: release",
        "RELEASED",
    ] {
        assert!(drill.out.contains(part), "{part}: {drill:?}");
    }
    assert_eq!(account.state(&instance).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_a_table_and_json_is_the_answer_alone() {
    let ready = brig(&["ready"]).await;
    assert!(ready.code == 0 || ready.code == 1, "{ready:?}");
    assert!(ready.out.contains("ledger"), "{ready:?}");
    let answer = brig(&["ready", "--json"]).await;
    assert_eq!(answer.code, ready.code);
    assert!(answer.json()["lines"].as_array().is_some_and(|lines| lines.len() > 3), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_of_one_name_are_listed_and_none_is_touched() {
    let account = Account::open().await;
    let network = account.network(203, false).await;
    let name = unique("twin");
    let twins = [launched(&account, &network, &name).await, launched(&account, &network, &name).await];
    let before = [account.state(&twins[0]).await, account.state(&twins[1]).await];
    let ran = brig(&["contain", &name]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    for twin in &twins {
        assert!(ran.err.contains(&format!("123456789012/us-east-1/{twin}")), "{ran:?}");
    }
    assert_eq!([account.state(&twins[0]).await, account.state(&twins[1]).await], before);
    let none = brig(&["contain", &unique("nobody")]).await;
    assert_eq!(none.code, 2, "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_typed_wrongly_ends_with_2() {
    let nowhere = brig(&["contain", "i-00000000000000abc"]).await;
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(nowhere.out.starts_with("REFUSED: nothing was changed\n"), "{nowhere:?}");
    for arguments in [
        vec!["contain", "arn:aws:ec2:us-east-1:123456789012:volume/vol-0123456789abcdef0"],
        vec!["contain"],
        vec!["decide", "0123456789ab", "perhaps"],
        vec!["status", "--stack", "../brig"],
        vec!["nonsense"],
    ] {
        let ran = brig(&arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_reached_ends_with_3_and_says_what_to_do() {
    let stack = brig(&["--stack", "no-such-stack", "status"]).await;
    assert_eq!(stack.code, 3, "{stack:?}");
    assert!(stack.err.contains("there is no function no-such-stack-contain in us-east-1"), "{stack:?}");

    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).expect("a port").port();
    let mut closed = command(&["status"]);
    closed.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let closed = ran(closed).await;
    assert_eq!((closed.code, closed.out.as_str()), (3, ""), "{closed:?}");
    assert!(closed.err.contains("was not reached"), "{closed:?}");

    let home = std::env::temp_dir().join(unique("brig-no-home"));
    let mut bare = command(&["status"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"] {
        bare.env_remove(name);
    }
    bare.env("HOME", &home).env("AWS_EC2_METADATA_DISABLED", "true");
    let bare = ran(bare).await;
    assert_eq!(bare.code, 3, "{bare:?}");
    assert!(bare.err.contains("no AWS credentials"), "{bare:?}");

    let mut nowhere = command(&["status"]);
    nowhere.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION").env("HOME", &home);
    let nowhere = ran(nowhere).await;
    assert_eq!(nowhere.code, 3, "{nowhere:?}");
    assert!(nowhere.err.contains("no Region is configured"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_invoke_is_told_which_policy_to_ask_for() {
    let account = Account::open().await;
    let role = unique("powerless");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
    let made = account.iam.create_role().role_name(&role).assume_role_policy_document(trust).send().await;
    let arn = made.expect("a role").role().expect("it").arn().to_owned();
    let given = account.sts.assume_role().role_arn(arn).role_session_name("nobody").send().await.expect("a session");
    let given = given.credentials().expect("credentials");
    let variables = [
        ("AWS_ACCESS_KEY_ID", given.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", given.secret_access_key()),
        ("AWS_SESSION_TOKEN", given.session_token()),
    ];
    let mut status = command(&["status"]);
    status.envs(variables);
    let status = ran(status).await;
    assert_eq!(status.code, 3, "{status:?}");
    assert!(status.err.contains("MayContainPolicyArn"), "{status:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn watching_ends_well_with_ctrl_c() {
    let mut watch = command(&["watch", "--every", "1"]);
    let child = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = child.id().expect("it runs").to_string();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let sent = Command::new("kill").args(["-INT", &pid]).status().await.expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().await.expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("contained"), "it had looked once");
}

#[tokio::test]
async fn version_help_and_completions_need_no_account() {
    let bare = |arguments: &[&str]| {
        let mut command = command(arguments);
        let path: BTreeMap<_, _> = std::env::vars_os().filter(|(name, _)| name == "PATH").collect();
        command.env_clear().envs(path);
        command
    };
    let version = ran(bare(&["--version"])).await;
    assert_eq!((version.code, version.out.trim()), (0, concat!("brig ", env!("CARGO_PKG_VERSION"))));
    let help = ran(bare(&["--help"])).await;
    assert!(help.code == 0 && help.out.contains("Examples:") && help.out.contains("Exit codes:"), "{help:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = ran(bare(&["completions", shell])).await;
        assert!(script.code == 0 && script.out.contains("brig"), "{shell}: {script:?}");
    }
}
