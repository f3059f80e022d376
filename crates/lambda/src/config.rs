//! The settings, read once from the environment. A wrong value stops the start with a message that names it: a function
//! that contains production instances must not guess.

use std::{collections::BTreeMap, time::Duration};

use brig_core::{
    decide::rules::{Rules, RulesError},
    model::{
        deny_policy::{RoleDeny, RoleOverflow},
        ids::{AccountId, UserName},
        network_acl, text,
    },
    settings::{Escalation, ForensicAccess, Mode, Policy, Untrack},
};
use ipnet::IpNet;

/// A setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It must be set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is set to nothing: neither a default nor "none" may be guessed from that.
    #[error("{0}=\"\" is empty: give it a value, or remove it")]
    Empty(&'static str),
    /// No such setting.
    #[error("{name}=\"{value}\" is not a setting of Brig: is {name} mistyped?")]
    Unknown {
        /// The variable.
        name: String,
        value: String,
    },
    /// It has a value that it cannot have.
    #[error("{name}=\"{value}\" is not {expected}")]
    Wrong {
        /// The variable.
        name: &'static str,
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The account's rules are not understood. Their text is not repeated.
    #[error("BRIG_POLICY: {0}")]
    Rules(#[source] RulesError),
}

/// The settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The ledger's DynamoDB table.
    pub table: String,
    /// The ARN of the SNS topic that people are notified on.
    pub topic: String,
    /// The ARN of the SNS topic of a chat channel.
    pub chat_topic: Option<String>,
    /// What decisions and plans are made with.
    pub policy: Policy,
    /// The account's own rules.
    pub rules: RulesFrom,
    /// The role to assume in other accounts: a name, or an ARN with `{account}`.
    pub member_role: Option<String>,
    /// Further roles whose calls are Brig's own, by ARN, or by name in the accounts of members.
    pub own_roles: Vec<String>,
    /// What this function serves.
    pub serves: Serves,
    /// The name of the function that releases, where it is another one.
    pub release_function: Option<String>,
    /// Where AWS's list of its address ranges is fetched.
    pub ip_ranges: String,
}

/// What a function serves: one binary may be deployed twice, with a role and an invoke right each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// Everything.
    All,
    /// Everything but a release.
    Contain,
    /// Releases and their plans.
    Release,
}

/// Where the account's own rules are.
#[derive(Debug, Clone)]
pub enum RulesFrom {
    /// In the setting itself.
    Here(Box<Rules>),
    /// In a parameter of Systems Manager.
    Parameter(String),
}

const IP_RANGES: &str = "https://ip-ranges.amazonaws.com/ip-ranges.json";

/// Characters of a variable's name and value that an error shows.
const LONGEST_NAME: usize = 128;
const LONGEST_SHOWN: usize = 256;

/// Lambda's environment has 4 KB for all variables together.
const LONGEST_POLICY: usize = 2048;

const KNOWN: [&str; 28] = [
    "BRIG_LEDGER_TABLE",
    "BRIG_TOPIC_ARN",
    "BRIG_CHAT_TOPIC_ARN",
    "BRIG_MODE",
    "BRIG_MIN_SEVERITY",
    "BRIG_EXEMPT_TAG",
    "BRIG_MAX_PER_HOUR",
    "BRIG_UNTRACK_SECONDS",
    "BRIG_LOCK_DAYS",
    "BRIG_ROLE_DENY",
    "BRIG_ROLE_DENY_OVERFLOW",
    "BRIG_TRIGGER_TAGS",
    "BRIG_CUSTOM_ACTIONS",
    "BRIG_TRUSTED_ACCOUNTS",
    "BRIG_MAX_PER_FINDING",
    "BRIG_IMPORT_MAX_AGE_HOURS",
    "BRIG_POLICY",
    "BRIG_MEMBER_ROLE",
    "BRIG_OWN_ROLES",
    "BRIG_RESPONDERS",
    "BRIG_BREAK_GLASS_USERS",
    "BRIG_SERVES",
    "BRIG_RELEASE_FUNCTION",
    "BRIG_ESCALATE",
    "BRIG_ACL_NEVER",
    "BRIG_IP_RANGES",
    "BRIG_FORENSIC_PROFILE",
    "BRIG_FORENSIC_ACCESS",
];

