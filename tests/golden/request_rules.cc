// What a dialect's servers demand of a request. See request_rules.h. The
// rules are written against the wire, with nothing of the encoders in them.
#include "golden/request_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "json/json.h"

namespace llmproxy::testing {
namespace {

using Ids = std::set<std::string>;

bool is_word(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '_' || c == '-';
         });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Names of the tools; a rule when one is broken.
std::string check_tools(json::Value root, bool wrapped, std::size_t longest) {
  const json::Value tools = root["tools"];
  if (tools && tools.size() == 0) return "tools is empty";
  for (const std::string_view field : {"tool_choice", "parallel_tool_calls"}) {
    if (root[field] && !tools) return std::string(field) + " without tools";
  }
  Ids names;
  for (const json::Value tool : tools.children()) {
    const json::Value inner = wrapped ? tool[tool["type"].string()] : tool;
    const std::string name(inner["name"].string());
    if (!is_word(name, longest)) return "tool name '" + name + "'";
    if (!names.insert(name).second) return "two tools named " + name;
    if (!wrapped && !tool["type"] &&
        tool["input_schema"]["type"].string() != "object") {
      return "input_schema is not an object's";
    }
  }
  const json::Value choice = root["tool_choice"];
  const std::string chosen(wrapped ? choice["function"]["name"].string()
                                   : choice["name"].string());
  if (!chosen.empty() && !names.contains(chosen)) {
    return "tool_choice names no tool";
  }
  return "";
}

// ---- openai-chat

std::string check_openai_content(json::Value message,
                                 const TargetTraits& traits) {
  const std::string_view role = message["role"].string();
  const json::Value content = message["content"];
  if (content.is_array() && content.size() == 0) return "content is []";
  for (const json::Value part : content.children()) {
    const std::string_view type = part["type"].string();
    const bool image_in_result =
        role == "tool" && type == "image_url" && traits.tool_result_images;
    if (role != "user" && type != "text" && type != "refusal" &&
        !image_in_result) {
      return std::string(type) + " in a message of role " + std::string(role);
    }
    if (type == "image_url" && part["image_url"]["url"].string().empty()) {
      return "image_url without url";
    }
  }
  return "";
}

std::string check_openai_messages(json::Value messages,
                                  const TargetTraits& traits) {
  Ids waiting;
  for (const json::Value message : messages.children()) {
    if (std::string rule = check_openai_content(message, traits);
        !rule.empty()) {
      return rule;
    }
    const std::string_view role = message["role"].string();
    if (role == "tool") {
      if (waiting.erase(std::string(message["tool_call_id"].string())) == 0) {
        return "a tool message that answers no call before it";
      }
      continue;
    }
    if (!waiting.empty()) return "a call without its tool message";
    if (role != "assistant") continue;
    const json::Value calls = message["tool_calls"];
    if (calls && calls.size() == 0) return "tool_calls is []";
    for (const json::Value call : calls.children()) {
      const std::string_view type = call["type"].string();
      if (type == "function" && !call["function"]["arguments"].is_string()) {
        return "arguments is no string";
      }
      if (!waiting.insert(std::string(call["id"].string())).second) {
        return "two calls of the same id";
      }
    }
    if (calls.size() == 0 && message["content"].absent() &&
        !message["refusal"].is_string() && !message["function_call"]) {
      return "an assistant message that says nothing";
    }
  }
  return waiting.empty() ? "" : "a call without its tool message at the end";
}

std::string check_openai_chat(json::Value root, const TargetTraits& traits) {
  if (root["messages"].size() == 0) return "messages is empty";
  if (root["max_tokens"] && root["max_completion_tokens"]) {
    return "both max_tokens and max_completion_tokens";
  }
  if (root["max_tokens"] && traits.max_completion_tokens) return "max_tokens";
  if (root["stop"].is_array() &&
      (root["stop"].size() == 0 || root["stop"].size() > 4)) {
    return "stop takes 1 to 4";
  }
  for (const std::string_view field :
       {"top_k", "thinking", "output_config", "system", "stop_sequences",
        "context_management"}) {
    if (root[field]) return "a field of another dialect: " + std::string(field);
  }
  if (!traits.cache_markers &&
      root.raw().find("\"cache_control\"") != std::string_view::npos) {
    return "cache_control";
  }
  if (std::string rule = check_tools(root, true, 64); !rule.empty()) {
    return rule;
  }
  return check_openai_messages(root["messages"], traits);
}

// ---- claude

constexpr std::array<std::string_view, 4> kImages = {"image/jpeg", "image/png",
                                                     "image/gif", "image/webp"};

std::string check_claude_text(json::Value block) {
  if (block["type"].string() != "text") return "";
  return is_blank(block["text"].string()) ? "an empty text block" : "";
}

std::string check_claude_blocks(json::Value content) {
  if (content.is_string()) {
    return is_blank(content.string()) ? "empty content" : "";
  }
  if (content.size() == 0) return "content is []";
  for (const json::Value block : content.children()) {
    if (std::string rule = check_claude_text(block); !rule.empty()) return rule;
    if (block["type"].string() == "tool_use") {
      if (!is_word(block["id"].string(), 1024)) return "tool_use id";
      if (!block["input"].is_object()) return "input is not an object";
    }
    if (block["type"].string() == "thinking" &&
        block["signature"].string().empty()) {
      return "thinking without a signature";
    }
    const std::string_view media = block["source"]["media_type"].string();
    if (block["type"].string() == "image" && !media.empty() &&
        std::find(kImages.begin(), kImages.end(), media) == kImages.end()) {
      return "image type " + std::string(media);
    }
  }
  return "";
}

// Results come first, answer all calls of the message before, and nothing
// else.
std::string check_claude_results(json::Value message, Ids& waiting) {
  bool other = false;
  for (const json::Value block : message["content"].children()) {
    if (block["type"].string() != "tool_result") {
      other = true;
      continue;
    }
    if (other) return "a tool_result after another block";
    if (waiting.erase(std::string(block["tool_use_id"].string())) == 0) {
      return "a tool_result that answers no call";
    }
  }
  return waiting.empty() ? "" : "a tool_use without its tool_result";
}

std::string check_claude_messages(json::Value messages,
                                  const TargetTraits& traits) {
  Ids waiting;
  std::string_view before;
  json::Value last;
  for (const json::Value message : messages.children()) {
    const std::string_view role = message["role"].string();
    if (before.empty() && role != "user") return "the first role is not user";
    if (role == before) return "two messages of role " + std::string(role);
    if (role == "system" && !traits.system_in_messages) return "role system";
    if (std::string rule = check_claude_blocks(message["content"]);
        !rule.empty()) {
      return rule;
    }
    if (std::string rule = check_claude_results(message, waiting);
        !rule.empty()) {
      return rule;
    }
    if (role == "assistant") {
      for (const json::Value block : message["content"].children()) {
        if (block["type"].string() != "tool_use") continue;
        if (!waiting.insert(std::string(block["id"].string())).second) {
          return "two calls of the same id";
        }
      }
    }
    before = role;
    last = message;
  }
  if (!waiting.empty()) return "a tool_use without its tool_result at the end";
  if (before != "assistant") return "";
  if (!traits.prefill) return "a trailing assistant message";
  std::string_view text = last["content"].string();
  for (const json::Value block : last["content"].children()) {
    text = block["text"].string();
  }
  return !text.empty() && is_blank(text.substr(text.size() - 1))
             ? "a trailing assistant message that ends in white space"
             : "";
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

std::string check_claude_sampling(json::Value root,
                                  const TargetTraits& traits) {
  const json::Value temperature = root["temperature"];
  const json::Value top_p = root["top_p"];
  if (temperature && !(*temperature.number() <= 1.0)) return "temperature > 1";
  if (!traits.sampling && (temperature || top_p || root["top_k"])) {
    return "sampling parameters this model refuses";
  }
  if (!traits.sampling_pair && temperature && top_p) {
    return "temperature and top_p";
  }
  const json::Value thinking = root["thinking"];
  if (thinking["type"].string() != "enabled") return "";
  if (temperature || root["top_k"]) return "sampling with thinking";
  const std::string_view choice = root["tool_choice"]["type"].string();
  if (choice == "any" || choice == "tool") return "forced tool with thinking";
  const auto budget = thinking["budget_tokens"].integer();
  if (!budget || *budget < 1024 || *budget >= *root["max_tokens"].integer()) {
    return "budget_tokens";
  }
  return "";
}

std::string check_claude(json::Value root, const TargetTraits& traits) {
  if (!root["max_tokens"].integer() || *root["max_tokens"].integer() < 0) {
    return "max_tokens";
  }
  if (root["messages"].size() == 0) return "messages is empty";
  for (const json::Value block : root["system"].children()) {
    if (std::string rule = check_claude_text(block); !rule.empty()) return rule;
  }
  if (count_of(root.raw(), "\"cache_control\"") > 4) return "5 cache marks";
  for (const std::string_view field :
       {"stop", "n", "seed", "response_format", "max_completion_tokens",
        "reasoning_effort", "frequency_penalty", "presence_penalty", "user",
        "parallel_tool_calls", "stream_options"}) {
    if (root[field]) return "a field of another dialect: " + std::string(field);
  }
  if (std::string rule = check_tools(root, false, 128); !rule.empty()) {
    return rule;
  }
  if (std::string rule = check_claude_sampling(root, traits); !rule.empty()) {
    return rule;
  }
  return check_claude_messages(root["messages"], traits);
}

// ---- openai-responses

std::string check_items(json::Value input) {
  Ids calls;
  Ids results;
  for (const json::Value item : input.children()) {
    const std::string_view type = item["type"].string();
    const std::string id(item["call_id"].string());
    if (type == "function_call" || type == "custom_tool_call") {
      if (item["name"].string().empty()) return "a call without name";
      if (!calls.insert(id).second) return "two calls with one id";
    } else if (type.ends_with("call_output")) {
      if (!calls.contains(id)) return "a result without its call";
      if (!results.insert(id).second) return "two results of one call";
    } else if (type == "message") {
      const bool model = item["role"].string() == "assistant";
      for (const json::Value part : item["content"].children()) {
        const std::string_view kind = part["type"].string();
        const bool of_model = kind == "output_text" || kind == "refusal";
        if (of_model != model) return "a part of the other side";
      }
    }
  }
  return calls == results ? "" : "a call without its result";
}

std::string check_openai_responses(json::Value root,
                                   const TargetTraits& traits) {
  for (const std::string_view field :
       {"messages", "stop", "n", "seed", "response_format", "max_tokens",
        "reasoning_effort", "frequency_penalty", "presence_penalty",
        "stream_options", "system"}) {
    if (root[field]) return "a field of another dialect: " + std::string(field);
  }
  const auto limit = root["max_output_tokens"].integer();
  if (limit && *limit < 16) return "max_output_tokens below 16";
  Ids names;
  for (const json::Value tool : root["tools"].children()) {
    const std::string name(tool["name"].string());
    if (!is_word(name, 128)) return "tool name '" + name + "'";
    if (!names.insert(name).second) return "two tools named " + name;
    if (tool["type"].string() == "function" && traits.strict_tools &&
        !tool["strict"]) {
      return "a function without strict";
    }
  }
  const std::string chosen(root["tool_choice"]["name"].string());
  if (!chosen.empty() && !names.contains(chosen)) {
    return "tool_choice names no tool";
  }
  return check_items(root["input"]);
}

// ---- gemini

std::string check_contents(json::Value contents) {
  std::string before;
  std::size_t open_calls = 0;
  if (contents.size() == 0) return "no contents";
  for (const json::Value content : contents.children()) {
    const std::string role(content["role"].string());
    if (role != "user" && role != "model") return "role " + role;
    if (role == before) return "two turns of one role";
    if (before.empty() && role != "user") return "the model speaks first";
    before = role;
    if (content["parts"].size() == 0) return "a content without parts";
    std::size_t calls = 0;
    std::size_t results = 0;
    for (const json::Value part : content["parts"].children()) {
      if (part["text"] && part["text"].string().empty() &&
          !part["thoughtSignature"]) {
        return "an empty text";
      }
      calls += part["functionCall"] ? 1 : 0;
      const json::Value result = part["functionResponse"];
      results += result ? 1 : 0;
      if (result && (result["name"].string().empty() ||
                     !result["response"].is_object())) {
        return "functionResponse without name or response";
      }
    }
    if (role == "user" && results != open_calls) {
      return "results do not answer the calls";
    }
    if (role == "model" && results > 0) return "a result of the model";
    open_calls = calls;
  }
  return open_calls == 0 ? "" : "a call without its result";
}

std::string check_gemini(json::Value root, const TargetTraits& traits) {
  constexpr std::string_view kKnown[] = {
      "contents",   "systemInstruction", "tools",
      "toolConfig", "safetySettings",    "generationConfig",
      "labels",     "serviceTier",       "cachedContent",
      "store",      "modelArmorConfig"};
  for (const json::Value member : root.children()) {
    const bool known = std::find(std::begin(kKnown), std::end(kKnown),
                                 member.key()) != std::end(kKnown);
    // The runner's own field travels within the dialect.
    if (!known && !member.key().starts_with("x_golden")) {
      return "a field Gemini does not know: " + std::string(member.key());
    }
  }
  Ids names;
  for (const json::Value tool : root["tools"].children()) {
    for (const json::Value f : tool["functionDeclarations"].children()) {
      const std::string name(f["name"].string());
      if (!is_word(name, 64)) return "function name '" + name + "'";
      if (!names.insert(name).second) return "two functions named " + name;
    }
  }
  const json::Value config = root["generationConfig"];
  if (config["stopSequences"].size() > 5) return "6 stop sequences";
  const json::Value thinking = config["thinkingConfig"];
  if (thinking["thinkingBudget"] && thinking["thinkingLevel"]) {
    return "budget and level";
  }
  if (!traits.tools_with_format && names.size() > 0 &&
      config["responseMimeType"]) {
    return "functions and a response format";
  }
  for (const json::Value name :
       root["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"]
           .children()) {
    if (!names.contains(std::string(name.string()))) {
      return "an allowed function that is not declared";
    }
  }
  return check_contents(root["contents"]);
}

// ---- bedrock, bedrock-converse

std::string check_bedrock(json::Value root, const TargetTraits& traits) {
  for (const std::string_view field : {"model", "stream", "service_tier"}) {
    if (root[field]) return "a field Bedrock refuses: " + std::string(field);
  }
  if (root["anthropic_version"].string().empty()) return "no version";
  // What the client itself wrote in this body is its own business.
  return check_claude_messages(root["messages"], traits);
}

std::string check_blocks(json::Value content, Ids& calls, Ids& results) {
  if (content.size() == 0) return "a message without content";
  for (const json::Value block : content.children()) {
    if (block.size() != 1 &&
        block.raw().find("x_golden") == std::string_view::npos) {
      return "not one member in a block";
    }
    const json::Value text = block["text"];
    if (text && is_blank(text.string())) return "a blank text";
    const json::Value use = block["toolUse"];
    if (use) {
      if (!use["input"].is_object()) return "input is no object";
      if (!is_word(use["name"].string(), 64)) return "a tool name";
      calls.insert(std::string(use["toolUseId"].string()));
    }
    const json::Value result = block["toolResult"];
    if (!result) continue;
    if (result["content"].size() == 0) return "a result without content";
    const std::string id(result["toolUseId"].string());
    if (!calls.contains(id)) return "a result without its call";
    results.insert(id);
  }
  return "";
}

std::string check_bedrock_converse(json::Value root, const TargetTraits&) {
  for (const std::string_view field :
       {"model", "stream", "max_tokens", "tools", "tool_choice", "stop",
        "temperature", "metadata", "thinking"}) {
    if (root[field]) return "a field of another dialect: " + std::string(field);
  }
  std::string before;
  Ids calls;
  Ids results;
  for (const json::Value message : root["messages"].children()) {
    const std::string role(message["role"].string());
    if (role == before) return "two turns of one role";
    if (before.empty() && role != "user") return "the model speaks first";
    before = role;
    std::string rule = check_blocks(message["content"], calls, results);
    if (!rule.empty()) return rule;
  }
  if (calls != results) return "a call without its result";
  const json::Value config = root["toolConfig"];
  if (config && config["tools"].size() == 0) return "toolConfig without tools";
  return calls.empty() || config ? "" : "calls without toolConfig";
}

struct DialectRow {
  std::string_view dialect;
  std::string (*broken_rule)(json::Value root, const TargetTraits& traits);
};
constexpr DialectRow kDialects[] = {
    {"openai-chat", check_openai_chat},
    {"claude", check_claude},
    {"openai-responses", check_openai_responses},
    {"gemini", check_gemini},
    {"bedrock", check_bedrock},
    {"bedrock-converse", check_bedrock_converse},
};

}  // namespace

std::string broken_request_rule(const Dialect& dialect,
                                const TargetTraits& traits,
                                std::string_view body) {
  json::Document document;
  const Result<json::Value> root = document.parse(body);
  if (!root) return "not JSON: " + root.error().message;
  if ((*root)["model"].string().empty() != dialect.model_in_path()) {
    return "the model is in the wrong place";
  }
  for (const DialectRow& row : kDialects) {
    if (row.dialect == dialect.name) return row.broken_rule(*root, traits);
  }
  return "no rules for " + std::string(dialect.name);
}

}  // namespace llmproxy::testing
