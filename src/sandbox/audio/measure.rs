//! How long a recording is: exact for WAV, counted in frames for MP3, guessed for the rest.

use super::super::usage::{count, float};

/// The length in seconds, to the hundredth.
pub(in super::super) fn seconds(sound: &[u8], format: &str) -> f64 {
    let exact = wav(sound).or_else(|| mp3(sound));
    let seconds = exact.unwrap_or_else(|| {
        let bytes_per_second = match format {
            "pcm" | "pcm16" => 48_000.0,
            "flac" | "aiff" => 80_000.0,
            // What speech is usually compressed to.
            _ => 8_000.0,
        };
        float(count(sound.len())) / bytes_per_second
    });
    (seconds * 100.0).round() / 100.0
}

/// What listening counts as, in tokens: ten a second.
pub(super) fn tokens(seconds: f64) -> u64 {
    (0..36_000)
        .find(|tokens| float(*tokens) >= seconds * 10.0)
        .unwrap_or(36_000)
}

fn wav(sound: &[u8]) -> Option<f64> {
    if sound.get(..4)? != b"RIFF" || sound.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut rest = &sound[12..];
    let mut rate = None;
    while rest.len() >= 8 {
        let (head, body) = rest.split_at(8);
        let size = u32::from_le_bytes(head[4..8].try_into().ok()?);
        // Recorders that were cut off leave a size that is too large, or none.
        let size = usize::try_from(size).ok()?.min(body.len());
        match &head[..4] {
            b"fmt " => rate = Some(u32::from_le_bytes(body.get(8..12)?.try_into().ok()?)),
            b"data" => return Some(float(count(size)) / f64::from(rate.filter(|rate| *rate > 0)?)),
            _ => {}
        }
        // Chunks begin at even places.
        rest = body.get(size + size % 2..)?;
    }
    None
}

fn mp3(sound: &[u8]) -> Option<f64> {
    let mut rest = sound;
    if rest.starts_with(b"ID3") {
        let size = rest
            .get(6..10)?
            .iter()
            .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        rest = rest.get(10 + size..)?;
    }
    let mut seconds = 0.0;
    while let Some((length, duration)) = rest.get(..4).and_then(mp3_frame) {
        seconds += duration;
        rest = rest.get(length..).unwrap_or_default();
    }
    (seconds > 0.0).then_some(seconds)
}

/// The size and duration of an MP3 frame, from its header.
fn mp3_frame(header: &[u8]) -> Option<(usize, f64)> {
    const NEW: [u32; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const OLD: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    let [0xff, flags, third, _] = *header else {
        return None;
    };
    // Eleven set bits begin a frame, and layer III is the only one met here.
    if flags & 0xe6 != 0xe2 {
        return None;
    }
    let (table, samples, halved) = match flags >> 3 & 3 {
        3 => (NEW, 1_152, 0),
        2 => (OLD, 576, 1),
        0 => (OLD, 576, 2),
        _ => return None,
    };
    let bitrate = *table
        .get(usize::from(third >> 4))
        .filter(|rate| **rate > 0)?;
    let rate = RATES.get(usize::from(third >> 2 & 3))? >> halved;
    let padding = u32::from(third >> 1 & 1);
    let length = samples / 8 * bitrate * 1_000 / rate + padding;
    Some((
        usize::try_from(length).ok()?,
        f64::from(samples) / f64::from(rate),
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A WAV of silence: 16-bit, 8 kHz, one channel.
    pub(in super::super) fn silence(samples: u32) -> Vec<u8> {
        let data = samples * 2;
        let mut file = b"RIFF".to_vec();
        file.extend_from_slice(&(36 + data).to_le_bytes());
        file.extend_from_slice(b"WAVEfmt ");
        file.extend_from_slice(&[16, 0, 0, 0, 1, 0, 1, 0]);
        file.extend_from_slice(&8_000_u32.to_le_bytes());
        file.extend_from_slice(&16_000_u32.to_le_bytes());
        file.extend_from_slice(&[2, 0, 16, 0]);
        file.extend_from_slice(b"data");
        file.extend_from_slice(&data.to_le_bytes());
        file.resize(file.len() + usize::try_from(data).expect("small"), 0);
        file
    }

    #[test]
    fn recordings_are_measured() {
        for (sound, format, expected) in [
            (silence(20_000), "wav", 2.5),
            // What it is counts for more than what it is called.
            (silence(8_000), "mp3", 1.0),
            (vec![0; 96_000], "pcm16", 2.0),
            (vec![0; 16_000], "ogg", 2.0),
            (Vec::new(), "wav", 0.0),
            (b"RIFF\xff\xff\xff\xffWAVEdata".to_vec(), "ogg", 0.0),
        ] {
            let measured = seconds(&sound, format);
            assert!(
                (measured - expected).abs() < 1e-9,
                "{format}: {measured}, not {expected}"
            );
        }
    }

    #[test]
    fn frames_have_the_usual_lengths() {
        assert_eq!(
            mp3_frame(&[0xff, 0xfb, 0x90, 0x00]).map(|frame| frame.0),
            Some(417)
        );
        assert_eq!(
            mp3_frame(&[0xff, 0xfb, 0x92, 0x00]).map(|frame| frame.0),
            Some(418)
        );
        assert_eq!(
            mp3_frame(&[0xff, 0xfb, 0x14, 0xc0]).map(|frame| frame.0),
            Some(96)
        );
        assert_eq!(mp3_frame(&[0xff, 0xfb, 0xf0, 0x00]), None);
        assert_eq!(mp3_frame(b"text"), None);
    }
}
