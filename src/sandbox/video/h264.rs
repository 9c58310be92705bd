//! Pictures as H.264, each on its own and uncompressed: players know that form, and it needs no arithmetic.

use super::super::bits::Bits;

/// What a picture of a film looks like.
pub(super) struct Picture<'a> {
    /// The size, in units of 16 points.
    pub(super) columns: u32,
    pub(super) rows: u32,
    /// The brightness at a point, both coordinates from 0 to 255.
    pub(super) luma: &'a dyn Fn(u32, u32) -> u8,
    /// The colour, the same all over.
    pub(super) chroma: [u8; 2],
    /// The place of the picture in the film.
    pub(super) number: u32,
}

/// What a decoder must know before the first picture.
pub(super) struct Parameters {
    pub(super) sequence: Vec<u8>,
    pub(super) picture: Vec<u8>,
}

/// The parameters of a film of this size, in units of 16 points.
pub(super) fn parameters(columns: u32, rows: u32) -> Parameters {
    let mut sequence = Bits::default();
    // Constrained baseline profile, level 3.
    sequence.bytes(&[0x67, 66, 0xc0, 30]);
    // Set 0; picture numbers of four bits; pictures in the order they come; none to refer to.
    for number in [0, 0, 2, 0] {
        sequence.golomb(number);
    }
    sequence.put(0, 1);
    sequence.golomb(columns - 1);
    sequence.golomb(rows - 1);
    // Whole frames, and nothing cut off; then the bit that ends every unit.
    sequence.put(0b1100, 4);
    sequence.put(1, 1);
    let mut picture = Bits::default();
    picture.bytes(&[0x68]);
    picture.golomb(0);
    picture.golomb(0);
    picture.put(0, 2);
    for _ in 0..3 {
        picture.golomb(0);
    }
    picture.put(0, 3);
    for _ in 0..3 {
        picture.golomb(0);
    }
    // The slices say themselves that their edges are not to be smoothed.
    picture.put(0b100, 3);
    picture.put(1, 1);
    Parameters {
        sequence: sequence.finish(),
        picture: picture.finish(),
    }
}

/// One picture that needs no other, as a unit ready for a container.
pub(super) fn picture(picture: &Picture) -> Vec<u8> {
    let mut bits = Bits::default();
    // The first block, slices of intra blocks only, parameter set 0, picture number 0.
    for number in [0, 7, 0] {
        bits.golomb(number);
    }
    bits.put(0, 4);
    // Two such pictures in a row must differ in this number.
    bits.golomb(picture.number % 2);
    bits.put(0, 2);
    bits.golomb(0);
    bits.golomb(1);
    for row in 0..picture.rows {
        for column in 0..picture.columns {
            block(&mut bits, picture, column, row);
        }
    }
    bits.put(1, 1);
    let mut unit = vec![0x65];
    unit.extend_from_slice(&escaped(&bits.finish()));
    unit
}

/// A block of 16 by 16 points, sample by sample.
fn block(bits: &mut Bits, picture: &Picture, column: u32, row: u32) {
    bits.golomb(25);
    bits.align();
    let mut samples = Vec::with_capacity(384);
    let (width, height) = (picture.columns * 16, picture.rows * 16);
    for y in row * 16..row * 16 + 16 {
        for x in column * 16..column * 16 + 16 {
            let luma = (picture.luma)(x * 255 / width, y * 255 / height);
            samples.push(luma.clamp(16, 235));
        }
    }
    for colour in picture.chroma {
        samples.extend([colour.clamp(64, 192); 64]);
    }
    bits.bytes(&samples);
}

/// The bytes with a 3 put in wherever they would look like the start of a unit.
fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len() + 16);
    let mut zeros = 0;
    for byte in bytes {
        if zeros == 2 && *byte <= 3 {
            escaped.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        escaped.push(*byte);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_looks_like_a_start() {
        assert_eq!(escaped(&[0, 0, 1]), [0, 0, 3, 1]);
        assert_eq!(escaped(&[0, 0, 0, 0]), [0, 0, 3, 0, 0]);
        assert_eq!(escaped(&[0, 0, 4, 0, 1]), [0, 0, 4, 0, 1]);
    }
}
