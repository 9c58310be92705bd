//! Finds out what a file is: by its first bytes, its stated type, its name.

/// What a file is to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Read as text and joined to the prompt.
    Text,
    /// A picture.
    Image,
    /// PDF and office files, which upstream or the model reads.
    Document,
    /// Sound.
    Audio,
    /// Film.
    Video,
}

/// The kind, type and ending of a file: by its first bytes, then by its stated type, then by its
/// name, then as text if it reads as text.
pub(super) fn recognised(
    bytes: &[u8],
    mime_type: Option<&str>,
    name: Option<&str>,
) -> Option<(Kind, String, String)> {
    let owned =
        |(kind, mime, extension): (Kind, &str, &str)| (kind, mime.to_owned(), extension.to_owned());
    let stated = || {
        mime_type
            .and_then(by_mime)
            .or_else(|| name.and_then(by_name))
    };
    let reads_as_text = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    if let Some(found) = infer::get(bytes) {
        let by_magic = by_mime(found.mime_type());
        // Some signatures are two letters long: a text may begin with BM, GIF or ID3 too, but no
        // picture, sound or film reads as text.
        let by_magic = by_magic.filter(|(kind, ..)| {
            !reads_as_text || !matches!(kind, Kind::Image | Kind::Audio | Kind::Video)
        });
        // A container says less than a stated type: M4A is found as MP4, DOCX may be found as ZIP.
        let holds: &[Kind] = match found.mime_type() {
            "video/mp4" | "video/webm" | "application/ogg" => &[Kind::Audio, Kind::Video],
            "application/zip" => &[Kind::Document],
            _ => &[],
        };
        match (by_magic, stated()) {
            (_, Some(stated)) if holds.contains(&stated.0) => return Some(owned(stated)),
            (Some(magic), _) => return Some(owned(magic)),
            // A packed file under the name of a text would be sent as rubbish.
            (None, Some((Kind::Text, ..))) if !reads_as_text && !holds.is_empty() => return None,
            (None, Some(stated)) => return Some(owned(stated)),
            (None, None) => {}
        }
    }
    if let Some(stated) = stated() {
        return Some(owned(stated));
    }
    reads_as_text.then(|| owned((Kind::Text, "text/plain", "txt")))
}

/// Every type that is known by name: kind, MIME type, endings.
const TYPES: &[(Kind, &str, &[&str])] = &[
    (Kind::Image, "image/png", &["png"]),
    (Kind::Image, "image/jpeg", &["jpg", "jpeg"]),
    (Kind::Image, "image/webp", &["webp"]),
    (Kind::Image, "image/gif", &["gif"]),
    (Kind::Image, "image/bmp", &["bmp"]),
    (Kind::Image, "image/tiff", &["tiff", "tif"]),
    (Kind::Image, "image/heic", &["heic", "heif"]),
    (Kind::Image, "image/avif", &["avif"]),
    (Kind::Image, "image/svg+xml", &["svg"]),
    (Kind::Document, "application/pdf", &["pdf"]),
    (
        Kind::Document,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        &["docx"],
    ),
    (
        Kind::Document,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        &["xlsx"],
    ),
    (
        Kind::Document,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        &["pptx"],
    ),
    (Kind::Document, "application/msword", &["doc"]),
    (Kind::Document, "application/vnd.ms-excel", &["xls"]),
    (Kind::Document, "application/vnd.ms-powerpoint", &["ppt"]),
    (
        Kind::Document,
        "application/vnd.oasis.opendocument.text",
        &["odt"],
    ),
    (Kind::Document, "application/rtf", &["rtf"]),
    (Kind::Document, "application/epub+zip", &["epub"]),
    (Kind::Audio, "audio/mpeg", &["mp3"]),
    (Kind::Audio, "audio/wav", &["wav"]),
    (Kind::Audio, "audio/flac", &["flac"]),
    (Kind::Audio, "audio/mp4", &["m4a"]),
    (Kind::Audio, "audio/ogg", &["ogg", "oga", "opus"]),
    (Kind::Audio, "audio/aac", &["aac"]),
    (Kind::Audio, "audio/aiff", &["aiff", "aif"]),
    (Kind::Audio, "audio/webm", &["weba"]),
    (Kind::Video, "video/mp4", &["mp4"]),
    (Kind::Video, "video/quicktime", &["mov"]),
    (Kind::Video, "video/webm", &["webm"]),
    (Kind::Video, "video/mpeg", &["mpeg", "mpg"]),
    (Kind::Text, "text/plain", &["txt", "log", "text"]),
    (Kind::Text, "text/markdown", &["md", "markdown"]),
    (Kind::Text, "text/csv", &["csv"]),
    (Kind::Text, "text/tab-separated-values", &["tsv"]),
    (Kind::Text, "text/html", &["html", "htm"]),
    (Kind::Text, "text/xml", &["xml"]),
    (Kind::Text, "application/json", &["json", "jsonl", "ndjson"]),
    (Kind::Text, "application/yaml", &["yaml", "yml"]),
    (Kind::Text, "message/rfc822", &["eml"]),
    (Kind::Text, "text/calendar", &["ics"]),
    (Kind::Text, "text/javascript", &["js", "ts"]),
    (
        Kind::Text,
        "text/x-script",
        &[
            "py", "rs", "cs", "java", "sql", "sh", "ps1", "toml", "ini", "css",
        ],
    ),
];

/// Other names of types in [`TYPES`].
const ALIASES: &[(&str, &str)] = &[
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-flac", "audio/flac"),
    ("audio/m4a", "audio/mp4"),
    ("audio/x-m4a", "audio/mp4"),
    ("audio/x-aac", "audio/aac"),
    ("audio/x-aiff", "audio/aiff"),
    ("application/ogg", "audio/ogg"),
    ("audio/opus", "audio/ogg"),
    ("image/jpg", "image/jpeg"),
    ("image/heif", "image/heic"),
    ("text/rtf", "application/rtf"),
    ("application/xml", "text/xml"),
    ("application/csv", "text/csv"),
    ("application/x-yaml", "application/yaml"),
    ("text/json", "application/json"),
];

pub(super) fn by_mime(mime: &str) -> Option<(Kind, &'static str, &'static str)> {
    let bare = mime
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let bare = ALIASES
        .iter()
        .find(|(alias, _)| *alias == bare)
        .map_or(bare.as_str(), |(_, name)| name);
    let known = TYPES.iter().find(|(_, name, _)| *name == bare);
    known
        .map(|(kind, name, endings)| (*kind, *name, endings[0]))
        .or_else(|| {
            // Any other text reads as text; anything else is unknown.
            (bare.starts_with("text/") || bare.ends_with("+json") || bare.ends_with("+xml"))
                .then_some((Kind::Text, "text/plain", "txt"))
        })
}

pub(super) fn by_name(name: &str) -> Option<(Kind, &'static str, &'static str)> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    TYPES.iter().find_map(|(kind, mime, endings)| {
        let ending = endings.iter().find(|known| **known == ending)?;
        Some((*kind, *mime, *ending))
    })
}
