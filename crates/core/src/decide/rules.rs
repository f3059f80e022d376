//! `BRIG_POLICY`: rules of the account's own, each a pattern in EventBridge's syntax over one document of finding and
//! instance; the first that matches decides. No rule lifts a hard gate.

use quamina::Quamina;
use serde_json::{Map, Value};

use crate::decide::Decision;

/// Why a policy is none. The message names the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RulesError(String);

/// The rules, in their order.
#[derive(Clone)]
pub struct Rules {
    rules: Vec<(String, Decision)>,
    patterns: Quamina<usize>,
}

/// The fields that a pattern may ask about.
const FINDING: [&str; 5] = ["source", "type", "severity", "role", "remotes"];
const INSTANCE: [&str; 9] = ["id", "account", "region", "vpc", "tags", "profile", "group", "spot", "public"];
const PRINCIPAL: [&str; 10] = [
    "kind",
    "name",
    "account",
    "tags",
    "groups",
    "boundary",
    "console",
    "last_used_minutes",
    "last_used_service",
    "last_used_region",
];
/// Operators that EventBridge and the matcher both have
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>).
const OPERATORS: [&str; 7] =
    ["prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "wildcard"];

impl Rules {
    /// No rule at all.
    #[must_use]
    pub fn none() -> Self {
        Self { rules: Vec::new(), patterns: Quamina::new() }
    }

    /// Reads `{"rules": [{"name", "then", "when", "stop"}]}`; `stop` may be left out. Anything that is not understood is an error: a rule that is silently
    /// never matched would be trusted in vain.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let whole: Value =
            serde_json::from_str(text).map_err(|error| RulesError(format!("the policy is not JSON: {error}")))?;
        let top = object(&whole, "the policy")?;
        known(top, &["rules"], "the policy")?;
        let list = top.get("rules").and_then(Value::as_array);
        let list = list.ok_or_else(|| RulesError("the policy has no list \"rules\"".to_owned()))?;
        let mut read = Self::none();
        for (at, value) in list.iter().enumerate() {
            read.add(value, at)?;
        }
        Ok(read)
    }

    fn add(&mut self, value: &Value, at: usize) -> Result<(), RulesError> {
        let place = format!("rule {}", at + 1);
        let rule = object(value, &place)?;
        let name = rule.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| RulesError(format!("{place} has no text \"name\"")))?;
        let place = format!("rule \"{}\"", name.chars().take(60).collect::<String>());
        known(rule, &["name", "then", "when", "stop"], &place)?;
        let then = match rule.get("then").and_then(Value::as_str) {
            Some("contain") => Decision::Contain { stop: false },
            Some("ask") => Decision::Ask,
            Some("ignore") => Decision::Ignore,
            _ => return Err(RulesError(format!("{place}: \"then\" is not one of contain, ask, ignore"))),
        };
        let stop = match rule.get("stop") {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) if then.acts() => true,
            Some(Value::Bool(true)) => return Err(RulesError(format!("{place}: \"stop\" goes with contain only"))),
            Some(_) => return Err(RulesError(format!("{place}: \"stop\" is neither true nor false"))),
        };
        let pattern = rule.get("when").ok_or_else(|| RulesError(format!("{place} has no \"when\"")))?;
        let when = object(pattern, &place)?;
        if when.is_empty() {
            return Err(RulesError(format!("{place}: \"when\" is empty and would match everything")));
        }
        known(when, &["finding", "instance", "principal"], &place)?;
        if when.contains_key("instance") && when.contains_key("principal") {
            return Err(RulesError(format!("{place}: it asks about an instance and a principal, and nothing is both")));
        }
        for (part, fields) in [("finding", &FINDING[..]), ("instance", &INSTANCE[..]), ("principal", &PRINCIPAL[..])] {
            if let Some(inner) = when.get(part) {
                let inner = object(inner, &format!("{place}: {part}"))?;
                known(inner, fields, &place)?;
                if inner.is_empty() {
                    return Err(RulesError(format!("{place}: \"{part}\" is empty")));
                }
                for (field, value) in inner {
                    check(value, field == "tags", &format!("{place}: {part}.{field}"))?;
                }
            }
        }
        self.patterns
            .add_pattern(at, &undotted(pattern).to_string())
            .map_err(|error| RulesError(format!("{place}: {error}")))?;
        let then = if stop { Decision::Contain { stop } } else { then };
        self.rules.push((name.to_owned(), then));
        Ok(())
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The first rule that matches the document, and what it says.
    #[must_use]
    pub fn decide(&self, document: &Value) -> Option<(&str, Decision)> {
        let matched = self.patterns.matches_for_event(undotted(document).to_string().as_bytes()).ok()?;
        let (name, then) = self.rules.get(matched.into_iter().min()?)?;
        Some((name, *then))
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::none()
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.rules).finish()
    }
}

