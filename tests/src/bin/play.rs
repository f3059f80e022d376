//! `make play`: an account on loopback with the stack deployed and instances to try things on, until Ctrl-C.
#![expect(clippy::expect_used, reason = "a tool for people stops with the reason")]

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use brig_tests::{
    account::{ACCOUNT, Account, REGION, endpoint},
    seed::{Launch, Production},
    stack::Stack,
};

/// The SDKs' names for the services whose endpoint is not the general one
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>).
const ELSEWHERE: [&str; 6] =
    ["ec2", "auto_scaling", "elastic_load_balancing", "elastic_load_balancing_v2", "route53resolver", "vpc_lattice"];

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder for the AWS configuration"));
    let account = Account::open().await;
    let stack = Stack::deployed().expect("run it with `make play`");
    println!("Seeding the account ...");
    let world = account.production().await;
    let database = [("brig:exempt", "core")];
    let exempt = account.launch(
        &world.network,
        "db-1",
        Launch { tags: &database, profile: Some(&world.identity), volumes: 1, ..Launch::default() },
    );
    let exempt = exempt.await;
    let config = write_config(&folder);
    println!("{}", guide(&config, &stack, &world, &exempt));
    // Whoever waits for the last line must see it, through a pipe too.
    let _ = std::io::stdout().flush();
    tokio::signal::ctrl_c().await.expect("a signal");
}

/// The folders of this build's `brig` and of the AWS CLI that the tests use.
fn tools() -> String {
    let own = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.display().to_string()));
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin");
    let venv = venv.canonicalize().ok().map(|folder| folder.display().to_string());
    own.into_iter().chain(venv).collect::<Vec<_>>().join("\n  ")
}

/// One profile with every endpoint, for the AWS CLI, the SDKs and `brig`.
fn write_config(folder: &Path) -> PathBuf {
    let general = endpoint("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL: run it with `make play`");
    let mut text = format!(
        "# The loopback account of `make play`; it ends with it.\n[profile play]\nregion = {REGION}\naws_access_key_id = test\n\
         aws_secret_access_key = test\nendpoint_url = {general}\nservices = play\n\n[services play]\n"
    );
    for service in ELSEWHERE {
        let name = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
        if let Some(url) = endpoint(&name) {
            let _ = write!(text, "{service} =\n  endpoint_url = {url}\n");
        }
    }
    let file = folder.join("aws-config");
    fs::write(&file, text).expect("the AWS configuration");
    file
}

fn guide(config: &Path, stack: &Stack, world: &Production, exempt: &str) -> String {
    let Production { victim, sibling, second_interface, network, .. } = world;
    let contain_role = stack.output("ContainRoleArn");
    let contain_role = contain_role.rsplit('/').next().unwrap_or_default();
    format!(
        r#"
The stack `brig` is deployed on loopback, in account {ACCOUNT}, {REGION}. In another terminal:

  export AWS_CONFIG_FILE={config}
  export AWS_PROFILE=play

These two are enough. `brig` and `aws`, where you have not installed them, are in
  {tools}

Mails to the on-call address appear as text files in
  {mails}

  instance               name    what it is
  {victim}    web-1   two interfaces, in an Auto Scaling group, behind load balancers
  {sibling}    web-2   its sibling, with the same role
  {exempt}    db-1    exempt by its tag brig:exempt=core

Things to try, in this order:

  1. Contain by a finding     aws events put-events --entries '[{{"Source":"brig.abuse","DetailType":"Abuse Report",
                                "Detail":"{{\"instance_ids\":[\"{victim}\"]}}"}}]'
  2. Contain by a person      brig contain {sibling} --reason drill
                              (by a finding it would now be a question: it is the last healthy target of its group)
  3. See what is true         brig status
                              brig show {victim}
  4. Undo a part of it        aws ec2 modify-network-interface-attribute --network-interface-id {second_interface} \
                                --groups {web}
     and have it repaired     brig verify {victim}
  5. A question               put the event of 1 with {exempt}, then: brig questions
  6. A missing permission     aws iam put-role-policy --role-name {contain_role} --policy-name try \
                                --policy-document '{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",
                                "Action":"iam:PutRolePolicy","Resource":"*"}}}}'
                              then contain another one, and give it back with
                              aws iam delete-role-policy --role-name {contain_role} --policy-name try
  7. Give it all back         brig release {victim} --reason drill

Ctrl-C ends the account and everything in it; the mails stay."#,
        tools = tools(),
        config = config.display(),
        mails = endpoint("MAIL_FOLDER").expect("MAIL_FOLDER: run it with `make play`"),
        web = network.web,
    )
}
