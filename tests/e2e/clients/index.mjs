// The clients as rows: every official SDK generation, and plain fetch for
// what an SDK hides. All take a body of their dialect and give an Answer
// (see dialects/index.mjs), so a scenario does not know who plays it.
//
//   name, dialect
//   make({ url, key, retries }) -> session
//   modes: { create, stream, helper }: (session, body) -> Answer
//   events(session, body)  the stream, event by event
import * as Google3 from "@google/genai";
import * as Google1 from "genai1";
import * as Anthropic1 from "@anthropic-ai/sdk";
import * as anthropic1Schema from "@anthropic-ai/sdk/helpers/json-schema";
import * as anthropic1Tools from "@anthropic-ai/sdk/helpers/beta/json-schema";
import * as anthropic1Zod from "@anthropic-ai/sdk/helpers/zod";
import * as Anthropic0 from "anthropic0";
import * as anthropic0Schema from "anthropic0/helpers/json-schema";
import * as anthropic0Tools from "anthropic0/helpers/beta/json-schema";
import * as anthropic0Zod from "anthropic0/helpers/zod";
import * as Groq1 from "groq-sdk";
import * as OpenAI6 from "openai";
import * as openai6Zod from "openai/helpers/zod";
import * as OpenAI7 from "openai7";
import * as openai7Zod from "openai7/helpers/zod";

import { dialects } from "../dialects/index.mjs";
import { bedrockClient, converseClient } from "./amazon.mjs";
import { anthropicClient } from "./anthropic.mjs";
import { googleClient } from "./google.mjs";
import { groqClient, openaiClient } from "./openai.mjs";
import { responsesClient } from "./openai_responses.mjs";
import { rawClient } from "./raw.mjs";

export const sdks = [
  openaiClient("openai 6", OpenAI6, openai6Zod),
  openaiClient("openai 7", OpenAI7, openai7Zod),
  anthropicClient("anthropic 0", Anthropic0,
    { ...anthropic0Schema, ...anthropic0Zod, ...anthropic0Tools }),
  anthropicClient("anthropic 1", Anthropic1,
    { ...anthropic1Schema, ...anthropic1Zod, ...anthropic1Tools }),
];

/** SDKs that only the scenarios and the failures are played by. */
export const others = [
  groqClient("groq 1", Groq1),
  responsesClient("openai 6 responses", OpenAI6, openai6Zod),
  responsesClient("openai 7 responses", OpenAI7, openai7Zod),
  googleClient("genai 1", Google1),
  googleClient("genai 3", Google3),
  bedrockClient,
  converseClient,
];

export const raws = dialects.map(rawClient);

export const clients = [...sdks, ...raws];

export const rawOf = (dialect) =>
  raws.find((client) => client.dialect.name === dialect.name);
