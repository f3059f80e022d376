//! For the function that investigates: AWS's answers as they came, the bucket that keeps them, the key that signs, and the chain of
//! custody. Built for nobody else: the containing binary has neither the S3 nor the KMS client.

mod bucket;
mod custody;
mod raw;
mod scene;
mod signer;

pub use bucket::{Bucket, Locked, Put, PutError, Retention};
pub use custody::{Custody, Lease};
pub use raw::Raw;
pub use scene::{Look, Scene, Taken};
pub use signer::{PublicKey, Signer};
