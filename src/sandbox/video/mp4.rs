//! A film as an MP4 file: two pictures a second, one track, no sound.

use super::h264::{self, Parameters, Picture};

/// Pictures a second.
const PER_SECOND: u64 = 2;

/// Time is counted in thousandths of a second.
const TIMESCALE: u32 = 1_000;

/// A film of this length; its sides are halved and rounded to units of 16 points.
pub(super) fn film(seed: u64, width: u32, height: u32, seconds: u64) -> Vec<u8> {
    let units = |side: u32| (side / 2).div_ceil(16).max(1);
    let (columns, rows) = (units(width), units(height));
    let [.., blue, red] = seed.to_le_bytes();
    let total = u32::try_from((seconds * PER_SECOND).clamp(1, 120)).unwrap_or(1);
    let frames: Vec<Vec<u8>> = (0..total)
        .map(|number| {
            let luma = |x, y| brightness(seed, x, y, number);
            let picture = Picture {
                columns,
                rows,
                luma: &luma,
                chroma: [blue, red],
                number,
            };
            let unit = h264::picture(&picture);
            let mut frame = size(&unit).to_be_bytes().to_vec();
            frame.extend(unit);
            frame
        })
        .collect();
    let parameters = h264::parameters(columns, rows);
    let start = boxed(*b"ftyp", &[b"isom", &[0, 0, 2, 0], b"isomiso2avc1mp41"]);
    // Where the pictures begin depends on the length of what stands before them, which is fixed.
    let draft = movie(columns, rows, &frames, &parameters, 0);
    let offset = size(&start) + size(&draft) + 8;
    let movie = movie(columns, rows, &frames, &parameters, offset);
    let pictures: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    [start, movie, boxed(*b"mdat", &pictures)].concat()
}

/// The brightness of a point: stripes that wander over the picture.
fn brightness(seed: u64, x: u32, y: u32, number: u32) -> u8 {
    let [across, down, ..] = seed.to_le_bytes();
    let slope = x * (1 + u32::from(across) % 4) + y * (1 + u32::from(down) % 4) + number * 24;
    let wave = slope % 256;
    u8::try_from(if wave < 128 { wave * 2 } else { 511 - wave * 2 }).unwrap_or(u8::MAX)
}

fn movie(
    columns: u32,
    rows: u32,
    frames: &[Vec<u8>],
    parameters: &Parameters,
    offset: u32,
) -> Vec<u8> {
    let number = u32::try_from(frames.len()).unwrap_or(1);
    let frame_time = TIMESCALE / u32::try_from(PER_SECOND).unwrap_or(1);
    let duration = number * frame_time;
    let (width, height) = (columns * 16, rows * 16);
    let header = full(
        *b"mvhd",
        0,
        &[
            &words(&[0, 0, TIMESCALE, duration, 0x1_0000]),
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &matrix(),
            &[0; 24],
            &words(&[2]),
        ],
    );
    // The flags say that the track is on, part of the film and of its preview.
    let track_header = full(
        *b"tkhd",
        7,
        &[
            &words(&[0, 0, 1, 0, duration]),
            &[0; 16],
            &matrix(),
            &words(&[width << 16, height << 16]),
        ],
    );
    // 0x55c4 is "und": the language is not determined.
    let media_header = full(
        *b"mdhd",
        0,
        &[&words(&[0, 0, TIMESCALE, duration]), &[0x55, 0xc4, 0, 0]],
    );
    let handler = full(*b"hdlr", 0, &[&[0; 4], b"vide", &[0; 12], b"Sandbox\0"]);
    let here = full(*b"url ", 1, &[]);
    let information = boxed(
        *b"minf",
        &[
            &full(*b"vmhd", 1, &[&[0; 8]]),
            &boxed(*b"dinf", &[&full(*b"dref", 0, &[&words(&[1]), &here])]),
            &samples(width, height, frames, parameters, frame_time, offset),
        ],
    );
    let media = boxed(*b"mdia", &[&media_header, &handler, &information]);
    boxed(
        *b"moov",
        &[&header, &boxed(*b"trak", &[&track_header, &media])],
    )
}

/// The tables of the track: what its samples are, how long, how large and where.
fn samples(
    width: u32,
    height: u32,
    frames: &[Vec<u8>],
    parameters: &Parameters,
    frame_time: u32,
    offset: u32,
) -> Vec<u8> {
    let number = u32::try_from(frames.len()).unwrap_or(1);
    let short = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes();
    let configuration = boxed(
        *b"avcC",
        &[
            &[1, 66, 0xc0, 30, 0xff, 0xe1],
            &short(size(&parameters.sequence)),
            &parameters.sequence,
            &[1],
            &short(size(&parameters.picture)),
            &parameters.picture,
        ],
    );
    let entry = boxed(
        *b"avc1",
        &[
            // Reserved, and the first source of data.
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &short(width),
            &short(height),
            // 72 points an inch, one picture a sample, no name, 24 bits.
            &words(&[0x48_0000, 0x48_0000, 0]),
            &[0, 1],
            &[0; 32],
            &[0, 24, 0xff, 0xff],
            &configuration,
        ],
    );
    let sizes: Vec<u32> = frames.iter().map(|frame| size(frame)).collect();
    boxed(
        *b"stbl",
        &[
            &full(*b"stsd", 0, &[&words(&[1]), &entry]),
            &full(*b"stts", 0, &[&words(&[1, number, frame_time])]),
            &full(*b"stsc", 0, &[&words(&[1, 1, number, 1])]),
            &full(*b"stsz", 0, &[&words(&[0, number]), &words(&sizes)]),
            &full(*b"stco", 0, &[&words(&[1, offset])]),
        ],
    )
}

/// The matrix that leaves a picture as it is.
fn matrix() -> Vec<u8> {
    words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000])
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// A box: its length, its name and what is in it.
fn boxed(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [
        (size(&content) + 8).to_be_bytes().as_slice(),
        &name,
        &content,
    ]
    .concat()
}

/// A box with a version, always 0 here, and flags.
fn full(name: [u8; 4], flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    boxed(name, &[&flags.to_be_bytes(), &content])
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_follow_each_other_to_the_end() {
        let film = film(7, 256, 144, 4);
        assert_eq!(
            infer::get(&film).map(|kind| kind.mime_type()),
            Some("video/mp4")
        );
        let mut names = Vec::new();
        let mut rest = film.as_slice();
        while rest.len() >= 8 {
            let length = u32::from_be_bytes(rest[..4].try_into().expect("four bytes"));
            names.push(String::from_utf8_lossy(&rest[4..8]).into_owned());
            rest = &rest[usize::try_from(length).expect("small")..];
        }
        assert_eq!(names, ["ftyp", "moov", "mdat"]);
        assert!(rest.is_empty());
    }

    #[test]
    fn the_first_picture_is_where_the_table_says() {
        let film = film(7, 256, 144, 2);
        let table = film
            .windows(4)
            .position(|name| name == b"stco")
            .expect("a table");
        let offset =
            u32::from_be_bytes(film[table + 12..table + 16].try_into().expect("four bytes"));
        let first = &film[usize::try_from(offset).expect("small")..];
        assert_eq!(first[4], 0x65, "an intra picture begins here");
    }
}
