//! Verifies a part offline: the seal, the manifest that it seals, and every object that the manifest names. Whoever reads the
//! files gives them in; what is found is data.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    case::{MANIFEST, SEAL},
    manifest::{Manifest, Missing},
    prints::Place,
    seal::{self, Seal},
};

/// What the verifier knows from elsewhere. Without any of it, a seal shows that nobody changed a part, unless they wrote all of
/// it anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The public key: DER of SubjectPublicKeyInfo.
    pub key: Option<Vec<u8>>,
    /// The SHA-256 of manifests, as the ledger has them on record.
    pub heads: Vec<String>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It is not as it was taken.
    Changed(Place),
    /// It is not there.
    Absent,
    /// The manifest does not name it.
    Stray,
    /// It could not be read, in the system's words.
    Unread(String),
    /// A line, from 0, is none of a manifest, with the reason.
    Line(usize, String),
    /// It is not of this case and part.
    Elsewhere,
    /// The signature is not one of this statement by the key that it names.
    Signature,
    /// It is signed by another key than the one that was given, or by none.
    OtherKey,
    /// The manifest is none of those on record.
    OtherHead,
    /// What it lists could not be checked, since it is not known what it was.
    Unchecked,
}

/// Something that is wrong: a file of the part, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub name: String,
    pub wrong: Wrong,
}

/// What holds the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The key that was given signed it.
    TrustedKey { arn: String },
    /// A key signed it that comes with the part: its owner must say that it is theirs. SHA-256 of the public key.
    OwnKey { arn: String, fingerprint: String },
    /// The manifest is one that was given as on record.
    OnRecord,
    /// Nothing but itself.
    Itself,
}

/// What was found of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub case: String,
    pub part: String,
    /// How many objects are as they were taken.
    pub whole: usize,
    /// What could not be had when it was taken.
    pub missing: Vec<Missing>,
    /// SHA-256 of the manifest.
    pub head: String,
    /// That of the part before, where there was one.
    pub before: Option<String>,
    pub proof: Proof,
    /// What is wrong: the seal and the manifest first, then in the manifest's order.
    pub faults: Vec<Fault>,
}

/// A part that is being verified.
#[derive(Debug)]
pub struct Check {
    manifest: Option<Manifest>,
    head: String,
    proof: Proof,
    first: Vec<Fault>,
    found: BTreeMap<String, Option<Wrong>>,
    strays: BTreeSet<String>,
}

fn fault(name: &str, wrong: Wrong) -> Fault {
    Fault { name: name.to_owned(), wrong }
}

impl Check {
    /// Begins with the manifest and the seal.
    #[must_use]
    pub fn begin(manifest: &[u8], sealed: &[u8], trust: &Trust) -> Self {
        let mut first = Vec::new();
        let read = seal::read(sealed);
        first.extend(read.wrong.map(|place| fault(SEAL, Wrong::Changed(place))));
        let Some(seal) = read.seal else {
            let head = crate::prints::sha256(manifest);
            first.push(fault(MANIFEST, Wrong::Unchecked));
            return Self::begun(None, head, Proof::Itself, first);
        };
        let mut text = manifest.to_vec();
        let mut known = true;
        if !seal.statement.manifest.fits(manifest) {
            match seal.statement.manifest.mended(manifest) {
                Ok((place, mended)) => {
                    first.push(fault(MANIFEST, Wrong::Changed(place)));
                    text = mended;
                }
                Err(place) => {
                    first.push(fault(MANIFEST, Wrong::Changed(place)));
                    known = false;
                }
            }
        }
        let proof = proof(&seal, trust, &mut first);
        let parsed = if known { Manifest::read(&text) } else { Err((0, String::new())) };
        let manifest = match parsed {
            Ok(parsed) => {
                if parsed.header.case != seal.statement.case || parsed.header.part != seal.statement.part {
                    first.push(fault(SEAL, Wrong::Elsewhere));
                }
                Some(parsed)
            }
            Err((line, why)) => {
                first.push(fault(MANIFEST, if known { Wrong::Line(line, why) } else { Wrong::Unchecked }));
                None
            }
        };
        Self::begun(manifest, seal.statement.manifest.sha256, proof, first)
    }

    fn begun(manifest: Option<Manifest>, head: String, proof: Proof, first: Vec<Fault>) -> Self {
        Self { manifest, head, proof, first, found: BTreeMap::new(), strays: BTreeSet::new() }
    }

    /// The names of the objects that are to be read.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.manifest.iter().flat_map(|manifest| &manifest.objects).map(|entry| entry.name.clone()).collect()
    }

    /// Takes what a file holds, whether it is named or not; the manifest and the seal are not taken again.
    pub fn take(&mut self, name: &str, read: Result<&[u8], String>) {
        let objects = self.manifest.iter().flat_map(|manifest| &manifest.objects);
        let Some(entry) = objects.into_iter().find(|entry| entry.name == name) else {
            if name != MANIFEST && name != SEAL && self.manifest.is_some() {
                self.strays.insert(name.to_owned());
            }
            return;
        };
        let wrong = match read {
            Ok(bytes) => entry.prints.differs(bytes).map(Wrong::Changed),
            Err(why) => Some(Wrong::Unread(why)),
        };
        self.found.insert(name.to_owned(), wrong);
    }

    /// What was found. What was not taken is absent.
    #[must_use]
    pub fn end(self) -> Verified {
        let mut faults = self.first;
        let mut whole = 0;
        let Some(manifest) = self.manifest else {
            let (case, part) = (String::new(), String::new());
            let (missing, before) = (Vec::new(), None);
            return Verified { case, part, whole, missing, head: self.head, before, proof: self.proof, faults };
        };
        for entry in &manifest.objects {
            match self.found.get(&entry.name) {
                None => faults.push(fault(&entry.name, Wrong::Absent)),
                Some(Some(wrong)) => faults.push(fault(&entry.name, wrong.clone())),
                Some(None) => whole += 1,
            }
        }
        faults.extend(self.strays.iter().map(|name| fault(name, Wrong::Stray)));
        let Manifest { header, missing, .. } = manifest;
        let (case, part, before) = (header.case, header.part, header.before);
        Verified { case, part, whole, missing, head: self.head, before, proof: self.proof, faults }
    }
}

/// What holds the seal, and what of it does not hold.
fn proof(seal: &Seal, trust: &Trust, faults: &mut Vec<Fault>) -> Proof {
    let signs = seal.statement.key.is_some() || seal.signature.signature.is_some();
    let signed = seal.is_signed();
    if signs && !signed {
        faults.push(fault(SEAL, Wrong::Signature));
    }
    let on_record = trust.heads.contains(&seal.statement.manifest.sha256);
    if !trust.heads.is_empty() && !on_record {
        faults.push(fault(MANIFEST, Wrong::OtherHead));
    }
    let key = seal.statement.key.as_ref().filter(|_| signed);
    let der = key.and_then(|key| BASE64.decode(&key.public_key).ok());
    match (key, &trust.key) {
        (Some(key), Some(trusted)) if der.as_ref() == Some(trusted) => Proof::TrustedKey { arn: key.arn.clone() },
        (_, Some(_)) => {
            faults.push(fault(SEAL, Wrong::OtherKey));
            Proof::Itself
        }
        (_, None) if on_record => Proof::OnRecord,
        (Some(key), None) => Proof::OwnKey {
            arn: key.arn.clone(),
            fingerprint: crate::prints::sha256(der.as_deref().unwrap_or_default()),
        },
        (None, None) => Proof::Itself,
    }
}
