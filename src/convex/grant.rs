//! What an admin key says once it is opened: the protobuf message `AdminKey`.
//!
//! Field numbers are from `crates/pb/protos/convex_keys.proto` upstream: 1 instance name, 2 seconds
//! of issue, then one of 3 member or 4 system, and 5 read only. The message is ten bytes of varints,
//! so it is written and read here rather than by a protobuf library and its generated code.

/// Field 2, varint.
const ISSUED: u8 = 0x10;
/// Field 3, varint. Written for member 0 too: a member of a `oneof` has no default.
const MEMBER: u8 = 0x18;
/// Field 4, length delimited and empty.
const SYSTEM: u8 = 0x22;
/// Field 5, varint.
const READ_ONLY: u8 = 0x28;

/// Whom an admin key speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An administrator of the deployment; self-hosted keys use member 0.
    Member(u64),
    /// Convex's own system identity, which the key check of a backend answers with 403.
    System,
}

/// The content of an opened admin key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The deployment that the key names from inside; absent in every key of today's scheme.
    pub instance_name: Option<String>,
    /// When it was issued, in seconds since 1970. Never 0 in a valid key.
    pub issued: u64,
    /// Whom it speaks for.
    pub identity: Identity,
    /// Whether it may only read.
    pub read_only: bool,
}

/// Why opened bytes are not a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAGrant {
    /// Not a protobuf message with these fields.
    #[error("cannot be read")]
    Malformed,
    /// No time of issue, or zero.
    #[error("has no time of issue")]
    NeverIssued,
    /// Neither a member nor the system.
    #[error("speaks for nobody")]
    Nobody,
}

impl Grant {
    /// What an administrator gets.
    pub(super) const fn administrator(issued: u64) -> Self {
        Self { instance_name: None, issued, identity: Identity::Member(0), read_only: false }
    }

    /// The message as the server reads it, fields in ascending order and without the name.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut message = vec![ISSUED];
        push_varint(&mut message, self.issued);
        match self.identity {
            Identity::Member(id) => {
                message.push(MEMBER);
                push_varint(&mut message, id);
            }
            Identity::System => message.extend([SYSTEM, 0]),
        }
        if self.read_only {
            message.extend([READ_ONLY, 1]);
        }
        message
    }

    /// Reads a message; fields that are not known here are passed over, as protobuf wants it.
    pub(super) fn decode(message: &[u8]) -> Result<Self, NotAGrant> {
        let mut rest = message;
        let (mut instance_name, mut issued, mut identity, mut read_only) = (None, 0, None, false);
        while !rest.is_empty() {
            match Field::take(&mut rest).ok_or(NotAGrant::Malformed)? {
                Field::Bytes(1, name) => {
                    let name = std::str::from_utf8(name).map_err(|_| NotAGrant::Malformed)?;
                    instance_name = Some(name.to_owned());
                }
                Field::Varint(2, seconds) => issued = seconds,
                Field::Varint(3, id) => identity = Some(Identity::Member(id)),
                Field::Bytes(4, _) => identity = Some(Identity::System),
                Field::Varint(5, flag) => read_only = flag != 0,
                Field::Varint(..) | Field::Bytes(..) | Field::Fixed => {}
            }
        }
        if issued == 0 {
            return Err(NotAGrant::NeverIssued);
        }
        let identity = identity.ok_or(NotAGrant::Nobody)?;
        Ok(Self { instance_name, issued, identity, read_only })
    }
}

/// One field of a protobuf message, with its number.
enum Field<'a> {
    Varint(u64, u64),
    Bytes(u64, &'a [u8]),
    /// Of a fixed width; none of ours is.
    Fixed,
}

impl<'a> Field<'a> {
    /// Takes the next field off the front, or nothing where the bytes are not one.
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let tag = take_varint(rest)?;
        match tag & 7 {
            0 => Some(Self::Varint(tag >> 3, take_varint(rest)?)),
            1 => take_bytes(rest, 8).map(|_| Self::Fixed),
            2 => {
                let length = usize::try_from(take_varint(rest)?).ok()?;
                Some(Self::Bytes(tag >> 3, take_bytes(rest, length)?))
            }
            5 => take_bytes(rest, 4).map(|_| Self::Fixed),
            _ => None,
        }
    }
}

fn take_bytes<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    for shift in (0..64).step_by(7) {
        let byte = *take_bytes(rest, 1)?.first()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn push_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::{Grant, Identity, NotAGrant};

    fn decoded(message: &str) -> Result<Grant, NotAGrant> {
        Grant::decode(&hex::decode(message).unwrap())
    }

    #[test]
    fn an_administrators_grant_names_member_zero_explicitly() {
        let message = Grant::administrator(1_700_000_000).encode();
        assert_eq!(hex::encode(&message), "1080e2cfaa061800");
        assert_eq!(Grant::decode(&message), Ok(Grant::administrator(1_700_000_000)));
    }

    #[test]
    fn every_time_of_issue_survives_the_round_trip() {
        for issued in [1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let grant = Grant::administrator(issued);
            assert_eq!(Grant::decode(&grant.encode()), Ok(grant));
        }
    }

    #[test]
    fn a_name_inside_is_read_as_old_keys_carry_it() {
        let grant = decoded("0a086361726e69746173108186ba8d061800").unwrap();
        assert_eq!(grant.instance_name.as_deref(), Some("carnitas"));
        assert_eq!(grant.identity, Identity::Member(0));
    }

    #[test]
    fn the_system_is_read_as_such() {
        assert_eq!(decoded("108f8cc4a7062200").unwrap().identity, Identity::System);
    }

    #[test]
    fn fields_of_a_later_day_are_passed_over() {
        let later = "10011800 3202aabb 3801 410000000000000000 4d00000000".replace(' ', "");
        assert_eq!(decoded(&later), Ok(Grant::administrator(1)));
    }

    #[test]
    fn a_message_without_issue_or_identity_or_sense_is_refused() {
        assert_eq!(decoded("1800"), Err(NotAGrant::NeverIssued));
        assert_eq!(decoded("10001800"), Err(NotAGrant::NeverIssued));
        assert_eq!(decoded("1001"), Err(NotAGrant::Nobody));
        for nonsense in
            ["10", "1080", "0a05616263", "17", "0affffffffffffffffff01", "10ffffffffffffffffffff01"]
        {
            assert_eq!(decoded(nonsense), Err(NotAGrant::Malformed), "{nonsense}");
        }
    }
}
