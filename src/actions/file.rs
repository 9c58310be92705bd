//! Files in and out: every form in which makers' tools hand one over, and the one in which this
//! connector gives one back.

use data_encoding::{BASE64, Encoding, Specification};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use std::sync::LazyLock;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    endpoint::{Overlay, overlay::Set},
    error::{Error, Result},
    openrouter::{
        chat::{AudioPart, FilePart, Part, Url},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] =
    &[Overlay::property("FileInput", "url", &[Set::Advanced])];

/// Base64 in both alphabets, with or without padding, with or without line breaks.
static LENIENT_BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    );
    specification.translate.from.push_str("-_");
    specification.translate.to.push_str("+/");
    specification.ignore.push_str("= \t\r\n");
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64)
});

/// A file for the model.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct FileInput {
    /// File Name
    ///
    /// The file's name with its ending, such as report.pdf.
    pub name: Option<String>,
    /// MIME Type
    ///
    /// The file's type, such as application/pdf. It is found by itself if left empty.
    pub mime_type: Option<String>,
    /// File Content
    ///
    /// The content of the file, such as the File Content of another action.
    #[schema(value_type = Option<String>, format = Byte)]
    pub content: Option<Value>,
    /// File URL
    ///
    /// The https address of the file, instead of its content. Only the model's provider opens it.
    #[validate(length(max = 16384))]
    #[schema(max_length = 16384)]
    pub url: Option<String>,
}

/// A file of an answer.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FileOutput {
    /// File Name
    ///
    /// The name of the file with its ending.
    pub name: Option<String>,
    /// Extension
    ///
    /// The ending of the file's name, without a dot.
    pub extension: Option<String>,
    /// MIME Type
    ///
    /// The type of the file.
    pub mime_type: Option<String>,
    /// Size
    ///
    /// The size of the file in bytes.
    pub size: Option<i64>,
    /// File Content
    ///
    /// The content of the file.
    #[schema(format = Byte)]
    pub content: Option<String>,
    /// File URL
    ///
    /// An address of the file.
    pub url: Option<String>,
}

/// What a file is to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Image,
    Document,
    Audio,
    Video,
}

/// Where a file went.
#[derive(Debug)]
pub enum Placed {
    /// Into the message.
    Part(Part),
    /// Nowhere, for the reason in the warning.
    LeftOut(String),
}

/// A file whose content is decoded.
#[derive(Debug)]
struct Decoded {
    bytes: Vec<u8>,
    mime_type: Option<String>,
}

impl FileInput {
    /// The file as a part of a message; `path` is its place in the request.
    ///
    /// # Errors
    ///
    /// `400` with the path of the field, if the file cannot be read or its kind is not known.
    pub fn into_part(
        mut self,
        path: &str,
        model: Option<&Model>,
        warnings: &mut Vec<String>,
    ) -> Result<Placed> {
        match (self.content.take(), self.url.take()) {
            (Some(_), Some(_)) => Err(Error::invalid(
                path,
                format!("{path} has both content and url; send one of them."),
            )),
            (None, None) => Err(Error::invalid(
                format!("{path}.content"),
                format!("{path} has neither content nor url."),
            )),
            (Some(content), None) => self.with_content(content, path, model, warnings),
            (None, Some(url)) if url.starts_with("data:") => {
                self.with_content(Value::String(url), path, model, warnings)
            }
            (None, Some(url)) => self.with_url(url, path, model),
        }
    }

    fn with_content(
        self,
        content: Value,
        path: &str,
        model: Option<&Model>,
        warnings: &mut Vec<String>,
    ) -> Result<Placed> {
        let field = format!("{path}.content");
        let decoded = decode(content, &field)?;
        if decoded.bytes.is_empty() {
            return Err(Error::invalid(field.clone(), format!("{field} is an empty file.")));
        }
        let given = decoded.mime_type.or_else(|| self.mime_type.clone());
        let bytes = decoded.bytes;
        let found = recognised(&bytes, given.as_deref(), self.name.as_deref()).ok_or_else(|| {
            Error::invalid(
                field.clone(),
                format!("The kind of {field} is not known; give its mime_type or a name with an ending."),
            )
        })?;
        let (kind, mime, extension) = found;
        let name = self.name.unwrap_or_else(|| format!("file.{extension}"));
        if let Some(warning) = cannot_take(model, kind, &name) {
            return Ok(Placed::LeftOut(warning));
        }
        Ok(Placed::Part(match kind {
            Kind::Text => {
                let text = as_text(&bytes, given.as_deref(), &name, warnings);
                Part::Text { text: format!("{name}:\n\n{text}") }
            }
            Kind::Image => Part::ImageUrl { image_url: Url { url: data_uri(&mime, &bytes) } },
            Kind::Video => Part::VideoUrl { video_url: Url { url: data_uri(&mime, &bytes) } },
            Kind::Document => {
                Part::File { file: FilePart { filename: name, file_data: data_uri(&mime, &bytes) } }
            }
            Kind::Audio => Part::InputAudio {
                input_audio: AudioPart { data: BASE64.encode(&bytes), format: extension },
            },
        }))
    }

