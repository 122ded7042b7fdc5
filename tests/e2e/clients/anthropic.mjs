// The `@anthropic-ai/sdk` package, any generation, as a client row.
import * as dialect from "../dialects/claude.mjs";

async function* eventsOf(sdk, body) {
  yield* await sdk.messages.create({ ...body, stream: true });
}

export const anthropicClient = (name, module, helpers) => ({
  name,
  dialect,
  errors: module,

  make: ({ url, key = "client-key", retries = 0, headers }) =>
    new module.Anthropic({
      apiKey: key, authToken: null, baseURL: url, maxRetries: retries,
      defaultHeaders: headers,
    }),

  modes: {
    create: async (sdk, body) =>
      dialect.read(await sdk.messages.create(body)),
    stream: async (sdk, body) =>
      dialect.readEvents(await Array.fromAsync(eventsOf(sdk, body))),
    helper: async (sdk, body) =>
      dialect.read(await sdk.messages.stream(body).finalMessage()),
  },

  events: eventsOf,

  /** The SDK's own tool loop; `run` gets parsed arguments. */
  loops: {
    toolRunner: (sdk, body, run) => loop(sdk, body, run, helpers, false),
    "toolRunner streaming": (sdk, body, run) =>
      loop(sdk, body, run, helpers, true),
  },

  /** Structured output by the SDK's parsers: the parsed value. */
  parsers: {
    parse: async (sdk, body, schema) => {
      const format = helpers.zodOutputFormat(schema);
      const answer =
        await sdk.messages.parse({ ...body, output_config: { format } });
      return answer.parsed_output;
    },
    "parse, JSON schema": async (sdk, body, _, jsonSchema) => {
      const format = helpers.jsonSchemaOutputFormat(jsonSchema);
      const answer =
        await sdk.messages.parse({ ...body, output_config: { format } });
      return answer.parsed_output;
    },
    "stream helper": async (sdk, body, schema) => {
      const format = helpers.zodOutputFormat(schema);
      const answer = await sdk.messages.stream(
        { ...body, output_config: { format } }).finalMessage();
      return answer.parsed_output;
    },
  },

  models: async (sdk) => (await Array.fromAsync(sdk.models.list()))
    .map((model) => model.id),
});

async function loop(sdk, body, run, { betaTool }, stream) {
  const tools = body.tools.map((tool) => betaTool({
    name: tool.name, description: tool.description,
    inputSchema: tool.input_schema,
    run: (args) => run({ name: tool.name, args }),
  }));
  const runner = sdk.beta.messages.toolRunner({ ...body, tools, stream });
  const message = await runner.runUntilDone();
  return dialect.read(message).text;
}
