//! Create image: words in, pictures out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use super::image_choices::{
    ImageAspectRatio, ImageBackground, ImageFormat, ImageProviderSort, ImageQuality, ImageSize,
};
use crate::{
    actions::facts::CallFacts,
    actions::file::{FileInput, FileOutput, Kind as FileKind, cannot_take},
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services,
        overlay::{Dropdown, Set, Source},
    },
    error::{Error, Kind, Result},
    openrouter::{
        chat::{
            AnswerMessage, ChatRequest, ChatResponse, Content, Message, Options, Part,
            ProviderPreferences, Url,
        },
        images::{ImageData, ImageRequest, ImageResponse},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property(
        "CreateImageRequest",
        "model",
        &[Set::Dropdown(Dropdown {
            operation: "ListModelChoices",
            parameters: &[("output_modality", Source::Text("image"))],
        })],
    ),
    Overlay::property("CreateImageRequest", "image_messages", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "n", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "quality", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "background", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "output_format", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "seed", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "user", &[Set::Advanced]),
    Overlay::items("CreateImageRequest", "provider_order", &[PROVIDERS]),
    Overlay::items("CreateImageRequest", "provider_only", &[PROVIDERS]),
    Overlay::items("CreateImageRequest", "provider_ignore", &[PROVIDERS]),
    Overlay::property("CreateImageRequest", "provider_order", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "provider_only", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "provider_ignore", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "provider_sort", &[Set::Advanced]),
    Overlay::property("CreateImageRequest", "allow_fallbacks", &[Set::Advanced]),
    Overlay::names("ImageAspectRatio", &[Set::Names(ImageAspectRatio::NAMES)]),
    Overlay::names("ImageSize", &[Set::Names(ImageSize::NAMES)]),
    Overlay::names("ImageQuality", &[Set::Names(ImageQuality::NAMES)]),
    Overlay::names("ImageBackground", &[Set::Names(ImageBackground::NAMES)]),
    Overlay::names("ImageFormat", &[Set::Names(ImageFormat::NAMES)]),
    Overlay::names("ImageProviderSort", &[Set::Names(ImageProviderSort::NAMES)]),
    Overlay::property("CreateImageRequest", "background_run", &[Set::Advanced]),
];

const PROVIDERS: Set = Set::Dropdown(Dropdown {
    operation: "ListProviderChoices",
    parameters: &[],
});

/// The most files that upstream takes to start from.
const MAX_REFERENCES: usize = 16;

/// The picture that is asked for.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "google/gemini-2.5-flash-image", "prompt": "A lighthouse at dusk", "aspect_ratio": "16:9"}))]
pub struct CreateImageRequest {
    /// Model
    ///
    /// The model that makes the image. Choose from the list, or type its id.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Prompt
    ///
    /// What the image should show. Prompt or Weighted Prompts is needed.
    pub prompt: Option<String>,
    /// Aspect Ratio
    ///
    /// The image's width to its height. Default set by the model.
    pub aspect_ratio: Option<ImageAspectRatio>,
    /// Size
    ///
    /// How large the image is, from 0.5K (512 pixels) to 4K (4096). Default set by the model.
    pub size: Option<ImageSize>,
    /// Attachments
    ///
    /// Images to edit or to take as a model, up to 16, or text files that join the prompt.
    #[validate(nested)]
    #[schema(max_items = 16)]
    pub attachments: Option<Vec<FileInput>>,
    /// Weighted Prompts
    ///
    /// Parts of the prompt, each with its importance. They are added after the Prompt.
    #[serde(default)]
    #[validate(nested)]
    pub image_messages: Vec<ImageMessage>,
    /// Number of Images
    ///
    /// How many images are made, 1 to 10. Default 1.
    #[validate(range(min = 1, max = 10))]
    #[schema(minimum = 1, maximum = 10)]
    pub n: Option<u8>,
    /// Quality
    ///
    /// How much care is taken; more costs more. Default set by the model.
    pub quality: Option<ImageQuality>,
    /// Background
    ///
    /// Whether the background is transparent, for models that support it.
    pub background: Option<ImageBackground>,
    /// Output Format
    ///
    /// The type of the file.
    pub output_format: Option<ImageFormat>,
    /// Seed
    ///
    /// The same whole number gives similar images again, for models that support it.
    pub seed: Option<i64>,
    /// User
    ///
    /// An id of your end user, to trace abuse. Do not send names or email addresses.
    pub user: Option<String>,
    /// Provider Order
    ///
    /// Providers to try first, in this order.
    pub provider_order: Option<Vec<String>>,
    /// Provider Only
    ///
    /// The only providers that may answer.
    pub provider_only: Option<Vec<String>>,
    /// Provider Ignore
    ///
    /// Providers that may not answer.
    pub provider_ignore: Option<Vec<String>>,
    /// Provider Sort
    ///
    /// Prefer the provider with the lowest price, the highest throughput, or the shortest wait.
    pub provider_sort: Option<ImageProviderSort>,
    /// Allow Fallbacks
    ///
    /// Whether other providers may be tried when one fails. Default Yes.
    pub allow_fallbacks: Option<bool>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
}