    /// A file that stays where it is: this service hands its address on and never opens it.
    fn with_url(self, url: String, path: &str, model: Option<&Model>) -> Result<Placed> {
        let field = format!("{path}.url");
        let parsed = reqwest::Url::parse(&url).ok().filter(|url| url.scheme() == "https");
        let Some(parsed) = parsed else {
            return Err(Error::invalid(
                field.clone(),
                format!("{field} must be an https address or a data: URI."),
            ));
        };
        let last = parsed.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let name = self.name.clone().filter(|name| !name.is_empty());
        let kind = self
            .mime_type
            .as_deref()
            .and_then(by_mime)
            .or_else(|| name.as_deref().and_then(by_name))
            .or_else(|| by_name(last))
            .map(|(kind, ..)| kind);
        let name = name.unwrap_or_else(|| {
            if last.is_empty() { "file".to_owned() } else { last.to_owned() }
        });
        let kind = kind.ok_or_else(|| {
            Error::invalid(
                field.clone(),
                format!("The kind of {field} is not known; give its mime_type, such as image/png."),
            )
        })?;
        if let Some(warning) = cannot_take(model, kind, &name) {
            return Ok(Placed::LeftOut(warning));
        }
        Ok(Placed::Part(match kind {
            Kind::Image => Part::ImageUrl { image_url: Url { url } },
            Kind::Video => Part::VideoUrl { video_url: Url { url } },
            Kind::Document => Part::File { file: FilePart { filename: name, file_data: url } },
            Kind::Text | Kind::Audio => {
                return Err(Error::invalid(
                    field.clone(),
                    format!("{field}: text and audio cannot be handed over as an address; send the content."),
                ));
            }
        }))
    }
}

impl FileOutput {
    /// The file at an address or in a `data:` URI, named `stem` with the fitting ending.
    #[must_use]
    pub fn from_url(url: &str, stem: &str) -> Self {
        if !url.starts_with("data:") {
            let name = reqwest::Url::parse(url)
                .ok()
                .and_then(|url| url.path_segments()?.next_back().map(str::to_owned))
                .filter(|name| !name.is_empty());
            return Self { name, url: Some(url.to_owned()), ..Self::default() };
        }
        match decode(Value::String(url.to_owned()), "") {
            Ok(decoded) => Self::from_bytes(&decoded.bytes, decoded.mime_type.as_deref(), stem),
            Err(_) => Self::default(),
        }
    }

    /// A file of `bytes`, named `stem` with the ending that fits its content.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], mime_type: Option<&str>, stem: &str) -> Self {
        let (mime, extension) = recognised(bytes, mime_type, None).map_or_else(
            || ("application/octet-stream".to_owned(), "bin".to_owned()),
            |(_, mime, extension)| (mime, extension),
        );
        Self {
            name: Some(format!("{stem}.{extension}")),
            extension: Some(extension),
            mime_type: Some(mime),
            size: i64::try_from(bytes.len()).ok(),
            content: Some(BASE64.encode(bytes)),
            url: None,
        }
    }
}

/// Decodes base64, a `data:` URI, or Power Automate's `{"$content-type", "$content"}`.
fn decode(content: Value, field: &str) -> Result<Decoded> {
    let broken = |what: &str| Error::invalid(field, format!("{field} {what}"));
    let (text, mime_type) = match content {
        Value::String(text) => (text, None),
        Value::Object(mut object) => {
            let kind = object.remove("$content-type").and_then(|kind| kind.as_str().map(str::to_owned));
            match object.remove("$content") {
                Some(Value::String(text)) => (text, kind),
                _ => return Err(broken("has no \"$content\".")),
            }
        }
        _ => return Err(broken("must be the content of a file in base64.")),
    };
    let (payload, mime_type) = match text.strip_prefix("data:") {
        None => (text.as_str(), mime_type),
        Some(uri) => {
            let (head, payload) = uri.split_once(',').ok_or_else(|| broken("is a data: URI with no data."))?;
            let (kind, is_base64) = match head.strip_suffix(";base64") {
                Some(kind) => (kind, true),
                None => (head, false),
            };
            let kind = (!kind.is_empty()).then(|| kind.to_owned()).or(mime_type);
            if !is_base64 {
                let bytes = percent_encoding::percent_decode_str(payload).collect();
                return Ok(Decoded { bytes, mime_type: kind.or_else(|| Some("text/plain".to_owned())) });
            }
            (payload, kind)
        }
    };
    let bytes = LENIENT_BASE64
        .decode(payload.as_bytes())
        .map_err(|_| broken("is not base64; use the File Content of another action or base64(...)."))?;
    Ok(Decoded { bytes, mime_type })
}

