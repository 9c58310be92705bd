//! The header that makes raw PCM samples a WAV file.

/// Samples of upstream's PCM: 24,000 a second, 16 bits, one channel.
const RATE: u32 = 24_000;

/// A length that players read as "until the end", for a sound whose length is not known yet.
pub(super) const UNKNOWN_LENGTH: u32 = u32::MAX - 36;

/// The header of a WAV file with `length` bytes of samples, at the rate that `content_type`
/// names, such as `audio/pcm;rate=16000`.
pub(super) fn header(length: u32, content_type: &str) -> Vec<u8> {
    let named = |name: &str| {
        content_type.split(';').skip(1).find_map(|part| {
            part.trim()
                .strip_prefix(name)?
                .strip_prefix('=')?
                .trim()
                .parse::<u32>()
                .ok()
        })
    };
    let rate = named("rate")
        .filter(|rate| (1000..=384_000).contains(rate))
        .unwrap_or(RATE);
    let channels = match named("channels") {
        Some(2) => 2u16,
        _ => 1,
    };
    let frame = channels * 2;
    let mut header = Vec::with_capacity(44);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16u32.to_le_bytes());
    header.extend_from_slice(&1u16.to_le_bytes());
    header.extend_from_slice(&channels.to_le_bytes());
    header.extend_from_slice(&rate.to_le_bytes());
    header.extend_from_slice(&(rate * u32::from(frame)).to_le_bytes());
    header.extend_from_slice(&frame.to_le_bytes());
    header.extend_from_slice(&16u16.to_le_bytes());
    header.extend_from_slice(b"data");
    header.extend_from_slice(&length.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_the_samples_are() {
        let header = header(48_000, "audio/pcm; rate=16000");
        assert_eq!(header.len(), 44);
        assert_eq!(header[24..28], 16_000u32.to_le_bytes());
        assert_eq!(header[28..32], 32_000u32.to_le_bytes());
        assert_eq!(header[40..44], 48_000u32.to_le_bytes());
    }

    #[test]
    fn a_rate_that_is_not_named_is_upstreams_own() {
        for kind in ["", "audio/pcm", "audio/pcm;rate=x", "audio/pcm;rate=0"] {
            assert_eq!(header(0, kind)[24..28], RATE.to_le_bytes(), "{kind}");
        }
    }
}
