//! The command line.

use std::path::PathBuf;

use brig_core::model::{
    ids::{AccountId, InstanceId},
    text::shell,
    timestamp::Timestamp,
};
use clap::{Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
An <INSTANCE> is an instance id, an ARN, account/region/id, a private or public address, or a Name tag.

Examples:
  brig ready                          is everything in place before an incident?
  brig plan web-1                     what a containment would do; changes nothing
  brig contain i-0123456789abcdef0 --reason IR-7
  brig show i-0123456789abcdef0       everything on record about its containment
  brig report i-0123456789abcdef0 --html incident.html    the same as a page to print or attach
  brig trace AKIA...                  what a key did and what came from it, by CloudTrail's records; --files ./AWSLogs: by files
  brig investigate i-0123456789abcdef0    take evidence now, unless it was taken
  brig evidence verify ./case         is every byte of it as it was taken?
  brig status                         everything that is contained, and what has drifted
  brig questions                      what waits for a decision; then: brig decide <QUESTION> yes|no
  brig release i-0123456789abcdef0 --reason IR-7
  brig --profile security --region eu-west-1 --json status

Exit codes:
  0  success
  1  partial, drifted, unfinished or unknown; or a person must decide
  2  refused, or invalid input
  3  Brig could not be reached: credentials, network, no such stack or function, its ledger

The command invokes Brig with your own AWS credentials, as `aws lambda invoke` does: you need lambda:InvokeFunction on
<stack>-contain (stack output MayContainPolicyArn) and, to release, on <stack>-release (MayReleasePolicyArn).";

/// Contain a compromised EC2 instance, see what is true now, and release it.
#[derive(Debug, Parser)]
#[command(name = "brig", version, after_long_help = EXIT_CODES, after_help = "Exit codes: 0 success, 1 partial or drifted, 2 refused or invalid input, 3 not reached. More, with examples: brig --help")]
pub struct Args {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Name of the CloudFormation stack; its functions are named after it: brig-contain, brig-release
    #[arg(long, global = true, default_value = "brig", value_parser = stack)]
    pub stack: String,
    /// Profile of the AWS configuration [default: AWS_PROFILE]
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Region of Brig's functions [default: AWS_REGION, or the profile's]
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// Print only the function's answer, unchanged, on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// How the command is called, for commands that are suggested.
    #[must_use]
    pub fn typed(&self) -> String {
        let mut typed = "brig".to_owned();
        if self.stack != "brig" {
            typed = format!("{typed} --stack {}", self.stack);
        }
        for (name, value) in [("--profile", &self.profile), ("--region", &self.region)] {
            if let Some(value) = value {
                typed = format!("{typed} {name} {}", shell(value));
            }
        }
        typed
    }
}

/// CloudFormation's own rule for names.
fn stack(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits { Ok(text.to_owned()) } else { Err("letters, digits and hyphens, and a letter first".to_owned()) }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what is contained: each lane, age, drift
    Status,
    /// Show everything on record about an instance's containment: state, timeline, each change with what it replaced
    Show(Show),
    /// Write the incident page of an instance: one file for people who were not there, in HTML or Markdown
    Report(Report),
    /// Show what a containment would do, and what each change would replace; changes nothing
    Plan(Plan),
    /// Contain an instance now
    Contain(Contain),
    /// Read back everything that the containment promised, and repair what has drifted
    Verify(Verify),
    /// Give back what the containment changed; shows the plan and asks first
    Release(Release),
    /// List the questions that wait for a decision, with what a yes would do
    Questions,
    /// Answer a question: `yes` contains, `no` closes it
    Decide(Decide),
    /// Check what must be in place before an incident
    Ready(Ready),
    /// Refresh the status every few seconds and mark changes, until Ctrl-C
    Watch(Watch),
    /// Rehearse on a harmless instance: plan, contain, verify, release
    Drill(Drill),
    /// Trace what somebody's credentials did, by CloudTrail's records: which begot which, what they made and took
    Trace(Trace),
    /// Take evidence of a containment now, unless it was taken: what AWS, CloudTrail and the ledger have of it, locked and sealed
    Investigate(Investigate),
    /// Verify evidence offline, or show its chain of custody
    #[command(subcommand)]
    Evidence(Evidence),
    /// Print a completion script for a shell
    #[command(after_help = "Example: brig completions bash > ~/.local/share/bash-completion/completions/brig")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// `show`.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The instance
    pub instance: String,
}

/// `report`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: brig report web-1 --html incident.html\n\nWithout --html or --md, Markdown goes to standard output."
)]
pub struct Report {
    /// The instance
    pub instance: String,
    /// Write HTML: one file without a script, which loads nothing, to open, print or attach
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write Markdown, to a file or, without one, to standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "clap's way of a value that may be left out")]
    pub md: Option<Option<PathBuf>>,
    /// Do not look at how it stands now: only what is on record
    #[arg(long)]
    pub record_only: bool,
}

