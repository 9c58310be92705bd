//! Tones as a playable MP3: each granule has a single frequency line, and the rest is silence.

use super::super::bits::Bits;
use super::tones::Note;

/// MPEG-1 Layer III, 32 kbit/s, 48 kHz, one channel: frames of 96 bytes and 24 milliseconds.
const HEADER: [u8; 4] = [0xff, 0xfb, 0x14, 0xc0];
const FRAME: usize = 96;

/// How loud the line is; four steps halve it.
const GAIN: u32 = 198;

/// The notes, one frame for each of their steps.
pub(super) fn encode(notes: &[Note]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut granule = 0;
    for note in notes {
        for _ in 0..note.steps {
            file.extend_from_slice(&frame(note.band, granule));
            granule += 2;
        }
    }
    file
}

fn frame(band: u8, granule: usize) -> Vec<u8> {
    let (pair, second) = (u32::from(band) / 2, band % 2 == 1);
    // Pairs of (0, 0) take one bit each; the one with the line takes two or three, and its sign.
    let length = pair + if second { 4 } else { 3 };
    let silent = band == 0;
    let mut bits = Bits::default();
    bits.bytes(&HEADER);
    // No data from earlier frames, private bits, and scale factors that are not shared.
    bits.put(0, 9 + 5 + 4);
    for _ in 0..2 {
        bits.put(if silent { 0 } else { length }, 12);
        bits.put(if silent { 0 } else { pair + 1 }, 9);
        bits.put(if silent { 0 } else { GAIN }, 8);
        // No scale factors, a long block, Huffman table 1 in all three regions.
        bits.put(0, 4 + 1);
        for _ in 0..3 {
            bits.put(u32::from(!silent), 5);
        }
        // The regions' borders do not matter when all use one table; no flags.
        bits.put(0, 4 + 3 + 1 + 1 + 1);
    }
    if !silent {
        for nth in 0..2 {
            for _ in 0..pair {
                bits.put(1, 1);
            }
            if second {
                bits.put(0b001, 3);
            } else {
                bits.put(0b01, 2);
            }
            bits.put(u32::from(negative(band, granule + nth)), 1);
        }
    }
    let mut bytes = bits.finish();
    bytes.resize(FRAME, 0);
    bytes
}

/// The line's sign, which turns as the phase of a steady tone does from granule to granule.
fn negative(band: u8, granule: usize) -> bool {
    let quarter = granule % 4;
    if band.is_multiple_of(2) {
        quarter == 1 || quarter == 2
    } else {
        quarter >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::seconds;
    use super::super::tones::melody;
    use super::*;

    #[test]
    fn every_step_is_a_frame_that_players_recognise() {
        let file = encode(&melody("Good morning", "nova", 1.0));
        assert_eq!(file.len() % FRAME, 0);
        assert!(file.chunks(FRAME).all(|frame| frame.starts_with(&HEADER)));
        assert_eq!(
            infer::get(&file).map(|kind| kind.mime_type()),
            Some("audio/mpeg")
        );
        let frames = u32::try_from(file.len() / FRAME).expect("small");
        assert!((seconds(&file, "mp3") - f64::from(frames) * 0.024).abs() < 0.006);
    }
}
