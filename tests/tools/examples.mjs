// The requests of the official-contract test: for each operation of the connector one or more examples.
//
//   name      what the example shows
//   path, query, headers, body   the request; a body key or query parameter that the definition does not
//             have (yet) is left out and reported
//   says      the text the mocked model answers with, where the operation reads it
//   lenient   the request is accepted although the definition does not describe it
//
// An example may be a function of the answers so far, by operation: `(answers) => ({ path: ... })`.
// Together the examples of an operation must use every parameter and every body key it declares.

const base64 = (...bytes) => Buffer.concat(bytes.map((part) => Buffer.from(part))).toString("base64");

export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const PDF = base64("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
// 44 bytes of header and two samples of silence: mono, 16 bits, 8000 Hz.
const WAV = base64(
  "RIFF", [40, 0, 0, 0], "WAVEfmt ", [16, 0, 0, 0, 1, 0, 1, 0], [0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0], [2, 0, 16, 0],
  "data", [4, 0, 0, 0], [0, 0, 0, 0],
);
const MP4 = base64([0, 0, 0, 24], "ftypisom", [0, 0, 2, 0], "isommp42");

const attachments = {
  text: { name: "notes.txt", mime_type: "text/plain", content: base64("Ship on Friday.\n") },
  png: { name: "dot.png", mime_type: "image/png", content: PNG },
  linked: { name: "photo.jpg", mime_type: "image/jpeg", url: "https://example.com/photo.jpg" },
  pdf: { name: "offer.pdf", mime_type: "application/pdf", content: PDF },
  wav: { name: "call.wav", mime_type: "audio/wav", content: WAV },
  mp4: { name: "clip.mp4", mime_type: "video/mp4", content: MP4 },
};

const model = "openai/gpt-4";
const user = { role: "user", content: "What is the capital of France?" };
const citySchema = JSON.stringify({
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
});
const weatherTool = JSON.stringify([
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
]);

const sampling = {
  temperature: 0.7,
  top_p: 0.9,
  top_k: 40,
  min_p: 0.05,
  top_a: 0.1,
  frequency_penalty: 0.2,
  presence_penalty: -0.1,
  repetition_penalty: 1.1,
  seed: 42,
  stop: ["END", "STOP"],
  logit_bias: { 50256: -100 },
  logprobs: true,
  top_logprobs: 5,
  max_tokens: 100,
  user: "maker-1",
  service_tier: "flex",
  session_id: "flow-run-1",
  metadata: { flow: "Invoices", attempt: "1" },
};
const routing = {
  fallback_models: ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4"],
  provider_order: ["openai", "azure"],
  provider_only: ["openai", "azure"],
  provider_ignore: ["deepinfra"],
  provider_sort: "throughput",
  allow_fallbacks: true,
  require_parameters: false,
  data_collection: "deny",
  zero_data_retention: true,
  max_prompt_price: 30.5,
  max_completion_price: 60,
};
const manyOptions = {
  ...sampling,
  ...routing,
  reasoning_effort: "low",
  exclude_reasoning: true,
  verbosity: "low",
  web_search: true,
  web_search_max_results: 3,
  pdf_engine: "native",
  max_cost: 5,
};
// What excludes an option above, or changes the kind of answer.
const otherOptions = {
  max_completion_tokens: 2000,
  reasoning_max_tokens: 1024,
  exclude_reasoning: false,
  tools: weatherTool,
  tool_choice: "auto",
};
const jsonFormat = { response_format: "json_schema", response_schema: citySchema };

const speech = { model: "mistralai/voxtral-mini-tts-2603", input: "Hello world", voice: "en_paul_neutral" };

// The options that every generation action shares, around that action's own required fields.
const generations = (own) => [
  { name: "least", body: own },
  { name: "many options", body: { ...own, ...manyOptions } },
  { name: "reasoning budget and tools", body: { ...own, ...otherOptions } },
  { name: "in the background", body: { ...own, background_run: true } },
];

export const examples = {
  ChatCompletion: [
    ...generations({ model, ...user }),
    { name: "json schema", body: { model, ...user, ...jsonFormat }, says: '{"city":"Paris"}' },
    {
      name: "conversation",
      body: {
        model,
        system_prompt: "Answer in one word.",
        messages: [
          { role: "user", content: "What is the capital of Spain?" },
          { role: "assistant", content: "Madrid" },
        ],
        ...user,
      },
    },
    {
      name: "attachments",
      body: { model, ...user, attachments: Object.values(attachments) },
    },
    { name: "nested body", body: { model, messages: [user] }, lenient: true },
  ],
  Completion: [
    ...generations({ model, prompt: "The capital of France is" }),
    { name: "json schema", body: { model, prompt: "France?", ...jsonFormat }, says: '{"city":"Paris"}' },
  ],
  Ask: [
    ...generations({ model, user_prompt: user.content }),
    {
      name: "simple, with files",
      body: {
        supported_parameters: ["temperature"],
        model,
        format: "SIMPLE",
        user_prompt: user.content,
        system_prompt: "Answer in one word.",
        attachments: Object.values(attachments),
        response_format: "TEXT",
      },
    },
    {
      name: "advanced, as JSON",
      body: {
        model,
        format: "ADVANCED",
        messages: [
          { role: "system", content: "Answer in JSON." },
          { ...user, attachments: [attachments.png] },
        ],
        response_format: "JSON",
        response_schema: citySchema,
      },
      says: '{"city":"Paris"}',
    },
  ],
  CreateImage: [
    { name: "least", body: { model: "bytedance-seed/seedream-4.5", prompt: "A lighthouse at dawn" } },
    {
      name: "many options",
      body: {
        model: "bytedance-seed/seedream-4.5",
        prompt: "A lighthouse at dawn",
        aspect_ratio: "16:9",
        size: "0.5K",
        attachments: [attachments.png],
        n: 2,
        quality: "high",
        background: "opaque",
        output_format: "png",
        seed: 7,
        user: "maker-1",
        ...routing,
      },
    },
    {
      name: "weighted messages",
      body: {
        model: "bytedance-seed/seedream-4.5",
        image_messages: [
          { content: "A lighthouse", weight: 1 },
          { content: "people", weight: -0.5 },
        ],
        size: "2K",
      },
    },
    {
      name: "in the background",
      body: { model: "bytedance-seed/seedream-4.5", prompt: "A lighthouse at dawn", background_run: true },
    },
  ],
  CreateSpeech: [
    ...["mp3", "pcm", "wav"].map((response_format) => ({
      name: response_format,
      body: { ...speech, response_format, speed: 1.25 },
    })),
    { name: "in the background", body: { ...speech, background_run: true } },
    { name: "raw bytes", body: speech, headers: { accept: "audio/*" } },
  ],
  CreateTranscription: [
    { name: "least", body: { model: "openai/whisper-large-v3", file: attachments.wav } },
    {
      name: "all options",
      body: { model: "openai/whisper-large-v3", file: attachments.wav, language: "MA", temperature: 0.2 },
    },
    {
      name: "in the background",
      body: { model: "openai/whisper-large-v3", file: attachments.wav, background_run: true },
    },
  ],
  CreateEmbeddings: [
    { name: "one text", body: { model: "openai/text-embedding-3-small", input: "Hello", dimensions: 256 } },
    // One text only: the document's example has one vector, and a missing one is an error.
    { name: "a list", body: { model: "openai/text-embedding-3-small", inputs: ["Hello"] } },
    {
      name: "in the background",
      body: { model: "openai/text-embedding-3-small", input: "Hello", background_run: true },
    },
  ],
  Rerank: [
    {
      name: "all options",
      body: {
        model: "cohere/rerank-v3.5",
        query: "capital of France",
        documents: ["Paris is the capital of France.", "Berlin is the capital of Germany."],
        top_n: 1,
      },
    },
    {
      name: "in the background",
      body: { model: "cohere/rerank-v3.5", query: "Paris", documents: ["Paris"], background_run: true },
    },
  ],
  CreateVideo: [
    { name: "least", body: { model: "google/veo-3.1", prompt: "Waves" } },
    {
      name: "all options",
      body: {
        model: "google/veo-3.1",
        prompt: "Waves",
        duration: 8,
        resolution: "720p",
        aspect_ratio: "16:9",
        first_frame: attachments.png,
        last_frame: attachments.png,
        generate_audio: true,
        seed: 7,
      },
    },
  ],
  GetCredits: [{ name: "plain" }],
  GetKey: [{ name: "plain" }],
  GetGeneration: [{ name: "by id", query: { id: "gen-3bhGkxlo4XFrqiabUM7NDtwDzWwG" } }],
  GetModel: [{ name: "by name", path: { author: "openai", slug: "gpt-4" } }],
  ListModelEndpoints: [{ name: "by name", path: { author: "openai", slug: "gpt-4" } }],
  ListProviders: [{ name: "plain" }],
  ListModels: [
    { name: "plain" },
    {
      name: "all filters",
      query: {
        search: "gpt",
        output_modality: "text",
        input_modality: "text",
        supported_parameters: "temperature,max_tokens",
        category: "programming",
        min_context: 4000,
        max_price: 100,
        sort: "newest",
        zero_data_retention: true,
        limit: 10,
        offset: 0,
      },
    },
  ],
  WhenAModelIsAdded: [
    { name: "first look" },
    {
      name: "all filters",
      query: {
        search: "gpt",
        output_modality: "text",
        input_modality: "text",
        supported_parameters: "temperature,max_tokens",
        min_context: 4000,
        max_price: 100,
        zero_data_retention: true,
        state: "none",
      },
    },
  ],
  WhenCreditsRunLow: [
    { name: "first look", query: { threshold: 10 } },
    { name: "low", query: { threshold: 1000000, state: "armed" } },
  ],
  ListModelChoices: [
    { name: "plain" },
    { name: "filtered", query: { output_modality: "text", supported_parameters: "temperature", search: "gpt" } },
  ],
  ListAuthorChoices: [{ name: "plain" }],
  ListSlugChoices: [{ name: "by author", query: { author: "openai" } }],
  ListProviderChoices: [{ name: "plain" }],
  ListSupportedParameters: [{ name: "plain" }],
  ListVoiceChoices: [{ name: "by model", query: { model: "mistralai/voxtral-mini-tts-2603" } }],
  GetAskSchema: [
    { name: "text", query: { response_format: "TEXT" } },
    { name: "json", query: { response_format: "JSON", response_schema: citySchema } },
  ],
  GetVideo: [(answers) => ({ name: "by id", path: { video_id: answers.CreateVideo.video_id } })],
  GetJob: [(answers) => ({ name: "a video", path: { job_id: answers.CreateVideo.job_id } })],
  GetJobResult: [(answers) => ({ name: "a video", path: { job_id: answers.CreateVideo.job_id } })],
  WhenAJobFinishes: [
    {
      name: "a flow",
      body: {
        callback_url: "https://prod-00.westeurope.logic.azure.com:443/workflows/1/triggers/manual/run?sig=1",
      },
    },
  ],
  DeleteJobHook: [(answers) => ({ name: "by id", path: { id: answers.WhenAJobFinishes.id } })],
  CancelJob: [(answers) => ({ name: "a video", path: { job_id: answers.CreateVideo.job_id } })],
};
