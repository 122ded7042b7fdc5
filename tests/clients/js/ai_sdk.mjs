// Vercel's AI SDK, with the provider that the first argument names and the
// base URLs that `llm-proxy env ai-sdk` prints.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import {
  getWeather, greeted, greetedInPieces, greeting, key, main, model, question,
  settings, used,
} from "./cells.mjs";

/** The text between quotes behind `baseURL`, in the lines about `name`. */
function baseOf(name) {
  const lines = name === "openai" ? settings
    : settings.split("\n").find((line) => line.includes(`@ai-sdk/${name}`));
  return /baseURL:? "([^"]+)"/.exec(lines)[1];
}

const [, , name] = process.argv;
const create = {
  openai: createOpenAI, anthropic: createAnthropic,
  google: createGoogleGenerativeAI,
}[name];
const chat = create({ baseURL: baseOf(name), apiKey: key })(model);

await main({
  text: async () => {
    const { text } = await generateText({ model: chat, prompt: greeting });
    greeted(text);
  },
  stream: async () => {
    const { textStream } = streamText({ model: chat, prompt: greeting });
    greetedInPieces(await Array.fromAsync(textStream));
  },
  tools: async () => {
    const { text } = await generateText({
      model: chat, prompt: question, stopWhen: stepCountIs(3),
      tools: {
        get_weather: tool({
          description: "The weather in a city.",
          inputSchema: z.object({ city: z.string() }), execute: getWeather,
        }),
      },
    });
    used(text);
  },
}, "ai", `@ai-sdk/${name}`);