/// The kind, type and ending of a file: by its first bytes, then by its stated type, then by its
/// name, then as text if it reads as text.
fn recognised(
    bytes: &[u8],
    mime_type: Option<&str>,
    name: Option<&str>,
) -> Option<(Kind, String, String)> {
    let owned = |(kind, mime, extension): (Kind, &str, &str)| {
        (kind, mime.to_owned(), extension.to_owned())
    };
    let stated = || mime_type.and_then(by_mime).or_else(|| name.and_then(by_name));
    if let Some(found) = infer::get(bytes) {
        // A container says less than a stated type: M4A is found as MP4, DOCX may be found as ZIP.
        let by_magic = by_mime(found.mime_type());
        let container = matches!(found.mime_type(), "video/mp4" | "application/zip" | "video/webm" | "application/ogg");
        match (by_magic, stated()) {
            (_, Some(stated)) if container => return Some(owned(stated)),
            (Some(magic), _) => return Some(owned(magic)),
            (None, Some(stated)) => return Some(owned(stated)),
            (None, None) => {}
        }
    }
    if let Some(stated) = stated() {
        return Some(owned(stated));
    }
    let reads_as_text = std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
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
    (Kind::Document, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"]),
    (Kind::Document, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
    (Kind::Document, "application/vnd.openxmlformats-officedocument.presentationml.presentation", &["pptx"]),
    (Kind::Document, "application/msword", &["doc"]),
    (Kind::Document, "application/vnd.ms-excel", &["xls"]),
    (Kind::Document, "application/vnd.ms-powerpoint", &["ppt"]),
    (Kind::Document, "application/vnd.oasis.opendocument.text", &["odt"]),
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
    (Kind::Text, "text/x-script", &["py", "rs", "cs", "java", "sql", "sh", "ps1", "toml", "ini", "css"]),
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

fn by_mime(mime: &str) -> Option<(Kind, &'static str, &'static str)> {
    let bare = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let bare = ALIASES.iter().find(|(alias, _)| *alias == bare).map_or(bare.as_str(), |(_, name)| name);
    let known = TYPES.iter().find(|(_, name, _)| *name == bare);
    known.map(|(kind, name, endings)| (*kind, *name, endings[0])).or_else(|| {
        // Any other text reads as text; anything else is unknown.
        (bare.starts_with("text/") || bare.ends_with("+json") || bare.ends_with("+xml"))
            .then_some((Kind::Text, "text/plain", "txt"))
    })
}

fn by_name(name: &str) -> Option<(Kind, &'static str, &'static str)> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    TYPES.iter().find_map(|(kind, mime, endings)| {
        let ending = endings.iter().find(|known| **known == ending)?;
        Some((*kind, *mime, *ending))
    })
}

/// Why the model cannot take a file of `kind`; `None` if it can, or nothing is known of it.
fn cannot_take(model: Option<&Model>, kind: Kind, name: &str) -> Option<String> {
    let needed = match kind {
        // Text joins the prompt, and upstream reads documents for models that cannot.
        Kind::Text | Kind::Document => return None,
        Kind::Image => "image",
        Kind::Audio => "audio",
        Kind::Video => "video",
    };
    let model = model?;
    let modalities = &model.architecture.input_modalities;
    if modalities.is_empty() || modalities.iter().any(|modality| modality == needed) {
        return None;
    }
    let id = model.id.as_deref().unwrap_or_default();
    Some(format!("The file {name} was not sent: {id} does not take {needed} input."))
}

/// The text of a file: by its byte order mark, its stated charset, as UTF-8, or else as
/// Windows-1252, which every byte string is.
fn as_text(bytes: &[u8], mime_type: Option<&str>, name: &str, warnings: &mut Vec<String>) -> String {
    let stated = mime_type
        .and_then(|mime| mime.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset=")))
        .and_then(|label| encoding_rs::Encoding::for_label(label.trim_matches('"').as_bytes()));
    let encoding = stated.unwrap_or(encoding_rs::UTF_8);
    let (text, _, faulty) = encoding.decode(bytes);
    if !faulty {
        return text.into_owned();
    }
    let (text, ..) = encoding_rs::WINDOWS_1252.decode(bytes);
    warnings.push(format!(
        "The file {name} is not valid {}; it was read as Windows-1252.",
        encoding.name()
    ));
    text.into_owned()
}

fn data_uri(mime: &str, bytes: &[u8]) -> String {
    let mut uri = String::with_capacity(mime.len() + 13 + bytes.len().div_ceil(3) * 4);
    uri.push_str("data:");
    uri.push_str(mime);
    uri.push_str(";base64,");
    BASE64.encode_append(bytes, &mut uri);
    uri
}