/// One of few values; the first is what holds where nothing is set.
fn choice<T: Copy, const N: usize>(
    name: &'static str,
    value: Option<String>,
    expected: &'static str,
    options: [(&str, T); N],
) -> Result<T, ConfigError> {
    let Some(value) = value else { return Ok(options[0].1) };
    let chosen = options.iter().find(|(option, _)| *option == value).map(|(_, chosen)| *chosen);
    chosen.ok_or_else(|| wrong(name, value, expected))
}

impl Config {
    /// Reads the process's environment.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self::of(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// Reads the settings among variables. One that begins as Brig's do and is none of them is an error: what it was meant
    /// to set is not set.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let settings: BTreeMap<String, String> =
            variables.into_iter().filter(|(name, _)| name.starts_with("BRIG_")).collect();
        if let Some((name, value)) = settings.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            let (name, value) = (text::one_line(name, LONGEST_NAME), text::one_line(value, LONGEST_SHOWN));
            return Err(ConfigError::Unknown { name, value });
        }
        Self::read(|name| settings.get(name).cloned())
    }

    /// Reads settings from `get`.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        if let Some(name) = empty(&get) {
            return Err(ConfigError::Empty(name));
        }
        let defaults = Policy::default();
        let table = get("BRIG_LEDGER_TABLE").ok_or(ConfigError::Missing("BRIG_LEDGER_TABLE"))?;
        let (topic, chat_topic) = topics(&get)?;
        let mode = [("enforce", Mode::Enforce), ("observe", Mode::Observe)];
        let mode = choice("BRIG_MODE", get("BRIG_MODE"), "enforce or observe", mode)?;
        let (role_deny, role_overflow) = denial(&get)?;
        let serves = serves(&get)?;
        let whole = |name, most: u32, expected, default: u32| match get(name) {
            None => Ok(default),
            Some(value) => match value.parse::<u32>() {
                Ok(number) if number <= most => Ok(number),
                Ok(_) | Err(_) => Err(wrong(name, value, expected)),
            },
        };
        let min_severity = match get("BRIG_MIN_SEVERITY") {
            None => defaults.min_severity,
            Some(value) => match value.parse::<f64>() {
                Ok(number) if (0.0..=10.0).contains(&number) => number,
                Ok(_) | Err(_) => return Err(wrong("BRIG_MIN_SEVERITY", value, "a number from 0 to 10")),
            },
        };
        let exempt_tag = get("BRIG_EXEMPT_TAG").unwrap_or(defaults.exempt_tag);
        if exempt_tag.chars().count() > 128 {
            return Err(wrong("BRIG_EXEMPT_TAG", exempt_tag, "a tag key of at most 128 characters"));
        }
        let untrack = if get("BRIG_UNTRACK_SECONDS").as_deref() == Some("off") {
            Untrack::Off
        } else {
            Untrack::Seconds(whole("BRIG_UNTRACK_SECONDS", 600, "off or a whole number of seconds up to 600", 1)?)
        };
        let list = |name: &str| -> Option<Vec<String>> {
            let items = |text: String| {
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
            };
            get(name).map(items)
        };
        let trusted = list("BRIG_TRUSTED_ACCOUNTS").unwrap_or_default();
        let id = |account: &String| {
            let expected = "a list of AWS account ids (12 digits each)";
            account.parse().map_err(|_| wrong("BRIG_TRUSTED_ACCOUNTS", account.clone(), expected))
        };
        let trusted_accounts = trusted.iter().map(id).collect::<Result<Vec<AccountId>, _>>()?;
        let custom_actions = list("BRIG_CUSTOM_ACTIONS").unwrap_or_default();
        if let Some(action) = custom_actions.iter().find(|action| !action.contains(":action/")) {
            return Err(wrong("BRIG_CUSTOM_ACTIONS", action.clone(), "a list of ARNs of Security Hub custom actions"));
        }
        let responders = list("BRIG_RESPONDERS").unwrap_or_default();
        if let Some(role) = responders.iter().find(|role| !role.contains(":role/")) {
            return Err(wrong("BRIG_RESPONDERS", role.clone(), "a list of ARNs of IAM roles"));
        }
        let break_glass_users = users(&list("BRIG_BREAK_GLASS_USERS").unwrap_or_default())?;
        let escalate = list("BRIG_ESCALATE").map_or(Ok(defaults.escalate), escalations)?;
        let acl_never = acl_never(list("BRIG_ACL_NEVER").unwrap_or_default())?;
        let forensic_profile = forensic_profile(get("BRIG_FORENSIC_PROFILE"))?;
        let forensic_access = forensic_access(get("BRIG_FORENSIC_ACCESS"))?;
        let ip_ranges = ip_ranges(get("BRIG_IP_RANGES"))?;
        let rules = rules(get("BRIG_POLICY"))?;
        let most = whole("BRIG_MAX_PER_FINDING", 1000, "a whole number up to 1000", 3)?;
        let hours = whole("BRIG_IMPORT_MAX_AGE_HOURS", 8760, "a whole number of hours up to 8760", 8)?;
        let member_role = member_role(get("BRIG_MEMBER_ROLE"))?;
        Ok(Self {
            serves,
            release_function: get("BRIG_RELEASE_FUNCTION"),
            member_role,
            own_roles: list("BRIG_OWN_ROLES").unwrap_or_default(),
            ip_ranges,
            rules,
            table,
            topic,
            chat_topic,
            policy: Policy {
                mode,
                min_severity,
                exempt_tag,
                max_per_hour: whole(
                    "BRIG_MAX_PER_HOUR",
                    100_000,
                    "a whole number up to 100000",
                    defaults.max_per_hour,
                )?,
                untrack,
                lock_days: whole("BRIG_LOCK_DAYS", 36_500, "a whole number of days up to 36500", defaults.lock_days)?,
                role_deny,
                role_overflow,
                trigger_tags: list("BRIG_TRIGGER_TAGS").unwrap_or(defaults.trigger_tags),
                custom_actions,
                trusted_accounts,
                max_per_finding: usize::try_from(most).unwrap_or(usize::MAX),
                import_max_age: Duration::from_hours(u64::from(hours)),
                responders,
                break_glass_users,
                escalate,
                acl_never,
                forensic_profile,
                forensic_access,
            },
        })
    }
}

