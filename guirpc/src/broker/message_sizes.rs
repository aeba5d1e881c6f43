//! How large a message the broker takes, as far as that is known. Pure data, no I/O.

/// What is known of the broker's `max_message_size`, which it tells only to those who send more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageSizes {
    /// It has taken a body of so many bytes.
    taken: usize,
    most: Option<usize>,
}

impl MessageSizes {
    /// Whether the broker takes a body of this size; `None` if that is to be tried.
    pub(crate) fn takes(&self, bytes: usize) -> Option<bool> {
        match self.most {
            Some(most) => Some(bytes <= most),
            None => (bytes <= self.taken).then_some(true),
        }
    }

    /// The largest body that the broker is known to take.
    pub(crate) fn largest(&self) -> usize {
        self.most.unwrap_or(self.taken)
    }

    /// Says that a body of this size is not taken, and what to do.
    pub(crate) fn too_large(&self, what: &str, bytes: usize) -> String {
        let most = self.most.unwrap_or_default();
        format!(
            "{what} has {bytes} bytes, the broker takes at most {most}: send less, or raise the broker's \
             `max_message_size`"
        )
    }

    pub(super) fn set_taken(&mut self, bytes: usize) {
        self.taken = self.taken.max(bytes);
    }

    pub(super) fn set_most(&mut self, bytes: usize) {
        self.most = Some(bytes);
    }

    #[cfg(test)]
    pub(crate) fn known(taken: usize, most: Option<usize>) -> Self {
        MessageSizes { taken, most }
    }

    /// Learns what somebody else knows.
    pub(crate) fn learn(&mut self, other: MessageSizes) {
        self.taken = self.taken.max(other.taken);
        self.most = other.most.or(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_taken_again_and_the_limit_is_final() {
        let mut sizes = MessageSizes::default();
        assert_eq!((sizes.takes(0), sizes.takes(1)), (Some(true), None));
        sizes.set_taken(100);
        assert_eq!((sizes.takes(100), sizes.takes(101)), (Some(true), None));
        let mut limit = MessageSizes::default();
        limit.set_most(1000);
        sizes.learn(limit);
        assert_eq!((sizes.takes(1000), sizes.takes(1001)), (Some(true), Some(false)));
        assert!(sizes.too_large("the request", 1001).contains("1001 bytes, the broker takes at most 1000"));
    }
}
