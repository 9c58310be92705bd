//! Texts as tones: one note for each word, the longer the word the longer the note.

use super::super::usage::hash;

/// Samples a second, as speech providers deliver it.
pub(in super::super) const RATE: u32 = 24_000;

/// Notes are measured in steps of 24 milliseconds, the length of one MP3 frame.
const STEP_SAMPLES: u32 = RATE / 1_000 * 24;

/// No text sounds longer than this, in steps: two minutes.
const LONGEST: usize = 5_000;

/// One note, or silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Note {
    /// The pitch, as the number of a frequency band of MP3; 0 is silence.
    pub(super) band: u8,
    pub(super) steps: usize,
}

/// The notes for a text: the voice sets the range, the word the pitch in it.
pub(in super::super) fn melody(text: &str, voice: &str, speed: f64) -> Vec<Note> {
    let lowest = 8 + hash(&[voice]).to_le_bytes()[0] % 4;
    let mut notes = Vec::new();
    let mut total = 0;
    for word in text.split_whitespace() {
        let band = lowest + hash(&[word]).to_le_bytes()[0] % 6;
        let letters = word.chars().count().min(20);
        // Three steps for each letter at normal speed, found by counting up to them.
        let steps = (1..=240).find(|steps| f64::from(*steps) * speed >= 3.0 * short(letters));
        let steps = usize::try_from(steps.unwrap_or(240)).unwrap_or(240);
        total += steps + 2;
        if total > LONGEST {
            break;
        }
        notes.push(Note { band, steps });
        notes.push(Note { band: 0, steps: 2 });
    }
    if notes.is_empty() {
        notes.push(Note { band: 0, steps: 4 });
    }
    notes
}

fn short(number: usize) -> f64 {
    f64::from(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The notes as 16-bit samples at 24 kHz, lowest byte first.
pub(in super::super) fn pcm(notes: &[Note]) -> Vec<u8> {
    let mut sound = Vec::new();
    for note in notes {
        let length = STEP_SAMPLES * u32::try_from(note.steps).unwrap_or(0);
        // Band n lies around (n + 1/2) times 41 2/3 Hz.
        let hertz = (u64::from(note.band) * 2 + 1) * 125 / 6;
        let step = u32::try_from((hertz << 32) / u64::from(RATE)).unwrap_or(0);
        let mut phase = 0_u32;
        for at in 0..length {
            let sample = if note.band == 0 {
                0
            } else {
                wave(phase) * edge(at, length) / 1_024
            };
            sound.extend_from_slice(&i16::try_from(sample).unwrap_or(0).to_le_bytes());
            phase = phase.wrapping_add(step);
        }
    }
    sound
}

/// A triangle, a quarter as loud as can be.
fn wave(phase: u32) -> i32 {
    let at = i32::from(u16::try_from(phase >> 16).unwrap_or(0));
    let rising = if at < 32_768 {
        2 * at - 32_768
    } else {
        98_304 - 2 * at
    };
    rising / 4
}

/// Notes begin and end softly, or they would click.
fn edge(at: u32, length: u32) -> i32 {
    i32::try_from(at.min(length - at).min(512) * 2).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_texts_sound_longer_and_speed_shortens_them() {
        let length = |text: &str, speed| pcm(&melody(text, "alloy", speed)).len();
        assert!(length("one two three four", 1.0) > length("one two", 1.0));
        assert!(length("one two three four", 2.0) < length("one two three four", 1.0));
        assert!(length(&"word ".repeat(10_000), 1.0) <= LONGEST * 576 * 2);
        assert!(length("", 1.0) > 0);
    }

    #[test]
    fn the_sound_is_heard_and_not_too_loud() {
        let sound = pcm(&melody("hello", "alloy", 1.0));
        let samples = sound
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        let loudest = samples.map(i16::unsigned_abs).max().unwrap_or(0);
        assert!((4_000..=8_192).contains(&loudest), "{loudest}");
    }
}
