// The `@google/genai` package, any generation, as a client row.
import * as dialect from "../dialects/gemini.mjs";

/** The body of the API as the SDK's parameters. */
function parameters({ model, contents, generationConfig, ...rest }) {
  return { model, contents, config: { ...rest, ...generationConfig } };
}

async function* eventsOf(sdk, body) {
  yield* await sdk.models.generateContentStream(parameters(body));
}

export const googleClient = (name, module) => ({
  name,
  dialect,
  errors: module,

  make: ({ url, key = "client-key", headers }) => new module.GoogleGenAI({
    apiKey: key, httpOptions: { baseUrl: url, headers },
  }),

  modes: {
    create: async (sdk, body) =>
      dialect.read(await sdk.models.generateContent(parameters(body))),
    stream: async (sdk, body) =>
      dialect.readEvents(await Array.fromAsync(eventsOf(sdk, body))),
  },

  events: eventsOf,
  loops: {},
  parsers: {},
});
