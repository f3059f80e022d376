//! A part of a case, as it is written and as somebody changed it.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use brig_evidence::{
    Check, Entry, Header, MANIFEST, Manifest, Missing, Place, Prints, Proof, SEAL, Seal, Signature, SigningKey,
    Statement, Trust, Verified, Written, Wrong,
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd";

/// A key like those of KMS.
struct Key {
    pair: EcdsaKeyPair,
    der: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).expect("a key");
        // SubjectPublicKeyInfo of a point of P-256 (RFC 5480).
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut der: Vec<u8> =
            (0..head.len()).step_by(2).map(|at| u8::from_str_radix(&head[at..at + 2], 16).expect("hex")).collect();
        der.extend_from_slice(pair.public_key().as_ref());
        Self { pair, der }
    }

    fn named(&self) -> SigningKey {
        SigningKey { arn: ARN.to_owned(), algorithm: "ECDSA_SHA_256".to_owned(), public_key: BASE64.encode(&self.der) }
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// What a person has in a folder: a few objects, and what could not be had.
fn part(key: Option<&Key>) -> Files {
    let mut files: Files = BTreeMap::from([
        ("instance/user-data.txt".to_owned(), b"#!/bin/sh\ncurl evil\n".to_vec()),
        ("instance/console-output.txt".to_owned(), (0..1300_u32).map(|at| (at % 251) as u8).collect()),
        ("empty.txt".to_owned(), Vec::new()),
    ]);
    let objects = files.iter().map(|(name, bytes)| Entry {
        name: name.clone(),
        prints: Prints::of(bytes),
        source: "ec2:GetConsoleOutput".to_owned(),
        requests: vec!["r-1".to_owned()],
        taken: "2026-01-02T03:04:05.000Z".to_owned(),
        written: Written {
            at: "2026-01-02T03:04:06.000Z".to_owned(),
            version: Some("v1".to_owned()),
            ..Written::default()
        },
    });
    let header = Header {
        form: 1,
        case: "111122223333/us-east-1/i-0123456789abcdef0/i-0123456789abcdef0-20260102T030405Z".to_owned(),
        part: "contained".to_owned(),
        opened: "2026-01-02T03:04:05.000Z".to_owned(),
        by: "arn:aws:sts::111122223333:assumed-role/brig-investigate/x".to_owned(),
        before: None,
    };
    let missing =
        vec![Missing { name: "instance/screenshot.jpg".to_owned(), why: "AWS takes none of this type".to_owned() }];
    let manifest = Manifest { header: header.clone(), objects: objects.collect(), missing };
    let text = manifest.text();
    let statement = Statement::of(&header, &text, key.map(Key::named));
    let signature = key.map(|key| {
        let line = serde_json::to_string(&statement).expect("JSON") + "\n";
        BASE64.encode(key.pair.sign(&SystemRandom::new(), line.as_bytes()).expect("a signature").as_ref())
    });
    let seal = Seal { statement, signature: Signature { signature } };
    files.insert(MANIFEST.to_owned(), text.into_bytes());
    files.insert(SEAL.to_owned(), seal.text().into_bytes());
    files
}

fn check(files: &Files, trust: &Trust) -> Verified {
    let empty = Vec::new();
    let file = |name: &str| files.get(name).unwrap_or(&empty);
    let mut check = Check::begin(file(MANIFEST), file(SEAL), trust);
    for (name, bytes) in files {
        check.take(name, Ok(bytes));
    }
    check.end()
}

fn faults(verified: &Verified) -> Vec<(&str, &Wrong)> {
    verified.faults.iter().map(|fault| (fault.name.as_str(), &fault.wrong)).collect()
}

#[test]
fn what_is_as_it_was_taken_is_whole_and_says_what_could_not_be_had() {
    let key = Key::new();
    for (key, proof) in [(None, None), (Some(&key), Some(ARN))] {
        let verified = check(&part(key), &Trust::default());
        assert_eq!(faults(&verified), []);
        assert_eq!((verified.whole, verified.missing.len()), (3, 1));
        match (proof, &verified.proof) {
            (None, Proof::Itself) => {}
            (Some(named), Proof::OwnKey { arn, fingerprint }) => {
                assert_eq!((arn.as_str(), fingerprint.len()), (named, 64));
            }
            (expected, found) => panic!("{expected:?} {found:?}"),
        }
    }
}

#[test]
fn one_changed_byte_anywhere_is_found_and_named() {
    let key = Key::new();
    for key in [None, Some(&key)] {
        let files = part(key);
        for (name, bytes) in &files {
            for at in 0..bytes.len() {
                for by in [0x01_u8, 0xff] {
                    let mut changed = files.clone();
                    let file = changed.get_mut(name).expect("it");
                    file[at] = file[at].wrapping_add(by);
                    let verified = check(&changed, &Trust::default());
                    let first = verified.faults.first().unwrap_or_else(|| panic!("{name} {at} +{by} is not found"));
                    let place = Place::Byte { at: at as u64, is: changed[name][at], was: bytes[at] };
                    assert_eq!(
                        (first.name.as_str(), &first.wrong),
                        (name.as_str(), &Wrong::Changed(place)),
                        "{at} +{by}"
                    );
                    // Everything else is checked all the same.
                    assert_eq!(verified.faults.len(), 1, "{name} {at} +{by}: {:?}", verified.faults);
                }
            }
        }
    }
}

#[test]
fn what_is_gone_or_was_not_there_is_named() {
    let key = Key::new();
    let files = part(Some(&key));
    for name in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(name);
        let verified = check(&fewer, &Trust::default());
        assert!(!verified.faults.is_empty(), "{name}");
        if name != MANIFEST && name != SEAL {
            assert_eq!(faults(&verified), [(name.as_str(), &Wrong::Absent)]);
        }
    }
    let mut more = files.clone();
    more.insert("instance/planted.txt".to_owned(), b"x".to_vec());
    assert_eq!(faults(&check(&more, &Trust::default())), [("instance/planted.txt", &Wrong::Stray)]);
    let mut read = Check::begin(&files[MANIFEST], &files[SEAL], &Trust::default());
    for (name, bytes) in &files {
        let is = if name == "empty.txt" { Err("permission denied".to_owned()) } else { Ok(bytes.as_slice()) };
        read.take(name, is);
    }
    assert_eq!(faults(&read.end()), [("empty.txt", &Wrong::Unread("permission denied".to_owned()))]);
}

