// The Responses API of the `openai` package, any generation, as a client row.
import * as dialect from "../dialects/openai_responses.mjs";

async function* eventsOf(sdk, body) {
  yield* await sdk.responses.create({ ...body, stream: true });
}

export const responsesClient = (name, module, { zodTextFormat }) => ({
  name,
  dialect,
  errors: module,

  make: ({ url, key = "client-key", retries = 0, headers }) =>
    new module.OpenAI({
      apiKey: key, baseURL: `${url}/v1`, maxRetries: retries,
      defaultHeaders: headers, organization: null, project: null,
    }),

  modes: {
    create: async (sdk, body) =>
      dialect.read(await sdk.responses.create(body)),
    stream: async (sdk, body) =>
      dialect.readEvents(await Array.fromAsync(eventsOf(sdk, body))),
    helper: async (sdk, body) =>
      dialect.read(await sdk.responses.stream(body).finalResponse()),
  },

  events: eventsOf,
  loops: {},

  parsers: {
    parse: async (sdk, body, schema) => {
      const answer = await sdk.responses.parse(
        { ...body, text: { format: zodTextFormat(schema, "city") } });
      return answer.output_parsed;
    },
  },
});