/// Names of IAM users.
fn users(names: &[String]) -> Result<Vec<UserName>, ConfigError> {
    let expected = "a list of names of IAM users";
    let user = |name: &String| name.parse().map_err(|_| wrong("BRIG_BREAK_GLASS_USERS", name.clone(), expected));
    names.iter().map(user).collect()
}

fn serves(get: &impl Fn(&str) -> Option<String>) -> Result<Serves, ConfigError> {
    let duties = [("all", Serves::All), ("contain", Serves::Contain), ("release", Serves::Release)];
    choice("BRIG_SERVES", get("BRIG_SERVES"), "contain, release or all", duties)
}

/// Whom a role's policy denies, and what is done where it has no room to name them.
fn denial(get: &impl Fn(&str) -> Option<String>) -> Result<(RoleDeny, RoleOverflow), ConfigError> {
    let reach = [("instance", RoleDeny::Instance), ("role", RoleDeny::Role)];
    let overflow = [("fail", RoleOverflow::Fail), ("role", RoleOverflow::Role)];
    Ok((
        choice("BRIG_ROLE_DENY", get("BRIG_ROLE_DENY"), "instance or role", reach)?,
        choice("BRIG_ROLE_DENY_OVERFLOW", get("BRIG_ROLE_DENY_OVERFLOW"), "fail or role", overflow)?,
    ))
}

/// A setting that is set to nothing.
fn empty(get: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let holds_nothing = |value: String| value.split(',').all(|item| item.trim().is_empty());
    KNOWN.into_iter().find(|name| get(name).is_some_and(holds_nothing))
}

fn escalations(words: Vec<String>) -> Result<Vec<Escalation>, ConfigError> {
    if words == ["none"] {
        return Ok(Vec::new());
    }
    let named = |word: String| {
        let expected = "a list of timeouts, remote-acl, public-address and public-address!, or none";
        Escalation::named(&word).ok_or_else(|| wrong("BRIG_ESCALATE", word, expected))
    };
    words.into_iter().map(named).collect()
}

