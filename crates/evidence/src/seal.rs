//! The seal of a manifest, in three lines: the statement that is signed, the signature where there is a key, and what is kept
//! of both, by which a changed byte in them is found.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rustls_pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha384};
use webpki::{RawPublicKeyEntity, ring as algorithms};

use crate::{
    manifest::Header,
    prints::{Place, Prints},
};

/// A key that signs, and how: an elliptic curve key of KMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its ARN.
    pub arn: String,
    /// `ECDSA_SHA_256` or `ECDSA_SHA_384`, as KMS calls them.
    pub algorithm: String,
    /// The public key: DER of SubjectPublicKeyInfo, in base64, as KMS GetPublicKey gives it.
    pub public_key: String,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub case: String,
    pub part: String,
    /// What is kept of the manifest.
    pub manifest: Prints,
    /// None where there is no key.
    pub key: Option<SigningKey>,
}

/// DER of an ECDSA signature over the statement's line with its line break, in base64; none where there is no key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub signature: Option<String>,
}

/// A seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    pub statement: Statement,
    pub signature: Signature,
}

fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

impl Statement {
    /// Of a manifest's text.
    #[must_use]
    pub fn of(header: &Header, manifest: &str, key: Option<SigningKey>) -> Self {
        let manifest = Prints::of(manifest.as_bytes());
        Self { case: header.case.clone(), part: header.part.clone(), manifest, key }
    }

    /// What is signed: the statement's line, with its line break.
    fn line(&self) -> String {
        line(self)
    }

    /// The digest of what is signed, by the key's algorithm. KMS signs it as a digest: the line itself may be longer than
    /// the 4,096 bytes that it takes as a message (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>).
    /// None where no key signs, or its algorithm is not known.
    #[must_use]
    pub fn digest(&self) -> Option<Vec<u8>> {
        match self.key.as_ref()?.algorithm.as_str() {
            "ECDSA_SHA_256" => Some(Sha256::digest(self.line()).to_vec()),
            "ECDSA_SHA_384" => Some(Sha384::digest(self.line()).to_vec()),
            _ => None,
        }
    }
}

impl Seal {
    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self.statement.line() + &line(&self.signature);
        let kept = line(&Prints::of(body.as_bytes()));
        body + &kept
    }

    /// Reads its text; none where it is not as it was written.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        read(text.as_bytes()).seal.filter(|seal| seal.text() == text)
    }

    /// Whether the signature is one of the statement by the key that the statement names.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let (Some(key), Some(signature)) = (&self.statement.key, &self.signature.signature) else { return false };
        let (Ok(der), Ok(signature)) = (BASE64.decode(&key.public_key), BASE64.decode(signature)) else { return false };
        let der = SubjectPublicKeyInfoDer::from(der);
        let Ok(entity) = RawPublicKeyEntity::try_from(&der) else { return false };
        let known: [(&str, &dyn SignatureVerificationAlgorithm); 4] = [
            ("ECDSA_SHA_256", algorithms::ECDSA_P256_SHA256),
            ("ECDSA_SHA_256", algorithms::ECDSA_P384_SHA256),
            ("ECDSA_SHA_384", algorithms::ECDSA_P256_SHA384),
            ("ECDSA_SHA_384", algorithms::ECDSA_P384_SHA384),
        ];
        let message = self.statement.line();
        known
            .iter()
            .filter(|(name, _)| *name == key.algorithm)
            .any(|(_, algorithm)| entity.verify_signature(*algorithm, message.as_bytes(), &signature).is_ok())
    }
}

/// A seal that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) seal: Option<Seal>,
    /// Where it is not as it was written.
    pub(crate) wrong: Option<Place>,
}

/// What the last line begins with.
const KEPT: &[u8] = br#"{"sha256":"#;

/// Reads a seal. Where one byte of it was changed, what it was is read all the same.
pub(crate) fn read(text: &[u8]) -> Read {
    let by_mark = text.windows(KEPT.len()).rposition(|window| window == KEPT);
    let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).nth(1);
    let cut = |at: Option<usize>| text.split_at_checked(at?);
    // The line break before the last line may be what was changed, and so may its first bytes.
    let ways = [cut(by_mark), cut(breaks)];
    let found = ways.iter().flatten().find_map(|(body, kept)| read_cut(text, body, kept));
    let end = u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_sub(1);
    found.unwrap_or(Read { seal: None, wrong: Some(Place::Within { from: 0, to: end }) })
}

/// Reads the statement and the signature, and what is kept of both.
fn read_cut(text: &[u8], body: &[u8], kept: &[u8]) -> Option<Read> {
    let found = |seal: Seal, wrong: Option<Place>| Some(Read { seal: Some(seal), wrong });
    let difference = |seal: &Seal| first_difference(text, seal.text().as_bytes());
    let parsed = parse(body);
    let mut first = serde_json::Deserializer::from_slice(kept).into_iter::<Prints>();
    let Some(Ok(prints)) = first.next() else {
        return parsed.and_then(|seal| found(seal.clone(), difference(&seal)));
    };
    if let Some(seal) = parsed.clone().filter(|_| prints.fits(body)) {
        return found(seal.clone(), difference(&seal));
    }
    match (prints.mended(body), parsed) {
        (Ok((place, mended)), _) => parse(&mended).and_then(|seal| found(seal, Some(place))),
        // Where the statement and its signature agree, it is the last line that was changed.
        (Err(_), Some(seal)) if seal.is_signed() || seal.statement.key.is_none() => {
            found(seal.clone(), difference(&seal))
        }
        (Err(place), Some(seal)) => found(seal, Some(place)),
        (Err(_), None) => None,
    }
}

fn parse(body: &[u8]) -> Option<Seal> {
    let mut lines = body.split_inclusive(|byte| *byte == b'\n');
    let statement = serde_json::from_slice(lines.next()?).ok()?;
    let seal = Seal { statement, signature: serde_json::from_slice(lines.next()?).ok()? };
    // What reads as the same, and is written another way, was changed.
    (lines.next().is_none() && seal.text().as_bytes().starts_with(body)).then_some(seal)
}

/// Where bytes differ first from what they were.
pub(crate) fn first_difference(is: &[u8], was: &[u8]) -> Option<Place> {
    if is == was {
        return None;
    }
    let at = is.iter().zip(was).position(|(is, was)| is != was);
    let end = is.len().min(was.len());
    Some(match at.and_then(|at| Some((at, *is.get(at)?, *was.get(at)?))) {
        Some((at, is, was)) => Place::Byte { at: at as u64, is, was },
        None if is.len() < was.len() => Place::EndsEarly { at: end as u64, of: was.len() as u64 },
        None => Place::GoesOn { at: end as u64 },
    })
}
