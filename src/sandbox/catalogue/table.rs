//! The models, one line or two each.

use super::super::misbehaviour::Fault;
use super::{Model, Reasoning};

const TEXT: &[&str] = &["text"];
const SEES: &[&str] = &["text", "image"];
const READS: &[&str] = &["text", "image", "file"];
const HEARS: &[&str] = &["text", "audio"];
const ALL_SENSES: &[&str] = &["text", "image", "file", "audio", "video"];
const IMAGE: &[&str] = &["image"];
const TEXT_AND_IMAGE: &[&str] = &["image", "text"];
const TEXT_AND_AUDIO: &[&str] = &["text", "audio"];

const BASIC: &[&str] = &["max_tokens", "temperature", "top_p", "stop", "seed"];
const SAMPLING: &[&str] = &[
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
];
const JSON: &[&str] = &["response_format", "structured_outputs"];
const TOOLS: &[&str] = &["tools", "tool_choice"];
const THINKS: &[&str] = &["reasoning", "include_reasoning"];
const LOGPROBS: &[&str] = &["logprobs", "top_logprobs"];
const NEWEST_OPENAI: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "reasoning_effort",
    "verbosity",
    "parallel_tool_calls",
];

const OPENAI_VOICES: &[&str] = &["alloy", "ash", "coral", "echo", "nova", "sage", "verse"];
const VOXTRAL_VOICES: &[&str] = &[
    "en_paul_neutral",
    "en_jane_cheerful",
    "de_lena_neutral",
    "fr_marc_calm",
];
const KOKORO_VOICES: &[&str] = &["af_heart", "af_bella", "am_adam", "bf_emma", "jf_alpha"];

fn model(id: &'static str, name: &'static str, created: i64, description: &'static str) -> Model {
    Model {
        id,
        name,
        created,
        description,
        inputs: TEXT,
        outputs: TEXT,
        ..Model::default()
    }
}

/// The lines of the table below read as sentences made of these.
impl Model {
    fn window(mut self, context: u64, max_output: u64) -> Self {
        self.context = Some(context);
        self.max_output = (max_output > 0).then_some(max_output);
        self
    }

    fn costs(mut self, prompt: &'static str, completion: &'static str) -> Self {
        self.prices = vec![("prompt", prompt), ("completion", completion)];
        self
    }

    fn and_costs(mut self, prices: &[(&'static str, &'static str)]) -> Self {
        self.prices.extend_from_slice(prices);
        self
    }

