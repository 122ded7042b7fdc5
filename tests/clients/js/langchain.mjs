// LangChain for JavaScript, with the integration that the first argument
// names, made by the lines that `llm-proxy env langchain-js` prints.
import { ChatAnthropic } from "@langchain/anthropic";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

import {
  getWeather, greeted, greetedInPieces, greeting, main, question, settings,
  used,
} from "./cells.mjs";

const [, , name] = process.argv;
const made = { openai: "ChatOpenAI", anthropic: "ChatAnthropic" }[name];
const [expression] = new RegExp(`new ${made}\\([^)]*\\)`).exec(settings);
const chat = new Function("ChatOpenAI", "ChatAnthropic",
  `return ${expression}`)(ChatOpenAI, ChatAnthropic);

await main({
  text: async () => greeted((await chat.invoke(greeting)).text),
  stream: async () => {
    const pieces = await Array.fromAsync(await chat.stream(greeting));
    greetedInPieces(pieces.map(({ text }) => text));
  },
  tools: async () => {
    const weather = tool(getWeather, {
      name: "get_weather", description: "The weather in a city.",
      schema: z.object({ city: z.string() }),
    });
    const offering = chat.bindTools([weather]);
    const messages = [new HumanMessage(question)];
    const first = await offering.invoke(messages);
    const [call] = first.tool_calls;
    messages.push(first, new ToolMessage({
      content: getWeather(call.args), tool_call_id: call.id,
    }));
    used((await offering.invoke(messages)).text);
  },
}, `@langchain/${name}`);