/// `decide`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: brig decide 3f2a9c0d1e4b no --reason 'a load test'")]
pub struct Decide {
    /// The question's id, as `brig questions` lists it
    pub question: String,
    /// The answer
    pub answer: YesNo,
    /// Why, for the record
    #[arg(long)]
    pub reason: Option<String>,
}

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Contain
    Yes,
    /// Close the question
    No,
}

/// `plan`.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The instance
    pub instance: String,
    /// Show what a release would give back
    #[arg(long)]
    pub release: bool,
}

/// `contain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: brig contain i-0123456789abcdef0 --reason IR-7")]
pub struct Contain {
    /// The instance
    pub instance: String,
    /// Why, for the record and the message
    #[arg(long)]
    pub reason: Option<String>,
    /// Contain even if the instance is exempt, or take over one that another ledger has tagged; shows the plan and asks
    #[arg(long)]
    pub force: bool,
    /// Also stop the instance, last; its memory is lost unless it hibernates; shows the plan and asks
    #[arg(long)]
    pub stop: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// `verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The instance [default: all that are contained]
    pub instance: Option<String>,
}

/// `release`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: brig release i-0123456789abcdef0 --reason IR-7")]
pub struct Release {
    /// The instance
    pub instance: String,
    /// Why, for the record and the message
    #[arg(long)]
    pub reason: Option<String>,
    /// Attach it to its Auto Scaling group again, which raises the desired capacity by one
    #[arg(long)]
    pub rejoin: bool,
    /// Do not show the plan or ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// `ready`.
#[derive(Debug, clap::Args)]
pub struct Ready {
    /// Create Brig's security groups in each VPC ahead of time
    #[arg(long)]
    pub prepare: bool,
    /// Try the member role in these accounts
    #[arg(long, value_delimiter = ',')]
    pub accounts: Vec<AccountId>,
    /// Try the permissions for changes on this instance, with EC2's DryRun
    #[arg(long)]
    pub instance: Option<InstanceId>,
}

/// `watch`.
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// Seconds between refreshes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
}

/// `drill`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Use a harmless instance: it is really cut off for a few minutes.")]
pub struct Drill {
    /// The instance
    pub instance: String,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// `trace`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  brig trace AKIA...                  asks CloudTrail and IAM, through <stack>-investigate\n  brig trace i-0123456789abcdef0 --hours 72\n  brig trace AKIA... --files ./AWSLogs --cut 2026-01-02T03:04:05Z\n\n--files reads trail files, answers of lookup-events and other exports, compressed or not, in any order."
)]
pub struct Trace {
    /// An instance's id, an access key, user/NAME or role/NAME
    pub what: String,
    /// Files of records, or folders of them, in the place of what CloudTrail answers now; nothing is asked of AWS then
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// How many hours to look back from the cut, or from now: CloudTrail answers for 90 days
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=2159))]
    pub hours: u32,
    /// The account [default: that of Brig's functions]
    #[arg(long)]
    pub account: Option<AccountId>,
    /// When it was cut off, RFC 3339: calls that succeeded later contradict it [default: as the ledger has it]
    #[arg(long, value_parser = moment)]
    pub cut: Option<Timestamp>,
}

/// `investigate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Evidence is taken by itself once something is contained; this takes it where that did not happen, or goes on with it.\n\nExample: brig investigate i-0123456789abcdef0"
)]
pub struct Investigate {
    /// The instance, an access key, user/NAME or role/NAME
    pub what: String,
}

/// `evidence`.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Check every byte of a case against its manifest and seal, and name the first one that is wrong; asks nothing but the bucket
    Verify(Verification),
    /// Show the chain of custody: what was taken when and by whom, where it is, and who asked
    Show(Investigate),
}

/// `evidence verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  brig evidence verify ./case\n  brig evidence verify s3://bucket/123456789012/us-east-1/i-.../i-...-20260102T030405Z/ --key brig.pem\n\nThe key: aws kms get-public-key --key-id <ARN> --query PublicKey --output text. Without --key or --head, evidence that somebody wrote anew as a whole would verify."
)]
pub struct Verification {
    /// A folder, or s3://bucket/prefix: a part, a case, or several of them
    pub place: String,
    /// A file with the public key that must have signed it: PEM, DER, or base64 as KMS prints it
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// SHA-256 of a manifest, as the chain of custody has it
    #[arg(long, num_args = 1.., value_name = "SHA256", value_parser = head)]
    pub head: Vec<String>,
}

fn head(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(text.to_ascii_lowercase()) } else { Err("64 hexadecimal digits".to_owned()) }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a time such as 2026-01-02T03:04:05Z".to_owned())
}

/// Shells that completions can be made for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_suggested_command_reaches_the_same_stack() {
        let typed = |line: &str| Args::try_parse_from(line.split(' ')).expect("arguments").global.typed();
        assert_eq!(typed("brig status"), "brig");
        assert_eq!(typed("brig --stack ir status --region eu-west-1"), "brig --stack ir --region eu-west-1");
    }

    #[test]
    fn what_is_typed_wrongly_is_refused() {
        for line in [
            "brig",
            "brig status i-1",
            "brig contain",
            "brig --stack ../x status",
            "brig ready --accounts 12",
            "brig watch --every 0",
        ] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
