//! Correlation ids, of which nobody can guess the next one, whoever has seen the others.
//!
//! A service that was called once has the address at which this client is answered, and could answer its calls to
//! others. So an id is the number of the call and a keyed hash of it, and a reply is for a call only if both are right.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use siphasher::sip128::SipHasher24;
use uuid::Uuid;

/// The number, and the hash.
const NUMBER: usize = 8;
const BYTES: usize = NUMBER + 16;

/// Makes the ids of one client, and no other client on earth makes one of them.
pub(super) struct CorrelationIds(SipHasher24);

impl CorrelationIds {
    /// With a key of 122 bits from the operating system.
    pub(super) fn new() -> Self {
        CorrelationIds(SipHasher24::new_with_key(Uuid::new_v4().as_bytes()))
    }

    /// The id of the call with this number.
    pub(super) fn of(&self, number: u64) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes(number))
    }

    /// The number of the call with this id; `None` if it is none of ours.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let mut bytes = [0; BYTES];
        if BASE64_URL_SAFE_NO_PAD.decode_slice(id, &mut bytes) != Ok(BYTES) {
            return None;
        }
        let number = u64::from_be_bytes(*bytes.first_chunk()?);
        (self.bytes(number) == bytes).then_some(number)
    }

    fn bytes(&self, number: u64) -> [u8; BYTES] {
        let number = number.to_be_bytes();
        let mut bytes = [0; BYTES];
        bytes[..NUMBER].copy_from_slice(&number);
        bytes[NUMBER..].copy_from_slice(&self.0.hash(&number).as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_call_and_nothing_else_does() {
        let (ids, others) = (CorrelationIds::new(), CorrelationIds::new());
        for number in [1, 2, u64::MAX] {
            let id = ids.of(number);
            assert_eq!(ids.number(&id), Some(number));
            assert_eq!(others.number(&id), None);
            assert_eq!(id.len(), 32);
            for place in 0..id.len() {
                let replace = if &id[place..=place] == "A" { "B" } else { "A" };
                let mut forged = id.clone();
                forged.replace_range(place..=place, replace);
                assert_eq!(ids.number(&forged), None, "{forged} beside {id}");
            }
        }
        for odd in ["", "1", "ü", &"A".repeat(31), &"A".repeat(33), &"A".repeat(255)] {
            assert_eq!(ids.number(odd), None);
        }
    }

    #[test]
    fn the_next_id_does_not_follow_from_those_before() {
        let ids = CorrelationIds::new();
        let seen: Vec<u8> = (1..=100).flat_map(|number| ids.bytes(number)[NUMBER..].to_vec()).collect();
        // Of a hash that counts, or is the same for all, hardly any bit would change.
        let changed: u32 = seen.iter().zip(&seen[16..]).map(|(one, next)| (one ^ next).count_ones()).sum();
        let bits = u32::try_from((seen.len() - 16) * 8).unwrap();
        assert!((bits * 2 / 5..bits * 3 / 5).contains(&changed), "{changed} of {bits}");
    }
}
