//! Files in and out: every form in which makers' tools hand one over, and the one in which this
//! connector gives one back.

mod decode;
mod kinds;

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use decode::{after_scheme, decode};
pub(crate) use kinds::Kind;
use kinds::{by_mime, by_name, recognised};

use crate::{
    endpoint::{LinkedFile, Overlay, overlay::Set},
    error::{Error, Result},
    openrouter::{
        chat::{AudioPart, FilePart, Part, Url},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[Overlay::property("FileInput", "url", &[Set::Advanced])];

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
    /// The file's type, such as application/pdf. Detected if left empty.
    pub mime_type: Option<String>,
    /// File Content
    ///
    /// The content of the file, such as the File Content of another action.
    #[schema(value_type = Option<String>, format = Byte)]
    pub content: Option<Value>,
    /// File URL
    ///
    /// A public https address of the file, instead of File Content. Not for text or audio files.
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
    /// A link to the file that works for a short time without a key, for cards and large files.
    pub url: Option<String>,
}

/// Where a file went.
#[derive(Debug)]
pub enum Placed {
    /// Into the message.
    Part(Part),
    /// Nowhere, for the reason in the warning.
    LeftOut(String),
}

/// A file that is read: decoded and recognised, or an address that is handed on.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: String,
    /// The ending that fits its content.
    pub(crate) extension: String,
    mime: String,
    /// The type as it was stated, which may name a charset.
    stated: Option<String>,
    source: Source,
    /// Its place in the request.
    path: String,
}

#[derive(Debug)]
enum Source {
    Bytes(Vec<u8>),
    /// This service hands the address on and never opens it.
    Url(String),
}

impl FileInput {
    /// Reads the file; `path` is its place in the request.
    ///
    /// # Errors
    ///
    /// `400` with the path of the field, if the file cannot be read or its kind is not known.
    pub(crate) fn load(mut self, path: &str) -> Result<Loaded> {
        match (self.content.take(), self.url.take()) {
            (Some(_), Some(_)) => Err(Error::invalid(
                path,
                format!("{path} has both content and url; send one of them."),
            )),
            (None, None) => Err(Error::invalid(
                format!("{path}.content"),
                format!("{path} has neither content nor url."),
            )),
            (Some(content), None) => self.read_content(content, path),
            (None, Some(url)) if after_scheme(&url).is_some() => {
                self.read_content(Value::String(url), path)
            }
            (None, Some(url)) => self.read_address(url, path),
        }
    }

    fn read_content(self, content: Value, path: &str) -> Result<Loaded> {
        let field = format!("{path}.content");
        let decoded = decode(content, &field)?;
        let bytes = decoded.bytes;
        if bytes.is_empty() {
            return Err(Error::invalid(
                field.clone(),
                format!("{field} is an empty file."),
            ));
        }
        // The type that came with the content counts first, unless it says nothing: many
        // services call every file application/octet-stream.
        let telling = |mime: &String| by_mime(mime).is_some();
        let stated = decoded.mime_type.filter(telling).or(self.mime_type);
        let found = recognised(&bytes, stated.as_deref(), self.name.as_deref());
        let (kind, mime, extension) = found.ok_or_else(|| {
            Error::invalid(
                field.clone(),
                format!(
                    "The kind of {field} is not known; give its mime_type or a name with an ending."
                ),
            )
        })?;
        let name = self.name.unwrap_or_else(|| format!("file.{extension}"));
        let source = Source::Bytes(bytes);
        Ok(Loaded {
            kind,
            name,
            extension,
            mime,
            stated,
            source,
            path: path.to_owned(),
        })
    }

