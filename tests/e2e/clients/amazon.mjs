// The clients of Bedrock: Amazon's own SDK (Converse), and Anthropic's
// (InvokeModel).
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";

import * as bedrock from "../dialects/bedrock.mjs";
import * as converse from "../dialects/bedrock_converse.mjs";

async function* converseEvents(sdk, body) {
  const answer = await sdk.send(new ConverseStreamCommand(body));
  yield* answer.stream;
}

export const converseClient = {
  name: "client-bedrock-runtime",
  dialect: converse,

  // By itself the SDK speaks HTTP/2 even to plain http: URLs.
  make: ({ url, key = "client-key" }) => new BedrockRuntimeClient({
    region: "us-east-1", endpoint: url, token: { token: key },
    authSchemePreference: ["httpBearerAuth"], maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  }),

  modes: {
    create: async (sdk, body) =>
      converse.read(await sdk.send(new ConverseCommand(body))),
    stream: async (sdk, body) => converse.readEvents(
      await Array.fromAsync(converseEvents(sdk, body))),
  },

  events: converseEvents,
  loops: {},
  parsers: {},
};

async function* bedrockEvents(sdk, body) {
  yield* await sdk.messages.create({ ...body, stream: true });
}

export const bedrockClient = {
  name: "bedrock-sdk",
  dialect: bedrock,

  make: ({ url, key = "client-key", headers }) => new AnthropicBedrock({
    apiKey: key, awsRegion: "us-east-1", baseURL: url, maxRetries: 0,
    defaultHeaders: headers,
  }),

  modes: {
    create: async (sdk, body) =>
      bedrock.read(await sdk.messages.create(body)),
    stream: async (sdk, body) => bedrock.readEvents(
      await Array.fromAsync(bedrockEvents(sdk, body))),
  },

  events: bedrockEvents,
  loops: {},
  parsers: {},
};