/// The topic of people and that of a chat channel. What people read is no custom notification, nor is one what they read:
/// they are two.
fn topics(get: &impl Fn(&str) -> Option<String>) -> Result<(String, Option<String>), ConfigError> {
    let topic = get("BRIG_TOPIC_ARN").ok_or(ConfigError::Missing("BRIG_TOPIC_ARN"))?;
    if !is_topic_arn(&topic) {
        return Err(wrong("BRIG_TOPIC_ARN", topic, "the ARN of an SNS topic"));
    }
    match get("BRIG_CHAT_TOPIC_ARN") {
        Some(chat) if !is_topic_arn(&chat) || chat == topic => {
            let expected = "the ARN of an SNS topic, another one than BRIG_TOPIC_ARN";
            Err(wrong("BRIG_CHAT_TOPIC_ARN", chat, expected))
        }
        chat => Ok((topic, chat)),
    }
}

fn member_role(role: Option<String>) -> Result<Option<String>, ConfigError> {
    match role {
        Some(role) if role.starts_with("arn:") && !role.contains("{account}") => {
            let expected = "a role's name, or an ARN with {account} in the account's place";
            Err(wrong("BRIG_MEMBER_ROLE", role, expected))
        }
        role => Ok(role),
    }
}

fn acl_never(words: Vec<String>) -> Result<Vec<IpNet>, ConfigError> {
    let net = |text: String| {
        let net = network_acl::net(&text);
        net.ok_or_else(|| wrong("BRIG_ACL_NEVER", text, "a list of addresses and CIDR blocks"))
    };
    words.into_iter().map(net).collect()
}

fn forensic_profile(arn: Option<String>) -> Result<Option<String>, ConfigError> {
    match arn {
        Some(arn) if !arn.contains(":instance-profile/") => {
            let expected = "the ARN of an instance profile; {account} may stand in the account's place";
            Err(wrong("BRIG_FORENSIC_PROFILE", arn, expected))
        }
        arn => Ok(arn),
    }
}

fn forensic_access(text: Option<String>) -> Result<Option<ForensicAccess>, ConfigError> {
    let parse =
        |text: String| ForensicAccess::parse(&text).map_err(|expected| wrong("BRIG_FORENSIC_ACCESS", text, expected));
    text.map(parse).transpose()
}

/// A list that anyone on the way can write would decide which addresses are denied.
fn ip_ranges(url: Option<String>) -> Result<String, ConfigError> {
    let url = url.unwrap_or_else(|| IP_RANGES.to_owned());
    if url.starts_with("https://") || url.starts_with("http://127.0.0.1:") {
        return Ok(url);
    }
    Err(wrong("BRIG_IP_RANGES", url, "an https URL of AWS's ip-ranges.json or a mirror of it"))
}

fn rules(text: Option<String>) -> Result<RulesFrom, ConfigError> {
    let Some(text) = text else { return Ok(RulesFrom::Here(Box::default())) };
    if let Some(name) = text.strip_prefix("ssm:") {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-/:".contains(c);
        if name.is_empty() || name.len() > 1011 || !name.chars().all(fits) {
            return Err(wrong("BRIG_POLICY", text, "ssm: and the name of a parameter"));
        }
        return Ok(RulesFrom::Parameter(name.to_owned()));
    }
    match text {
        text if text.len() > LONGEST_POLICY => Err(wrong(
            "BRIG_POLICY",
            format!("{} bytes", text.len()),
            "a JSON document of at most 2048 bytes, or ssm: and the name of a parameter",
        )),
        text => Rules::parse(&text).map(|rules| RulesFrom::Here(Box::new(rules))).map_err(ConfigError::Rules),
    }
}

fn wrong(name: &'static str, value: impl Into<String>, expected: &'static str) -> ConfigError {
    ConfigError::Wrong { name, value: text::one_line(&value.into(), LONGEST_SHOWN), expected }
}

fn is_topic_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws") && !region.is_empty() && account.len() == 12 && !name.is_empty())
}

#[cfg(test)]
mod tests;