/// A part of the prompt.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ImageMessage {
    /// Content
    ///
    /// What the image should show.
    #[validate(length(min = 1))]
    #[schema(min_length = 1)]
    pub content: String,
    /// Weight
    ///
    /// How important this is, from -10 to 10; 1 is normal, a negative one is to be avoided.
    #[validate(range(min = -10.0, max = 10.0))]
    #[schema(minimum = -10, maximum = 10)]
    pub weight: Option<f64>,
}

/// The images.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateImageResponse {
    /// Image
    ///
    /// The first image.
    pub image: Option<FileOutput>,
    /// Images
    ///
    /// Every image.
    pub images: Vec<FileOutput>,
    /// Revised Prompt
    ///
    /// The prompt as the model changed it.
    pub revised_prompt: Option<String>,
    /// Text
    ///
    /// What the model said about the image.
    pub text: Option<String>,
    /// Created
    ///
    /// When the image was made, in seconds since 1970 (UTC).
    pub created: Option<i64>,
    /// Prompt Tokens
    ///
    /// The tokens of everything that was sent.
    pub prompt_tokens: Option<i64>,
    /// Completion Tokens
    ///
    /// The tokens of the images.
    pub completion_tokens: Option<i64>,
    /// Total Tokens
    ///
    /// The tokens of prompt and images together.
    pub total_tokens: Option<i64>,
    /// What every answer carries.
    #[serde(flatten)]
    pub facts: CallFacts,
}

