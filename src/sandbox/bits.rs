//! Writes numbers bit by bit, as sound and film formats want them.

/// A string of bits, the first one highest in the first byte.
#[derive(Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are taken; 0 when it is full.
    taken: u8,
}

impl Bits {
    /// Adds the lowest `width` bits of a number.
    pub(super) fn put(&mut self, number: u32, width: u8) {
        for place in (0..width).rev() {
            if self.taken == 0 {
                self.bytes.push(0);
            }
            if number >> place & 1 == 1
                && let Some(last) = self.bytes.last_mut()
            {
                *last |= 0x80 >> self.taken;
            }
            self.taken = (self.taken + 1) % 8;
        }
    }

    /// Adds a number in the exponential-Golomb code of H.264.
    pub(super) fn golomb(&mut self, number: u32) {
        let coded = number + 1;
        let width = u8::try_from(u32::BITS - coded.leading_zeros()).unwrap_or(32);
        self.put(0, width - 1);
        self.put(coded, width);
    }

    /// Fills the last byte up with zeros.
    pub(super) fn align(&mut self) {
        self.taken = 0;
    }

    /// Adds whole bytes; the bits before them must be aligned.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn bits_follow_each_other() {
        let mut bits = Bits::default();
        bits.put(0b101, 3);
        bits.put(0b1_1111, 5);
        bits.put(1, 1);
        bits.align();
        bits.bytes(&[7]);
        assert_eq!(bits.finish(), [0b1011_1111, 0b1000_0000, 7]);
    }

    #[test]
    fn numbers_are_coded_as_in_the_table_of_the_standard() {
        let mut bits = Bits::default();
        for number in [0, 1, 2, 3, 7] {
            bits.golomb(number);
        }
        // 1 010 011 00100 0001000
        assert_eq!(bits.finish(), [0b1010_0110, 0b0100_0001, 0b0000_0000]);
    }
}
