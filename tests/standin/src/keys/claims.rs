//! The message inside a key: protobuf, proto3, and a trap. `member_id` is part of a oneof, so its zero is written out.

use prost::Message as _;

/// Who a key speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An administrator of the deployment; 0 is the generic one.
    Member(u64),
    /// The system itself: good for API calls, refused by the key check.
    System,
}

/// What a good key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// When it was issued, in seconds since 1970; never 0.
    pub issued_s: u64,
    /// Who it speaks for.
    pub identity: Identity,
    /// Whether it may only read.
    pub read_only: bool,
}

impl Claims {
    /// The generic administrator's claims, issued at `issued_s`.
    #[must_use]
    pub const fn admin(issued_s: u64) -> Self {
        Self { issued_s, identity: Identity::Member(0), read_only: false }
    }

    /// The message as issuers write it: without the name, fields in ascending order.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let identity = match self.identity {
            Identity::Member(id) => WireIdentity::MemberId(id),
            Identity::System => WireIdentity::System(()),
        };
        Message {
            instance_name: None,
            issued_s: self.issued_s,
            identity: Some(identity),
            is_read_only: self.read_only,
        }
        .encode_to_vec()
    }
}

/// The message as it came off the wire.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Message {
    #[prost(string, optional, tag = "1")]
    instance_name: Option<String>,
    #[prost(uint64, tag = "2")]
    issued_s: u64,
    #[prost(oneof = "WireIdentity", tags = "3, 4")]
    identity: Option<WireIdentity>,
    #[prost(bool, tag = "5")]
    is_read_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
enum WireIdentity {
    #[prost(uint64, tag = "3")]
    MemberId(u64),
    #[prost(message, tag = "4")]
    System(()),
}

impl Message {
    /// Reads the message; `None` where the bytes are none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        prost::Message::decode(bytes).ok()
    }

    /// The name inside, which only legacy keys have.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        self.instance_name.as_deref()
    }

    /// What the key says; `None` where the time or the identity is missing.
    #[must_use]
    pub fn claims(&self) -> Option<Claims> {
        let identity = match self.identity? {
            WireIdentity::MemberId(id) => Identity::Member(id),
            WireIdentity::System(()) => Identity::System,
        };
        let claims = Claims { issued_s: self.issued_s, identity, read_only: self.is_read_only };
        (claims.issued_s != 0).then_some(claims)
    }
}