/// Create image
///
/// Creates images from a description, or edits attached images, and returns them as files. Use it when someone wants a picture, logo or illustration.
#[utoipa::path(
    operation_id = "CreateImage", tag = "Media",
    request_body(content = CreateImageRequest, description = "The image that is asked for."),
    responses((status = 200, description = "The images.", body = CreateImageResponse), GoesOn, ActionErrors),
    extensions(("x-ms-visibility" = json!("important")))
)]
#[post("/images")]
pub(crate) async fn create_image(call: Generate<CreateImage>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct CreateImage;

impl Generation for CreateImage {
    const OPERATION: &'static str = "CreateImage";
    type Input = CreateImageRequest;
    type Prepared = (ImageRequest, Option<Model>, Vec<String>);
    type Output = CreateImageResponse;

    async fn prepare(services: &Services, request: Self::Input) -> Result<Self::Prepared> {
        let model = services.model(&request.model).await;
        let mut warnings = Vec::new();
        let upstream = into_upstream(request, model.as_ref(), &mut warnings)?;
        Ok((upstream, model, warnings))
    }

    async fn run(
        run: Run,
        (upstream, model, mut warnings): Self::Prepared,
    ) -> Result<Self::Output> {
        let client = &run.services.openrouter;
        let refused = match client.images(&run.key, &upstream).await {
            Ok(answer) => return CreateImageResponse::from_upstream(answer, upstream, warnings),
            Err(error) => error,
        };
        // Some models make images in a chat only. Nothing was billed: the call was refused as wrong.
        if !chat_may_help(&refused, model.as_ref()) {
            return Err(refused);
        }
        let chat = into_chat(upstream, &mut warnings);
        let answer = client.chat(&run.key, &chat).await?;
        CreateImageResponse::from_chat(&answer, chat.model, warnings)
    }

    fn background(request: &Self::Input) -> bool {
        request.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        CreateImageResponse {
            image: None,
            images: Vec::new(),
            revised_prompt: None,
            text: None,
            created: None,
            prompt_tokens: None,
            completion_tokens: None,
            total_tokens: None,
            facts: CallFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        let all = answer.image.iter_mut().chain(&mut answer.images);
        all.map(|file| file as &mut dyn LinkedFile).collect()
    }
}

fn into_upstream(
    request: CreateImageRequest,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<ImageRequest> {
    let mut prompt = prompt(request.prompt, request.image_messages);
    let mut references = Vec::new();
    let attachments = request.attachments.unwrap_or_default();
    if attachments.len() > MAX_REFERENCES {
        return Err(Error::invalid(
            "attachments",
            format!("attachments takes at most {MAX_REFERENCES} files."),
        ));
    }
    for (index, file) in attachments.into_iter().enumerate() {
        let path = format!("attachments[{index}]");
        let file = file.load(&path)?;
        match file.kind {
            FileKind::Image => match cannot_take(model, file.kind, &file.name) {
                Some(warning) => warnings.push(warning),
                None => references.push(Part::ImageUrl {
                    image_url: Url {
                        url: file.into_url(),
                    },
                }),
            },
            FileKind::Text => {
                prompt.push_str("\n\n");
                prompt.push_str(&file.into_text(warnings)?);
            }
            _ => {
                return Err(Error::invalid(
                    path.clone(),
                    format!("{path} is neither an image nor a text."),
                ));
            }
        }
    }
    if prompt.trim().is_empty() {
        return Err(Error::invalid(
            "prompt",
            "prompt or image_messages is required.",
        ));
    }
    let provider = ProviderPreferences {
        order: request.provider_order,
        only: request.provider_only,
        ignore: request.provider_ignore,
        sort: request.provider_sort.map(ImageProviderSort::sent),
        allow_fallbacks: request.allow_fallbacks,
        ..ProviderPreferences::default()
    };
    Ok(ImageRequest {
        model: request.model,
        prompt,
        n: request.n,
        aspect_ratio: request.aspect_ratio.map(ImageAspectRatio::sent),
        resolution: request.size.map(ImageSize::sent),
        quality: request.quality.map(ImageQuality::sent),
        background: request.background.map(ImageBackground::sent),
        output_format: request.output_format.map(ImageFormat::sent),
        seed: request.seed,
        input_references: references,
        provider: (provider != ProviderPreferences::default()).then_some(provider),
        user: request.user,
    })
}

/// One prompt: the plain one first, then the parts by weight, then what is to be avoided.
fn prompt(plain: Option<String>, mut parts: Vec<ImageMessage>) -> String {
    let weight = |part: &ImageMessage| part.weight.unwrap_or(1.0);
    parts.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let mut lines: Vec<String> = plain.into_iter().collect();
    let (avoided, wanted): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| weight(part) < 0.0);
    lines.extend(wanted.into_iter().map(|part| match part.weight {
        Some(weight) => format!("({}:{weight})", part.content),
        None => part.content,
    }));
    let avoided: Vec<_> = avoided
        .into_iter()
        .map(|part| format!("({}:{})", part.content, -part.weight.unwrap_or(-1.0)))
        .collect();
    if !avoided.is_empty() {
        lines.push(format!("Avoid: {}", avoided.join(", ")));
    }
    lines.join("\n")
}

/// Whether a refusal speaks of the endpoint, and the model can answer with images in a chat.
fn chat_may_help(refused: &Error, model: Option<&Model>) -> bool {
    let of_endpoint = matches!(
        refused.upstream_code(),
        Some("wrong_endpoint" | "no_endpoints" | "model_not_found" | "no_such_path")
    );
    let has = |name: &str| {
        model.is_some_and(|model| {
            model
                .architecture
                .output_modalities
                .iter()
                .any(|m| m == name)
        })
    };
    of_endpoint
        && matches!(refused.kind(), Kind::InvalidRequest | Kind::NotFound)
        && has("image")
        && has("text")
}

fn into_chat(request: ImageRequest, warnings: &mut Vec<String>) -> ChatRequest {
    for (name, set) in [
        ("n", request.n.is_some_and(|n| n > 1)),
        ("background", request.background.is_some()),
        ("output_format", request.output_format.is_some()),
    ] {
        if set {
            warnings.push(format!(
                "{name} has no effect: {} makes images in a chat.",
                request.model
            ));
        }
    }
    let mut config = serde_json::Map::new();
    for (name, value) in [
        ("aspect_ratio", request.aspect_ratio),
        ("image_size", request.resolution),
        ("quality", request.quality),
    ] {
        config.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    let mut parts = vec![Part::Text {
        text: request.prompt,
    }];
    parts.extend(request.input_references);
    ChatRequest {
        model: request.model,
        messages: vec![Message {
            role: "user".to_owned(),
            content: Content::Parts(parts),
        }],
        options: Options {
            modalities: Some(vec!["image".to_owned(), "text".to_owned()]),
            image_config: (!config.is_empty()).then_some(config),
            seed: request.seed,
            provider: request.provider,
            user: request.user,
            ..Options::default()
        },
    }
}

impl CreateImageResponse {
    fn from_upstream(
        answer: ImageResponse,
        request: ImageRequest,
        mut warnings: Vec<String>,
    ) -> Result<Self> {
        let images: Vec<_> = answer
            .data
            .iter()
            .enumerate()
            .filter_map(|(index, data)| image(index, data))
            .collect();
        let Some(first) = images.first().cloned() else {
            return Err(Error::new(
                Kind::UpstreamError,
                "The model answered no image.",
            ));
        };
        let made = first.extension.as_deref().unwrap_or_default();
        if let Some(wanted) = &request.output_format
            && wanted.replace("jpeg", "jpg") != made
        {
            warnings.push(format!(
                "output_format {wanted} had no effect: the model made a {made} file."
            ));
        }
        if images.len() < usize::from(request.n.unwrap_or(1)) {
            warnings.push(format!("The model made {} images only.", images.len()));
        }
        let usage = answer.usage;
        Ok(Self {
            image: Some(first),
            images,
            revised_prompt: answer.data.into_iter().find_map(|data| data.revised_prompt),
            text: None,
            created: answer.created,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            facts: CallFacts::completed(
                answer.id,
                answer.model.unwrap_or(request.model),
                usage.cost,
                warnings,
            ),
        })
    }

    fn from_chat(answer: &ChatResponse, model: String, warnings: Vec<String>) -> Result<Self> {
        let message = answer.choices.first().map(|choice| &choice.message);
        let urls = message.into_iter().flat_map(AnswerMessage::image_urls);
        let images: Vec<_> = urls
            .enumerate()
            .map(|(index, url)| FileOutput::from_url(url, &format!("image-{}", index + 1)))
            .collect();
        let said = message.map(AnswerMessage::content_text).unwrap_or_default();
        let Some(first) = images.first().cloned() else {
            let why = message
                .and_then(|message| message.refusal.clone())
                .unwrap_or(said);
            return Err(no_image(&why));
        };
        let usage = &answer.usage;
        Ok(Self {
            image: Some(first),
            images,
            revised_prompt: None,
            text: (!said.is_empty()).then_some(said),
            created: answer.created,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            facts: CallFacts::completed(
                answer.id.clone(),
                answer.model.clone().unwrap_or(model),
                usage.cost,
                warnings,
            ),
        })
    }
}

fn image(index: usize, data: &ImageData) -> Option<FileOutput> {
    let stem = format!("image-{}", index + 1);
    if let Some(base64) = data.b64_json.as_deref().filter(|text| !text.is_empty()) {
        return FileOutput::from_base64(base64, data.media_type.as_deref(), &stem);
    }
    data.url
        .as_deref()
        .filter(|url| !url.is_empty())
        .map(|url| FileOutput::from_url(url, &stem))
}

/// The model talked instead of making an image: told as a refusal with its own words, which asking
/// again would not change.
fn no_image(said: &str) -> Error {
    if said.is_empty() {
        return Error::new(Kind::UpstreamError, "The model answered no image.");
    }
    Error::refused("The model made no image and said:", said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(content: &str, weight: Option<f64>) -> ImageMessage {
        ImageMessage {
            content: content.to_owned(),
            weight,
        }
    }

    #[test]
    fn weights_order_the_prompt_and_negative_ones_are_avoided() {
        let parts = vec![
            part("people", Some(-2.0)),
            part("a forest", Some(0.5)),
            part("a castle", Some(1.5)),
            part("at dusk", None),
        ];
        assert_eq!(
            prompt(Some("A painting".to_owned()), parts),
            "A painting\n(a castle:1.5)\nat dusk\n(a forest:0.5)\nAvoid: (people:2)"
        );
    }
}