    fn read_address(self, url: String, path: &str) -> Result<Loaded> {
        let field = format!("{path}.url");
        let parsed = reqwest::Url::parse(&url)
            .ok()
            .filter(|url| url.scheme() == "https");
        let Some(parsed) = parsed else {
            return Err(Error::invalid(
                field.clone(),
                format!("{field} must be an https address or a data: URI."),
            ));
        };
        let last = parsed
            .path_segments()
            .and_then(|mut parts| parts.next_back())
            .unwrap_or_default();
        let found = self
            .mime_type
            .as_deref()
            .and_then(by_mime)
            .or_else(|| self.name.as_deref().and_then(by_name))
            .or_else(|| by_name(last));
        let (kind, mime, extension) = found.ok_or_else(|| {
            Error::invalid(
                field.clone(),
                format!("The kind of {field} is not known; give its mime_type, such as image/png."),
            )
        })?;
        let name = self.name.unwrap_or_else(|| {
            if last.is_empty() {
                format!("file.{extension}")
            } else {
                last.to_owned()
            }
        });
        Ok(Loaded {
            kind,
            name,
            extension: extension.to_owned(),
            mime: mime.to_owned(),
            stated: self.mime_type,
            source: Source::Url(url),
            path: path.to_owned(),
        })
    }
}

impl Loaded {
    /// The file as a part of a message.
    ///
    /// # Errors
    ///
    /// `400` for text or sound that is only an address.
    pub(crate) fn into_part(
        self,
        model: Option<&Model>,
        warnings: &mut Vec<String>,
    ) -> Result<Placed> {
        if let Some(warning) = cannot_take(model, self.kind, &self.name) {
            return Ok(Placed::LeftOut(warning));
        }
        Ok(Placed::Part(match self.kind {
            Kind::Text => Part::Text {
                text: self.into_text(warnings)?,
            },
            Kind::Image => Part::ImageUrl {
                image_url: Url {
                    url: self.into_url(),
                },
            },
            Kind::Video => Part::VideoUrl {
                video_url: Url {
                    url: self.into_url(),
                },
            },
            Kind::Document => {
                let filename = self.name.clone();
                Part::File {
                    file: FilePart {
                        filename,
                        file_data: self.into_url(),
                    },
                }
            }
            Kind::Audio => Part::InputAudio {
                input_audio: self.into_audio()?,
            },
        }))
    }

    /// The same file under another ending, which tells upstream its format.
    pub(crate) fn with_extension(self, extension: &str) -> Self {
        Self {
            extension: extension.to_owned(),
            ..self
        }
    }

    /// The address, or the content as a `data:` URI.
    pub(crate) fn into_url(self) -> String {
        match self.source {
            Source::Url(url) => url,
            Source::Bytes(bytes) => data_uri(&self.mime, &bytes),
        }
    }

    /// The content as bare base64, which is the only form in which upstream takes sound.
    ///
    /// # Errors
    ///
    /// `400` if there is only an address.
    pub(crate) fn into_audio(self) -> Result<AudioPart> {
        let data = BASE64.encode(self.bytes()?);
        // WebM that holds sound alone has an ending of its own, but is the same format.
        let format = match self.extension.as_str() {
            "weba" => "webm".to_owned(),
            _ => self.extension,
        };
        Ok(AudioPart { data, format })
    }

    /// The text of the file under its name.
    ///
    /// # Errors
    ///
    /// `400` if there is only an address.
    pub(crate) fn into_text(self, warnings: &mut Vec<String>) -> Result<String> {
        let text = as_text(self.bytes()?, self.stated.as_deref(), &self.name, warnings);
        Ok(format!("{}:\n\n{text}", self.name))
    }

    fn bytes(&self) -> Result<&[u8]> {
        match &self.source {
            Source::Bytes(bytes) => Ok(bytes),
            Source::Url(_) => Err(Error::invalid(
                format!("{}.url", self.path),
                format!(
                    "{}.url: this kind of file cannot be handed over as an address; send its content.",
                    self.path
                ),
            )),
        }
    }
}

