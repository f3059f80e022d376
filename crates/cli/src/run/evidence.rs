//! `investigate` and `evidence`: what is kept of a containment, and whether it is as it was taken.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aws_sdk_s3::{Client, error::DisplayErrorContext};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use brig_evidence::{Check, MANIFEST, SEAL, Trust, Verified};
use serde_json::json;

use super::{Desk, about};
use crate::{
    answer::evidence::{Custody, Investigated, Standing},
    args::{self, Global},
    exit::Exit,
    fault::Fault,
    invoke::{Duty, configuration},
    progress::while_waiting,
    view::{Look, evidence},
};

/// `investigate`.
pub async fn investigate(desk: &Desk, args: &args::Investigate) -> Result<Exit, Fault> {
    let place = desk.find(&args.what).await?;
    let by = desk.caller.who().await;
    let request = about(&place, json!({"action": "investigate", "by": by}));
    let asked = desk.caller.ask(Duty::Investigate, &request);
    let reply = while_waiting("Taking evidence; CloudTrail takes its time", asked).await?;
    let answered: Investigated = reply.typed()?;
    desk.show(&reply, &evidence::investigated(&answered, &desk.look));
    Ok(match answered.bundle.standing {
        Standing::Sealed | Standing::SealedBefore if answered.bundle.gaps.is_empty() => Exit::Wanted,
        Standing::Sealed | Standing::SealedBefore | Standing::Unfinished | Standing::Unknown => Exit::Partial,
    })
}

/// `evidence show`.
pub async fn show(desk: &Desk, args: &args::Investigate) -> Result<Exit, Fault> {
    let place = desk.find(&args.what).await?;
    let request = about(&place, json!({"action": "custody"}));
    let reply = while_waiting("Reading the chain of custody", desk.caller.ask(Duty::Investigate, &request)).await?;
    let custody: Custody = reply.typed()?;
    desk.show(&reply, &evidence::custody(&custody, &desk.look));
    Ok(if custody.cases.is_empty() { Exit::Refused } else { Exit::Wanted })
}

/// Where evidence lies.
enum Place {
    Folder(PathBuf),
    Bucket { client: Client, name: String, prefix: String },
}

/// `evidence verify`.
pub async fn verify(args: &args::Verification, global: &Global, look: &Look) -> Result<Exit, Fault> {
    let trust = Trust { key: args.key.as_deref().map(key).transpose()?, heads: args.head.clone() };
    let place = Place::open(&args.place, global).await?;
    let names = place.names().await?;
    let mut parts: Vec<&str> =
        names.iter().filter_map(|name| name.strip_suffix(MANIFEST).or_else(|| name.strip_suffix(SEAL))).collect();
    parts.retain(|part| part.is_empty() || part.ends_with('/'));
    parts.sort_unstable();
    parts.dedup();
    if parts.is_empty() {
        return Err(Fault::Input(format!("{}: there is no {MANIFEST} in it: it is no evidence of Brig's", args.place)));
    }
    let mut verified = Vec::new();
    for part in &parts {
        verified.push(place.verify(part, &names, &trust).await);
    }
    let strays: Vec<String> =
        names.iter().filter(|name| !parts.iter().any(|part| name.starts_with(part))).cloned().collect();
    if global.json {
        println!("{}", evidence::as_json(&verified, &strays));
    } else {
        print!("{}", evidence::verified(&verified, &strays, look));
    }
    let whole = strays.is_empty() && verified.iter().all(|part| part.faults.is_empty());
    Ok(if whole { Exit::Wanted } else { Exit::Partial })
}

/// Reads a public key: PEM, DER, or base64 of DER.
fn key(file: &Path) -> Result<Vec<u8>, Fault> {
    let wrong = |why: &str| Fault::Input(format!("--key: {}: {why}", file.display()));
    let bytes = fs::read(file).map_err(|error| wrong(&error.to_string()))?;
    // SubjectPublicKeyInfo is a SEQUENCE.
    if bytes.first() == Some(&0x30) {
        return Ok(bytes);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is neither PEM nor DER"))?;
    let base64: String =
        text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect();
    let der = BASE64.decode(base64).map_err(|_| wrong("it is neither PEM nor DER, nor base64"))?;
    if der.first() == Some(&0x30) { Ok(der) } else { Err(wrong("it is no public key")) }
}

impl Place {
    async fn open(text: &str, global: &Global) -> Result<Self, Fault> {
        let Some(url) = text.strip_prefix("s3://") else {
            let folder = PathBuf::from(text);
            return match fs::metadata(&folder) {
                Ok(about) if about.is_dir() => Ok(Self::Folder(folder)),
                Ok(_) => Err(Fault::Input(format!("{text} is a file: name the folder that it is in"))),
                Err(error) => Err(Fault::Input(format!("{text} could not be read: {error}"))),
            };
        };
        let (name, prefix) = url.split_once('/').unwrap_or((url, ""));
        if name.is_empty() {
            return Err(Fault::Input(format!("{text} names no bucket")));
        }
        let config = configuration(global).await;
        if config.region().is_none() {
            return Err(Fault::NoRegion);
        }
        // Reading may be repeated.
        let reads = aws_sdk_s3::config::Builder::from(&config).retry_config(aws_config::retry::RetryConfig::standard());
        let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        Ok(Self::Bucket { client: Client::from_conf(reads.build()), name: name.to_owned(), prefix })
    }

    /// The names of all files below it, with slashes.
    async fn names(&self) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        match self {
            Self::Folder(folder) => walk(folder, "", &mut names)?,
            Self::Bucket { client, name, prefix } => {
                let mut pages = client.list_objects_v2().bucket(name).prefix(prefix).into_paginator().send();
                while let Some(page) = pages.next().await {
                    let page = page.map_err(|error| {
                        Fault::Input(format!(
                            "s3://{name}/{prefix} could not be listed: {}",
                            DisplayErrorContext(&error)
                        ))
                    })?;
                    let keys = page.contents().iter().filter_map(|object| object.key()?.strip_prefix(prefix.as_str()));
                    names.extend(keys.filter(|key| !key.is_empty() && !key.ends_with('/')).map(str::to_owned));
                }
            }
        }
        names.sort();
        Ok(names)
    }

    async fn read(&self, file: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Folder(folder) => fs::read(folder.join(file)).map_err(|error| error.to_string()),
            Self::Bucket { client, name, prefix } => {
                let object = client.get_object().bucket(name).key(format!("{prefix}{file}")).send().await;
                let object = object.map_err(|error| DisplayErrorContext(&error).to_string())?;
                let bytes = object.body.collect().await.map_err(|error| error.to_string())?;
                Ok(bytes.to_vec())
            }
        }
    }

    /// Verifies the part whose files' names begin so.
    async fn verify(&self, part: &str, names: &[String], trust: &Trust) -> Verified {
        let file = |name: &str| format!("{part}{name}");
        let manifest = self.read(&file(MANIFEST)).await.unwrap_or_default();
        let seal = self.read(&file(SEAL)).await.unwrap_or_default();
        let mut check = Check::begin(&manifest, &seal, trust);
        let of_part = names.iter().filter_map(|name| name.strip_prefix(part));
        for name in of_part.filter(|name| *name != MANIFEST && *name != SEAL) {
            let bytes = self.read(&file(name)).await;
            check.take(name, bytes.as_deref().map_err(Clone::clone));
        }
        check.end()
    }
}

fn walk(folder: &Path, below: &str, names: &mut Vec<String>) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::Input(format!("{} could not be read: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
