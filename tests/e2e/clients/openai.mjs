// The `openai` package, any generation, as a client row; and `groq-sdk`,
// which has the calls of that package but not its helpers.
import * as dialect from "../dialects/openai_chat.mjs";

async function* eventsOf(sdk, body) {
  yield* await sdk.chat.completions.create({ ...body, stream: true });
}

const create = async (sdk, body) =>
  dialect.read(await sdk.chat.completions.create(body));

const stream = async (sdk, body) => dialect.readEvents(
  await Array.fromAsync(eventsOf(sdk,
    { ...body, stream_options: { include_usage: true } })));

const models = async (sdk) => (await Array.fromAsync(sdk.models.list()))
  .map((model) => model.id);

export const openaiClient = (name, module, { zodResponseFormat }) => ({
  name,
  dialect,
  errors: module,

  make: ({ url, key = "client-key", retries = 0, headers }) =>
    new module.OpenAI({
      apiKey: key, baseURL: `${url}/v1`, maxRetries: retries,
      defaultHeaders: headers, organization: null, project: null,
    }),

  modes: {
    create,
    stream,
    helper: async (sdk, body) => dialect.read(
      await sdk.chat.completions.stream(
        { ...body, stream_options: { include_usage: true } })
        .finalChatCompletion()),
  },

  events: eventsOf,

  /** The SDK's own tool loop; `run` gets parsed arguments. */
  loops: {
    runTools: (sdk, body, run) => loop(sdk, body, run, false),
    "runTools streaming": (sdk, body, run) => loop(sdk, body, run, true),
  },

  /** Structured output by the SDK's parsers: the parsed value. */
  parsers: {
    parse: async (sdk, body, schema) => {
      const answer = await sdk.chat.completions.parse(
        { ...body, response_format: zodResponseFormat(schema, "city") });
      return answer.choices[0].message.parsed;
    },
    "stream helper": async (sdk, body, schema) => {
      const answer = await sdk.chat.completions.stream(
        { ...body, response_format: zodResponseFormat(schema, "city") })
        .finalChatCompletion();
      return answer.choices[0].message.parsed;
    },
  },

  models,
});

/** Adds `/openai/v1` to the base URL by itself. */
export const groqClient = (name, module) => ({
  name,
  dialect,
  errors: module,

  make: ({ url, key = "client-key", retries = 0, headers }) =>
    new module.Groq({
      apiKey: key, baseURL: url, maxRetries: retries, defaultHeaders: headers,
    }),

  modes: { create, stream },
  events: eventsOf,
  loops: {},
  parsers: {},
  models: async (sdk) => (await sdk.models.list()).data.map(({ id }) => id),
});

async function loop(sdk, body, run, stream) {
  const tools = body.tools.map(({ type, function: tool }) => ({
    type,
    function: {
      ...tool, parse: JSON.parse,
      function: (args) => run({ name: tool.name, args }),
    },
  }));
  const runner = sdk.chat.completions.runTools({ ...body, tools, stream });
  return runner.finalContent();
}