impl FileOutput {
    /// The file at an address or in a `data:` URI, named `stem` with the fitting ending.
    #[must_use]
    pub fn from_url(url: &str, stem: &str) -> Self {
        if after_scheme(url).is_none() {
            // A model may write anything here; only an address that is safe to open is passed on.
            if !url.starts_with("https://") {
                return Self::default();
            }
            let name = reqwest::Url::parse(url)
                .ok()
                .and_then(|url| url.path_segments()?.next_back().map(str::to_owned))
                .filter(|name| !name.is_empty());
            return Self {
                name,
                url: Some(url.to_owned()),
                ..Self::default()
            };
        }
        match decode(Value::String(url.to_owned()), "") {
            Ok(decoded) => Self::from_bytes(&decoded.bytes, decoded.mime_type.as_deref(), stem),
            Err(_) => Self::default(),
        }
    }

    /// A file of base64 without a `data:` head, named `stem` with the fitting ending; `None` if it
    /// cannot be decoded.
    #[must_use]
    pub fn from_base64(text: &str, mime_type: Option<&str>, stem: &str) -> Option<Self> {
        let decoded = decode(Value::String(text.to_owned()), "").ok()?;
        let mime_type = decoded.mime_type.as_deref().or(mime_type);
        (!decoded.bytes.is_empty()).then(|| Self::from_bytes(&decoded.bytes, mime_type, stem))
    }

    /// A file of `bytes` whose type is known.
    #[must_use]
    pub fn named(bytes: &[u8], mime_type: &str, stem: &str, extension: &str) -> Self {
        Self {
            name: Some(format!("{stem}.{extension}")),
            extension: Some(extension.to_owned()),
            mime_type: Some(mime_type.to_owned()),
            size: i64::try_from(bytes.len()).ok(),
            content: Some(BASE64.encode(bytes)),
            url: None,
        }
    }

    /// A file of `bytes`, named `stem` with the ending that fits its content.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], mime_type: Option<&str>, stem: &str) -> Self {
        let (mime, extension) = recognised(bytes, mime_type, None).map_or_else(
            || ("application/octet-stream".to_owned(), "bin".to_owned()),
            |(_, mime, extension)| (mime, extension),
        );
        Self::named(bytes, &mime, stem, &extension)
    }
}

impl LinkedFile for FileOutput {
    fn content(&self) -> Option<(Cow<'_, [u8]>, &str, &str)> {
        let bytes = BASE64.decode(self.content.as_ref()?.as_bytes()).ok()?;
        let name = self.name.as_deref().unwrap_or("file");
        let mime_type = self.mime_type.as_deref();
        Some((
            bytes.into(),
            name,
            mime_type.unwrap_or("application/octet-stream"),
        ))
    }

    fn set_link(&mut self, url: String) {
        self.url = Some(url);
    }
}

/// Why the model cannot take a file of `kind`; `None` if it can, or nothing is known of it.
pub(crate) fn cannot_take(model: Option<&Model>, kind: Kind, name: &str) -> Option<String> {
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
    Some(format!(
        "The file {name} was not sent: {id} does not take {needed} input."
    ))
}

/// The text of a file: by its byte order mark, its stated charset, as UTF-8, or else as
/// Windows-1252, which every byte string is.
fn as_text(
    bytes: &[u8],
    mime_type: Option<&str>,
    name: &str,
    warnings: &mut Vec<String>,
) -> String {
    let stated = mime_type
        .and_then(|mime| {
            mime.split(';')
                .skip(1)
                .filter_map(|part| part.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        })
        .and_then(|(_, label)| {
            encoding_rs::Encoding::for_label(label.trim().trim_matches('"').as_bytes())
        });
    let encoding = stated.unwrap_or(encoding_rs::UTF_8);
    let (text, encoding, faulty) = encoding.decode(bytes);
    if !faulty {
        return text.into_owned();
    }
    let name_of_encoding = encoding.name();
    if !encoding.is_ascii_compatible() {
        // In two bytes a letter, a letter that is broken says nothing against the others.
        warnings.push(format!(
            "The file {name} is not valid {name_of_encoding}; what could not be read is marked in its text."
        ));
        return text.into_owned();
    }
    let (text, ..) = encoding_rs::WINDOWS_1252.decode(bytes);
    warnings.push(format!(
        "The file {name} is not valid {name_of_encoding}; it was read as Windows-1252."
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