/// The matcher reads a dot in a key as a path, and tag keys have dots (`app.kubernetes.io/name`): in pattern and document
/// alike, another character stands for it.
fn undotted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('.', "\u{2024}"), undotted(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(undotted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A field's value is a list of literals and operators; below `tags` stands one such list a tag.
fn check(value: &Value, tags: bool, place: &str) -> Result<(), RulesError> {
    if tags {
        let inner = object(value, place)?;
        if inner.is_empty() {
            return Err(RulesError(format!("{place} is empty")));
        }
        return inner.iter().try_for_each(|(key, value)| check(value, false, &format!("{place}.{key}")));
    }
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| RulesError(format!("{place} is not a list of values, as a pattern's fields are")))?;
    for item in list {
        if let Value::Object(operator) = item {
            if operator.len() != 1 {
                return Err(RulesError(format!("{place}: an operator is an object of one key")));
            }
            known(operator, &OPERATORS, &format!("{place}: operators"))?;
        } else if item.is_array() {
            return Err(RulesError(format!("{place}: a list within the list")));
        }
    }
    Ok(())
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, RulesError> {
    value.as_object().ok_or_else(|| RulesError(format!("{place} is not a JSON object")))
}

fn known(map: &Map<String, Value>, keys: &[&str], place: &str) -> Result<(), RulesError> {
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(RulesError(format!("{place}: unknown key \"{key}\"; the keys are {}", keys.join(", ")))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(when: &Value) -> Result<Rules, String> {
        let policy = json!({"rules": [{"name": "r", "then": "ask", "when": when}]});
        Rules::parse(&policy.to_string()).map_err(|error| error.to_string())
    }

    fn document() -> Value {
        json!({
            "finding": {"source": "guardduty", "type": "Backdoor:EC2/C&CActivity.B!DNS", "severity": 8, "role": "ACTOR"},
            "instance": {"id": "i-1", "account": "123456789012", "tags": {"team.name": "web"}, "spot": false}
        })
    }

    #[test]
    fn patterns_match_as_in_eventbridge() {
        let hits = |when: Value| rules(&when).expect("rules").decide(&document()).is_some();
        assert!(hits(json!({"finding": {"type": [{"suffix": "!DNS"}]}})));
        assert!(hits(json!({"finding": {"type": [{"prefix": "Backdoor:"}], "severity": [{"numeric": [">=", 8]}]}})));
        assert!(!hits(json!({"finding": {"type": [{"prefix": "Backdoor:"}], "severity": [{"numeric": [">", 8]}]}})));
        assert!(hits(json!({"instance": {"tags": {"team.name": ["web", "db"]}}})));
        assert!(hits(json!({"instance": {"tags": {"owner": [{"exists": false}]}}})));
        assert!(hits(json!({"instance": {"spot": [false]}})));
        assert!(!hits(json!({"finding": {"source": [{"anything-but": "guardduty"}]}})));
        assert!(hits(json!({"finding": {"type": [{"wildcard": "Backdoor:*DNS"}]}})));
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let policy = json!({"rules": [
            {"name": "other", "then": "ignore", "when": {"finding": {"source": ["alarm"]}}},
            {"name": "dns", "then": "ask", "when": {"finding": {"type": [{"suffix": "!DNS"}]}}},
            {"name": "all", "then": "contain", "when": {"finding": {"source": ["guardduty"]}}}
        ]});
        let rules = Rules::parse(&policy.to_string()).expect("rules");
        assert_eq!(rules.decide(&document()), Some(("dns", Decision::Ask)));
    }

    #[test]
    fn a_rule_may_ask_that_it_be_stopped() {
        let rule = json!({"name": "miner", "then": "contain", "stop": true, "when": {"finding": {"severity": [8]}}});
        let rules = Rules::parse(&json!({"rules": [rule]}).to_string()).expect("rules");
        assert_eq!(rules.decide(&document()), Some(("miner", Decision::Contain { stop: true })));
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_names_the_rule() {
        for (when, part) in [
            (json!({}), "rule \"r\": \"when\" is empty"),
            (json!({"findings": {}}), "rule \"r\": unknown key \"findings\""),
            (json!({"finding": {"kind": ["x"]}}), "rule \"r\": unknown key \"kind\""),
            (json!({"finding": {}}), "\"finding\" is empty"),
            (json!({"finding": {"type": "x"}}), "finding.type is not a list"),
            (json!({"finding": {"type": []}}), "finding.type is not a list"),
            (json!({"finding": {"type": [{"regexp": "x"}]}}), "unknown key \"regexp\""),
            (json!({"finding": {"$or": [{}]}}), "unknown key \"$or\""),
            (json!({"instance": {"tags": {}}}), "instance.tags is empty"),
            (json!({"finding": {"severity": [{"numeric": ["about", 7]}]}}), "rule \"r\""),
        ] {
            let error = rules(&when).expect_err("an error");
            assert!(error.contains(part), "{when}: {error}");
        }
        for (stop, part) in [
            (
                json!({"name": "r", "then": "ask", "stop": true, "when": {"finding": {"type": ["x"]}}}),
                "goes with contain only",
            ),
            (
                json!({"name": "r", "then": "contain", "stop": "yes", "when": {"finding": {"type": ["x"]}}}),
                "neither true nor",
            ),
        ] {
            let error = Rules::parse(&json!({"rules": [stop]}).to_string()).expect_err("an error").to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(Rules::parse("nonsense").is_err());
        assert!(Rules::parse(r#"{"rules":[{"name":"x","then":"nuke","when":{}}]}"#).is_err());
    }
}