#[test]
fn who_writes_everything_anew_is_found_by_the_key_or_by_the_record() {
    let (ours, theirs) = (Key::new(), Key::new());
    let (true_part, forged) = (part(Some(&ours)), part(Some(&theirs)));
    let trust = Trust { key: Some(ours.der.clone()), heads: Vec::new() };
    assert_eq!(check(&true_part, &trust).proof, Proof::TrustedKey { arn: ARN.to_owned() });
    assert_eq!(faults(&check(&true_part, &trust)), []);
    for other in [forged, part(None)] {
        assert_eq!(faults(&check(&other, &trust)), [(SEAL, &Wrong::OtherKey)]);
    }
    // A seal of ours on a manifest of theirs.
    let mut other = part(None);
    other.get_mut("empty.txt").expect("it").push(b'!');
    let head = check(&part(None), &Trust::default()).head;
    let on_record = Trust { key: None, heads: vec![head] };
    assert_eq!(check(&part(None), &on_record).proof, Proof::OnRecord);
    let not = Trust { key: None, heads: vec!["0".repeat(64)] };
    assert_eq!(faults(&check(&part(None), &not)), [(MANIFEST, &Wrong::OtherHead)]);
    let mut mixed = true_part.clone();
    mixed.insert(MANIFEST.to_owned(), [true_part[MANIFEST].as_slice(), b"\n"].concat());
    assert_eq!(check(&mixed, &trust).faults[0].name, MANIFEST);
}

#[test]
fn bytes_of_any_kind_end_in_an_answer() {
    for bytes in [&b""[..], b"\n", b"\n\n\n", b"{}\n{}\n{}\n", b"\xff\xfe", b"null\nnull\nnull\n"] {
        let mut check = Check::begin(bytes, bytes, &Trust::default());
        check.take("x", Ok(b"x"));
        assert!(!check.end().faults.is_empty());
    }
}