    fn takes_in(mut self, inputs: &'static [&'static str]) -> Self {
        self.inputs = inputs;
        self
    }

    fn gives_out(mut self, outputs: &'static [&'static str]) -> Self {
        self.outputs = outputs;
        self
    }

    fn with(mut self, groups: &[&[&'static str]]) -> Self {
        self.parameters = groups.concat();
        self
    }

    fn cutoff(mut self, date: &'static str) -> Self {
        self.cutoff = Some(date);
        self
    }

    fn open(mut self, hugging_face: &'static str) -> Self {
        self.hugging_face = Some(hugging_face);
        self
    }

    fn thinks(mut self, reasoning: Reasoning) -> Self {
        self.reasoning = reasoning;
        self
    }

    fn moderated(mut self) -> Self {
        self.moderated = true;
        self
    }

    fn dated(mut self, canonical: &'static str) -> Self {
        self.canonical = Some(canonical);
        self
    }
}

/// All models, in the order `/models` lists them.
pub(super) fn models() -> Vec<Model> {
    let mut models = routers_and_aliases();
    models.extend(closed_chat());
    models.extend(open_chat());
    models.extend(media());
    models.extend(vectors());
    models.extend(Fault::ALL.iter().map(|fault| misbehaving(*fault)));
    models
}

fn routers_and_aliases() -> Vec<Model> {
    let router = |id, name, description| {
        model(id, name, 1_699_401_600, description)
            .window(2_000_000, 0)
            .costs("-1", "-1")
            .takes_in(ALL_SENSES)
    };
    let alias = |id, name, of| Model {
        alias_of: Some(of),
        ..model(
            id,
            name,
            1_767_225_600,
            "Always the newest model of its family.",
        )
        .window(200_000, 0)
        .costs("-1", "-1")
        .takes_in(READS)
        .with(&[BASIC, JSON, TOOLS, THINKS])
    };
    vec![
        router(
            "openrouter/auto",
            "Auto Router",
            "Chooses a model for each prompt.",
        )
        .with(&[SAMPLING, JSON, TOOLS, THINKS]),
        // The price of the free router is known, its parameters are not.
        router(
            "openrouter/free",
            "Free Models Router",
            "Chooses among the free models.",
        )
        .costs("0", "0"),
        router(
            "openrouter/fusion",
            "Fusion",
            "Asks several models and merges what they say.",
        )
        .with(&[BASIC]),
        alias(
            "~anthropic/claude-sonnet-latest",
            "Anthropic: Claude Sonnet Latest",
            "anthropic/claude-sonnet-4.5",
        ),
        alias("~openai/gpt-latest", "OpenAI: GPT Latest", "openai/gpt-5.2"),
        alias(
            "~google/gemini-flash-latest",
            "Google: Gemini Flash Latest ",
            "google/gemini-2.5-flash",
        ),
    ]
}

#[rustfmt::skip::macros(vec)]
fn closed_chat() -> Vec<Model> {
    use Reasoning::{Always, WhenAsked};
    vec![
        model("openai/gpt-5.2", "OpenAI: GPT-5.2", 1_765_389_775, "Flagship for long, careful work.")
            .dated("openai/gpt-5.2-20251211").window(400_000, 128_000).costs("0.00000175", "0.000014")
            .and_costs(&[("input_cache_read", "0.000000175"), ("web_search", "0.01")]).takes_in(READS)
            .with(&[NEWEST_OPENAI, JSON, TOOLS, THINKS]).thinks(WhenAsked).cutoff("2025-08-31").moderated(),
        model("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", 1_754_587_407, "Quick and inexpensive, for everyday steps in a flow.")
            .dated("openai/gpt-5-mini-2025-08-07").window(400_000, 128_000).costs("0.00000025", "0.000002").takes_in(READS)
            .and_costs(&[("input_cache_read", "0.000000025"), ("web_search", "0.01")])
            .with(&[NEWEST_OPENAI, JSON, TOOLS, THINKS]).thinks(WhenAsked).cutoff("2024-05-31").moderated(),
        model("openai/gpt-4o", "OpenAI: GPT-4o", 1_715_558_400, "Reads pictures and documents.")
            .window(128_000, 16_384).costs("0.0000025", "0.00001").takes_in(READS).moderated()
            .with(&[SAMPLING, JSON, TOOLS, LOGPROBS, &["web_search_options"]]).cutoff("2023-10-31").open(""),
        model("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", 1_721_260_800, "Small, cheap and quick.")
            .window(128_000, 16_384).costs("0.00000015", "0.0000006").takes_in(READS).moderated()
            .with(&[SAMPLING, JSON, TOOLS, LOGPROBS]).cutoff("2023-10-31"),
        model("openai/gpt-4", "OpenAI: GPT-4", 1_685_232_000, "An old model with a small window.")
            .window(8_191, 4_096).costs("0.00003", "0.00006").with(&[SAMPLING, TOOLS, LOGPROBS, &["response_format"]])
            .cutoff("2021-09-30").moderated(),
        model("openai/o4-mini", "OpenAI: o4 Mini", 1_744_820_400, "Thinks before every answer.")
            .window(200_000, 100_000).costs("0.0000011", "0.0000044").takes_in(READS).thinks(Always)
            .with(&[NEWEST_OPENAI, JSON, TOOLS, THINKS]).moderated(),
        model("openai/gpt-4o-audio-preview", "OpenAI: GPT-4o Audio", 1_755_233_061, "Listens and speaks.")
            .window(128_000, 16_384).costs("0.0000025", "0.00001").and_costs(&[("audio", "0.00004")])
            .takes_in(HEARS).gives_out(TEXT_AND_AUDIO).with(&[SAMPLING, JSON, TOOLS, LOGPROBS]),
        model("openai/gpt-5-image", "OpenAI: GPT-5 Image", 1_760_447_986, "Draws and explains, in one conversation.")
            .window(400_000, 128_000).costs("0.00001", "0.00001").and_costs(&[("image_output", "0.00004")])
            .takes_in(READS).gives_out(TEXT_AND_IMAGE).with(&[NEWEST_OPENAI, JSON, THINKS]).thinks(WhenAsked),
        model("openai/gpt-3.5-turbo-instruct", "OpenAI: GPT-3.5 Turbo Instruct", 1_695_859_200, "Completes text, the old way.")
            .window(4_095, 4_096).costs("0.0000015", "0.000002").with(&[SAMPLING, LOGPROBS]).moderated(),
        model("anthropic/claude-opus-4.5", "Anthropic: Claude Opus 4.5", 1_764_010_580, "For the hardest questions and long agent work.")
            .dated("anthropic/claude-4.5-opus-20251124").window(200_000, 64_000).costs("0.000005", "0.000025").takes_in(READS)
            .and_costs(&[("input_cache_read", "0.0000005"), ("input_cache_write", "0.00000625")])
            .with(&[BASIC, JSON, TOOLS, THINKS, &["top_k", "verbosity"]]).thinks(WhenAsked),
        Model { override_above: Some((200_000, "0.000006")),
            ..model("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", 1_759_161_676, "A strong all-rounder for text, code and documents.")
            .dated("anthropic/claude-4.5-sonnet-20250929").window(1_000_000, 64_000).costs("0.000003", "0.000015").takes_in(READS)
            .and_costs(&[("input_cache_read", "0.0000003"), ("input_cache_write", "0.00000375")]).open("")
            .with(&[BASIC, JSON, TOOLS, THINKS, &["top_k"]]).thinks(WhenAsked).cutoff("2025-01-31") },
        model("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", 1_760_547_638, "Quick, for many small steps.")
            .window(200_000, 64_000).costs("0.000001", "0.000005").takes_in(SEES)
            .with(&[BASIC, JSON, TOOLS, THINKS, &["top_k"]]).thinks(WhenAsked),
        Model { expires: Some("2027-06-30"),
            ..model("anthropic/claude-3.5-haiku", "Anthropic: Claude 3.5 Haiku", 1_730_678_400, "An older model that will be switched off.")
            .window(200_000, 8_192).costs("0.0000008", "0.000004").takes_in(SEES).with(&[BASIC, TOOLS, &["top_k"]]).moderated() },
        Model { override_above: Some((200_000, "0.000004")),
            ..model("google/gemini-3-pro-preview", "Google: Gemini 3 Pro Preview", 1_763_474_668, "Takes text, pictures, files, sound and film.")
            .window(1_048_576, 65_536).costs("0.000002", "0.000012").takes_in(ALL_SENSES)
            .with(&[BASIC, JSON, TOOLS, THINKS]).thinks(Always).cutoff("2025-01-31") },
        model("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", 1_750_172_488, "Takes everything, answers quickly.")
            .window(1_048_576, 65_535).costs("0.0000003", "0.0000025").and_costs(&[("image", "0.001238"), ("audio", "0.000001")])
            .takes_in(ALL_SENSES).with(&[BASIC, JSON, TOOLS, THINKS]).thinks(WhenAsked),
        model("google/gemini-2.5-flash-image", "Google: Gemini 2.5 Flash Image (Nano Banana)", 1_759_870_431, "Draws and edits pictures in a conversation.")
            .window(32_768, 32_768).costs("0.0000003", "0.0000025").and_costs(&[("image_output", "0.00003")])
            .takes_in(SEES).gives_out(TEXT_AND_IMAGE).with(&[BASIC, JSON]),
        Model { discount: Some(0.25),
            ..model("x-ai/grok-4-fast", "xAI: Grok 4 Fast", 1_758_240_090, "A very large window at a low price.")
            .window(2_000_000, 30_000).costs("0.0000002", "0.0000005").takes_in(SEES)
            .with(&[BASIC, JSON, TOOLS, THINKS, LOGPROBS]).thinks(WhenAsked) },
        model("x-ai/grok-code-fast-1", "xAI: Grok Code Fast 1 ", 1_756_238_927, "Writes code in many quick steps.")
            .window(256_000, 10_000).costs("0.0000002", "0.0000015").with(&[BASIC, JSON, TOOLS, THINKS, LOGPROBS]).thinks(Always),
        model("perplexity/sonar-pro", "Perplexity: Sonar Pro", 1_741_312_423, "Searches the web and cites what it found.")
            .window(200_000, 8_000).costs("0.000003", "0.000015").and_costs(&[("web_search", "0.005")]).takes_in(SEES)
            .with(&[&["max_tokens", "temperature", "top_p", "top_k", "web_search_options"]]),
        model("perplexity/sonar", "Perplexity: Sonar", 1_738_013_808, "Searches the web, quickly.")
            .window(127_072, 0).costs("0.000001", "0.000001").and_costs(&[("request", "0.005"), ("web_search", "0.005")])
            .takes_in(SEES).with(&[&["max_tokens", "temperature", "top_p", "web_search_options"]]),
        model("cohere/command-a", "Cohere: Command A", 1_741_894_342, "For business documents in 23 languages.")
            .window(256_000, 8_192).costs("0.0000025", "0.00001").with(&[SAMPLING, JSON]).open("CohereLabs/c4ai-command-a-03-2025"),
        model("amazon/nova-lite-v1", "Amazon: Nova Lite 1.0", 1_733_437_363, "Pictures in, text out, for little money.")
            .window(300_000, 5_120).costs("0.00000006", "0.00000024").takes_in(SEES)
            .with(&[&["max_tokens", "temperature", "top_p", "top_k", "stop"], TOOLS]),
    ]
}

#[rustfmt::skip::macros(vec)]
fn open_chat() -> Vec<Model> {
    use Reasoning::{Always, WhenAsked};
    vec![
        model("openai/gpt-oss-120b", "OpenAI: gpt-oss-120b", 1_754_414_231, "Open weights, thinks when asked.")
            .window(131_072, 0).costs("0.00000004", "0.0000002").open("openai/gpt-oss-120b")
            .with(&[SAMPLING, JSON, TOOLS, THINKS, LOGPROBS]).thinks(WhenAsked),
        model("openai/gpt-oss-20b:free", "OpenAI: gpt-oss-20b (free)", 1_754_414_229, "Open weights, free of charge, 20 calls a minute.")
            .dated("openai/gpt-oss-20b").window(131_072, 32_768).costs("0", "0").open("openai/gpt-oss-20b")
            .with(&[BASIC, TOOLS, THINKS]).thinks(WhenAsked),
        Model { top_context: Some(32_000),
            ..model("meta-llama/llama-4-maverick", "Meta: Llama 4 Maverick", 1_743_881_822, "A large open model that sees.")
            .dated("meta-llama/llama-4-maverick-17b-128e-instruct").window(1_048_576, 16_384).costs("0.00000015", "0.0000006")
            .takes_in(SEES).with(&[SAMPLING, JSON, TOOLS]).open("meta-llama/Llama-4-Maverick-17B-128E-Instruct") },
        model("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", 1_733_506_137, "Well known, served by many.")
            .window(131_072, 16_384).costs("0.0000001", "0.00000032").with(&[SAMPLING, JSON, TOOLS, LOGPROBS])
            .open("meta-llama/Llama-3.3-70B-Instruct"),
        model("meta-llama/llama-3.3-70b-instruct:free", "Meta: Llama 3.3 70B Instruct (free)", 1_733_506_137, "The same, free of charge.")
            .dated("meta-llama/llama-3.3-70b-instruct").window(65_536, 0).costs("0", "0")
            .with(&[BASIC, TOOLS]).open("meta-llama/Llama-3.3-70B-Instruct"),
        model("mistralai/mistral-medium-3.1", "Mistral: Mistral Medium 3.1", 1_755_095_639, "Balanced, made in Europe.")
            .window(131_072, 0).costs("0.0000004", "0.000002").takes_in(SEES).with(&[SAMPLING, JSON, TOOLS]).open(""),
        model("mistralai/mistral-small-3.2-24b-instruct", "Mistral: Mistral Small 3.2 24B", 1_750_443_016, "Small and polite.")
            .window(131_072, 131_072).costs("0.00000006", "0.00000018").takes_in(SEES).with(&[SAMPLING, JSON, TOOLS])
            .open("mistralai/Mistral-Small-3.2-24B-Instruct-2506"),
        model("mistralai/voxtral-small-24b-2507", "Mistral: Voxtral Small 24B 2507", 1_761_835_144, "Listens to recordings and answers in text.")
            .window(32_000, 0).costs("0.0000001", "0.0000003").and_costs(&[("audio", "0.0001")]).takes_in(HEARS)
            .with(&[BASIC, JSON, TOOLS]).open("mistralai/Voxtral-Small-24B-2507"),
        model("deepseek/deepseek-chat-v3.1", "DeepSeek: DeepSeek V3.1", 1_755_779_628, "Inexpensive and capable.")
            .window(163_840, 0).costs("0.00000015", "0.00000075").with(&[SAMPLING, JSON, TOOLS, THINKS, LOGPROBS])
            .thinks(WhenAsked).open("deepseek-ai/DeepSeek-V3.1"),
        model("deepseek/deepseek-r1-0528", "DeepSeek: R1 0528", 1_748_455_170, "Shows how it thinks.")
            .window(163_840, 163_840).costs("0.0000004", "0.00000175").with(&[SAMPLING, JSON, TOOLS, THINKS]).thinks(Always)
            .open("deepseek-ai/DeepSeek-R1-0528"),
        model("qwen/qwen3-235b-a22b:thinking", "Qwen: Qwen3 235B A22B (thinking)", 1_753_449_557, "A variant that always thinks.")
            .dated("qwen/qwen3-235b-a22b-thinking").window(262_144, 0).costs("0.00000011", "0.0000006")
            .with(&[SAMPLING, JSON, TOOLS, THINKS]).thinks(Always).open("Qwen/Qwen3-235B-A22B-Thinking-2507"),
        model("qwen/qwen3-vl-8b-instruct", "Qwen: Qwen3 VL 8B Instruct", 1_760_463_308, "Looks at pictures and film.")
            .window(131_072, 32_768).costs("0.00000008", "0.0000005").takes_in(&["text", "image", "video"])
            .with(&[SAMPLING, JSON, TOOLS]).open("Qwen/Qwen3-VL-8B-Instruct"),
        model("moonshotai/kimi-k2-thinking", "MoonshotAI: Kimi K2 Thinking", 1_762_440_622, "Thinks for a long time.")
            .window(262_144, 262_144).costs("0.0000006", "0.0000025").with(&[SAMPLING, JSON, TOOLS, THINKS]).thinks(Always)
            .open("moonshotai/Kimi-K2-Thinking"),
        model("microsoft/phi-4", "Microsoft: Phi 4", 1_736_489_872, "Small, with no tools and no schemas.")
            .window(16_384, 0).costs("0.00000006", "0.00000014").with(&[SAMPLING]).open("microsoft/phi-4"),
        // Real entries like this one exist: nothing is known but the id.
        model(super::listing::NEWCOMER, "Sandbox: Newcomer", 1_790_000_000, "Joins the list a minute after the first look at it.")
            .window(32_768, 4096).costs("0.0000001", "0.0000002").with(&[BASIC]),
        Model { context: None, ..model("undi95/remm-slerp-l2-13b", "ReMM SLERP 13B", 1_689_984_000, "An old merge of old models.")
            .costs("0.00000045", "0.00000065").open("") },
    ]
}

#[rustfmt::skip::macros(vec)]
fn media() -> Vec<Model> {
    let image = |id, name, created, description, inputs, price| {
        model(id, name, created, description)
            .costs("0", "0")
            .and_costs(&[("image_output", price)])
            .takes_in(inputs)
            .gives_out(IMAGE)
    };
    let speech = |id, name, created, price, voices| Model {
        voices,
        ..model(
            id,
            name,
            created,
            "Reads text aloud; priced by the character.",
        )
        .window(4_096, 0)
        .costs(price, "0")
        .gives_out(&["speech"])
        .with(&[&["speed"]])
    };
    let transcription = |id, name, created, price| {
        model(
            id,
            name,
            created,
            "Writes down what was said; priced by the second.",
        )
        .costs("0", "0")
        .and_costs(&[("audio", price)])
        .takes_in(&["audio"])
        .gives_out(&["transcription"])
        .with(&[&["language", "temperature"]])
    };
    let video = |id, name, created, description, inputs| {
        model(id, name, created, description)
            .costs("0", "0")
            .takes_in(inputs)
            .gives_out(&["video"])
    };
    vec![
        image("black-forest-labs/flux.2-pro", "Black Forest Labs: FLUX.2 Pro", 1_764_030_274, "Detailed pictures, also from pictures.", SEES, "0.03"),
        image("bytedance-seed/seedream-4.5", "ByteDance Seed: Seedream 4.5", 1_764_864_000, "Up to ten pictures at once, up to 4K.", SEES, "0.04"),
        image("openai/gpt-image-1", "OpenAI: GPT Image 1", 1_745_452_800, "Transparent backgrounds and three qualities.", SEES, "0.042"),
        image("recraft/recraft-v3", "Recraft: Recraft V3", 1_730_332_800, "One picture at a time, for posters.", TEXT, "0.04"),
        image("quiver/arrow-1", "Quiver: Arrow 1", 1_766_016_000, "Draws vectors: the answer is SVG.", TEXT, "0.05"),
        speech("openai/gpt-4o-mini-tts", "OpenAI: GPT-4o mini TTS", 1_742_428_800, "0.0000006", OPENAI_VOICES),
        speech("mistralai/voxtral-mini-tts-2603", "Mistral: Voxtral Mini TTS", 1_774_396_800, "0.000016", VOXTRAL_VOICES),
        speech("hexgrad/kokoro-82m", "hexgrad: Kokoro 82M", 1_735_257_600, "0.0000007", KOKORO_VOICES).open("hexgrad/Kokoro-82M"),
        transcription("openai/whisper-large-v3", "OpenAI: Whisper Large V3", 1_699_228_800, "0.0000308").open("openai/whisper-large-v3"),
        transcription("openai/gpt-4o-transcribe", "OpenAI: GPT-4o Transcribe", 1_742_428_800, "0.0001"),
        transcription("mistralai/voxtral-mini-transcribe", "Mistral: Voxtral Mini Transcribe", 1_752_537_600, "0.0000333"),
        video("google/veo-3.1", "Google: Veo 3.1", 1_760_486_400, "Short films with sound.", SEES),
        video("openai/sora-2-pro", "OpenAI: Sora 2 Pro", 1_759_795_200, "Short films, up to 1080p.", SEES),
        video("bytedance/seedance-1.5-pro", "ByteDance: Seedance 1.5 Pro", 1_765_843_200, "From a first picture to a last one.", SEES),
        video("topaz/astra-2", "Topaz: Astra 2 ", 1_767_571_200, "Makes films larger; takes no prompt.", &["video"]),
    ]
}

#[rustfmt::skip::macros(vec)]
fn vectors() -> Vec<Model> {
    let embeds = |id, name, created, context, price, dimensions| Model {
        dimensions,
        ..model(
            id,
            name,
            created,
            "Turns text into vectors, to compare and search.",
        )
        .window(context, 0)
        .costs(price, "0")
        .and_costs(&[("request", "0"), ("image", "0")])
        .gives_out(&["embeddings"])
    };
    let ranks = |id, name, created, context, price| {
        model(
            id,
            name,
            created,
            "Sorts documents by how well they answer a question.",
        )
        .window(context, 0)
        .costs("0", "0")
        .and_costs(&[("request", price)])
        .gives_out(&["rerank"])
    };
    vec![
        embeds("openai/text-embedding-3-small", "OpenAI: Text Embedding 3 Small", 1_706_140_800, 8_192, "0.00000002", 1_536),
        embeds("openai/text-embedding-3-large", "OpenAI: Text Embedding 3 Large", 1_706_140_800, 8_192, "0.00000013", 3_072),
        embeds("google/gemini-embedding-001", "Google: Gemini Embedding 001", 1_752_451_200, 20_000, "0.00000015", 3_072).takes_in(SEES),
        embeds("qwen/qwen3-embedding-8b", "Qwen: Qwen3 Embedding 8B", 1_749_081_600, 32_000, "0.00000001", 4_096).open("Qwen/Qwen3-Embedding-8B"),
        embeds("baai/bge-m3", "BAAI: bge-m3", 1_706_659_200, 8_192, "0.00000001", 1_024).open("BAAI/bge-m3"),
        ranks("cohere/rerank-v3.5", "Cohere: Rerank v3.5", 1_733_097_600, 4_096, "0.002"),
        ranks("cohere/rerank-4-pro", "Cohere: Rerank 4 Pro ", 1_765_411_200, 32_768, "0.0025"),
        ranks("qwen/qwen3-reranker-8b", "Qwen: Qwen3 Reranker 8B", 1_749_081_600, 32_768, "0.00005").open("Qwen/Qwen3-Reranker-8B"),
    ]
}

fn misbehaving(fault: Fault) -> Model {
    Model {
        fault: Some(fault),
        ..model(
            fault.model_id(),
            fault.title(),
            1_767_225_600,
            fault.description(),
        )
        .window(128_000, 16_384)
        .costs("0.000001", "0.000002")
        .takes_in(ALL_SENSES)
        .with(&[SAMPLING, JSON, TOOLS, THINKS, LOGPROBS])
        .thinks(Reasoning::WhenAsked)
    }
}
