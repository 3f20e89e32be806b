//! The texts that are being written: which preview belongs to which finished text. A finished text
//! comes in a line of its own, which names its message and not its place in it.

/// Texts of one reply that are being written; further ones are shown when finished.
pub(super) const MAX_DRAFTS: usize = 64;

struct Draft {
    message_id: String,
    index: u64,
    block: u64,
}

/// Hands out block numbers, each once.
#[derive(Default)]
pub(super) struct Drafts {
    open: Vec<Draft>,
    message_id: String,
    last_block: u64,
}

impl Drafts {
    /// From here on texts are of this message.
    pub(super) fn begin_message(&mut self, id: String) {
        self.message_id = id;
    }

    /// The draft at this place of the message that is being written, begun if need be; `None` at
    /// the limit.
    pub(super) fn at(&mut self, index: u64) -> Option<u64> {
        let known = self
            .open
            .iter()
            .find(|draft| draft.index == index && draft.message_id == self.message_id);
        if let Some(draft) = known {
            return Some(draft.block);
        }
        if self.open.len() >= MAX_DRAFTS {
            return None;
        }
        let block = self.new_block();
        self.open.push(Draft {
            message_id: self.message_id.clone(),
            index,
            block,
        });
        Some(block)
    }

    /// The number of the next finished text of a message: they are finished in the order they were
    /// begun. One that was never previewed (it was asked for again, without streaming) gets its
    /// own.
    pub(super) fn finish(&mut self, message_id: &str) -> u64 {
        let place = self
            .open
            .iter()
            .position(|draft| draft.message_id == message_id);
        match place {
            Some(place) => self.open.remove(place).block,
            None => self.new_block(),
        }
    }

    /// Gives up all that were not finished.
    pub(super) fn drop_all(&mut self) -> impl Iterator<Item = u64> {
        self.open.drain(..).map(|draft| draft.block)
    }

    /// How many are not finished.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn new_block(&mut self) -> u64 {
        self.last_block = self.last_block.wrapping_add(1);
        self.last_block
    }
}
