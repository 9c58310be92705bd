//! Small pictures, drawn and written here: a PNG needs little more than two checksums.

use super::usage::hash;

/// The longer side of every picture.
const LONGER: u32 = 256;

/// The largest block deflate can store without compressing it.
const BLOCK: usize = 65_535;

/// The size of a picture of this shape, such as `16:9`; square for what is no shape.
pub(super) fn size(ratio: &str) -> (u32, u32) {
    let side = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|side| (0.1..1e5).contains(side))
    };
    let parts = ratio.split_once([':', 'x']);
    let Some((across, down)) = parts.and_then(|(across, down)| side(across).zip(side(down))) else {
        return (LONGER, LONGER);
    };
    (scaled(across / down), scaled(down / across))
}

/// A side in proportion to the longer one, by counting: there are only so many sizes.
fn scaled(share: f64) -> u32 {
    let wanted = share.min(1.0) * f64::from(LONGER);
    (8..=LONGER)
        .find(|side| f64::from(*side) + 0.5 > wanted)
        .unwrap_or(LONGER)
}

/// A picture that only this prompt has: two colours that run into each other, and rings on them.
pub(super) fn picture(prompt: &str, nth: u64, width: u32, height: u32) -> Vec<u8> {
    let seed = hash(&[prompt, &nth.to_string()]);
    let mut rows = Vec::new();
    for y in 0..height {
        // Each row begins with the filter it went through: none.
        rows.push(0);
        rows.extend((0..width).map(|x| colour(seed, x * 255 / width, y * 255 / height)));
    }
    let palette: Vec<u8> = (0..=u8::MAX).flat_map(|index| shade(seed, index)).collect();
    encode(width, height, &palette, &rows)
}

/// The same colours and the same rings as a drawing.
pub(super) fn vector(prompt: &str, nth: u64, width: u32, height: u32) -> String {
    let seed = hash(&[prompt, &nth.to_string()]);
    let [.., x, y] = seed.to_le_bytes();
    let ink = |index| {
        let [red, green, blue] = shade(seed, index);
        format!("#{red:02x}{green:02x}{blue:02x}")
    };
    let (from, to, ring) = (ink(0), ink(254), ink(127));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="{from}"/><stop offset="1" stop-color="{to}"/></linearGradient></defs>
<rect width="{width}" height="{height}" fill="url(#g)"/>
<g fill="none" stroke="{ring}" stroke-width="8"><circle cx="{x}" cy="{y}" r="32"/><circle cx="{x}" cy="{y}" r="72"/></g>
</svg>
"#
    )
}

/// The palette entry of a point, both coordinates from 0 to 255: how far it is from one corner to
/// the other, and in the last bit whether it lies on a ring.
fn colour(seed: u64, x: u32, y: u32) -> u8 {
    let [.., centre_x, centre_y] = seed.to_le_bytes();
    let (dx, dy) = (x.abs_diff(centre_x.into()), y.abs_diff(centre_y.into()));
    let ring = (dx * dx + dy * dy) / 1_024 % 2;
    u8::try_from((x + y) / 4 * 2 + ring).unwrap_or(u8::MAX)
}

fn shade(seed: u64, index: u8) -> [u8; 3] {
    let [r1, g1, b1, r2, g2, b2, ..] = seed.to_le_bytes();
    let (share, ring) = (u16::from(index & !1), index & 1 == 1);
    [(r1, r2), (g1, g2), (b1, b2)].map(|(from, to)| {
        let mixed = (u16::from(from) * (255 - share) + u16::from(to) * share) / 255;
        let lit = if ring { mixed / 2 + 127 } else { mixed };
        u8::try_from(lit).unwrap_or(u8::MAX)
    })
}

fn encode(width: u32, height: u32, palette: &[u8], rows: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    // Eight bits a point, which name an entry of the palette, and the only methods there are.
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"PLTE", palette);
    chunk(&mut file, *b"IDAT", &stored(rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    file.extend_from_slice(&length.to_be_bytes());
    let start = file.len();
    file.extend_from_slice(&kind);
    file.extend_from_slice(data);
    let sum = crc(&file[start..]);
    file.extend_from_slice(&sum.to_be_bytes());
}

/// The data in zlib's format, stored as it is.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = data.chunks(BLOCK);
    let last = blocks.len().saturating_sub(1);
    for (index, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(index == last));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&adler(data).to_be_bytes());
    out
}

fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 {
                (sum >> 1) ^ 0xedb8_8320
            } else {
                sum >> 1
            };
        }
        sum
    })
}

fn adler(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn shapes_become_sizes() {
        assert_eq!(size("1:1"), (256, 256));
        assert_eq!(size("16:9"), (256, 144));
        assert_eq!(size("9:16"), (144, 256));
        assert_eq!(size("1024x512"), (256, 128));
        assert_eq!(size("8:1"), (256, 32));
        assert_eq!(size("auto"), (256, 256));
        assert_eq!(size("0:0"), (256, 256));
    }

    #[test]
    fn pictures_are_pngs_and_differ_by_prompt() {
        let cat = picture("a cat", 0, 64, 36);
        assert_eq!(
            infer::get(&cat).map(|kind| kind.mime_type()),
            Some("image/png")
        );
        assert_eq!(cat[16..24], [0, 0, 0, 64, 0, 0, 0, 36]);
        assert_eq!(cat, picture("a cat", 0, 64, 36));
        assert_ne!(cat, picture("a cat", 1, 64, 36));
        assert_ne!(cat, picture("a dog", 0, 64, 36));
    }
}
