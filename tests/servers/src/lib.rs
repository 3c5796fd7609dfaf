//! Real servers for tests: PostgreSQL and MariaDB from Debian's packages, and an S3 server built from a Go module.
//!
//! Each is a guard: it is started somewhere ([`Place`]), waited for until it answers, and ended with the guard, or with the
//! process that started it, however that ends. What is missing on the machine is installed or built the first time.
//!
//! MariaDB stands in for MySQL, which is not among Debian's packages, as far as the protocol goes: it logs in, encrypts and refuses
//! as MySQL does. It lacks MySQL 8's collations and its `caching_sha2_password`.

mod encryption;
mod keeper;
mod mariadb;
mod network;
mod packages;
mod place;
mod postgres;
mod process;
mod s3;

pub use cluster::pki::Authority;
pub use encryption::Encryption;
pub use mariadb::MariaDb;
pub use network::{Asked, Fate, Network};
pub use place::Place;
pub use postgres::Postgres;
pub use s3::S3;

/// A value that nobody else has: for names and passwords.
///
/// # Panics
/// Where the kernel has no random numbers.
#[must_use]
pub fn unique() -> String {
    hex::encode(rand_bytes::<8>())
}

#[expect(clippy::expect_used, reason = "a kernel without random numbers runs no tests")]
fn rand_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}
