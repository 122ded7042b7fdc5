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

// ---- bedrock: claude's body, but for what stands elsewhere or is not there

std::string check_bedrock(json::Value root, const TargetTraits& traits) {
  if (root["anthropic_version"].string().empty()) return "anthropic_version";
  for (const std::string_view field :
       {"model", "stream", "service_tier", "cache_control", "container",
        "mcp_servers", "inference_geo", "speed"}) {
    if (root[field]) return "a field Bedrock lacks: " + std::string(field);
  }
  for (const std::string_view text :
       {R"("type":"url")", R"("type":"file")", R"("type":"server_tool_use")",
        R"("type":"web_search_)"}) {
    if (root.raw().find(text) != std::string_view::npos) {
      return "what Bedrock lacks: " + std::string(text);
    }
  }
  return check_claude(root, traits);
}

// ---- bedrock-converse

std::string check_converse_block(json::Value block) {
  if (block.size() != 1) return "a block with several members";
  const json::Value member = *block.children().begin();
  if (member.key() == "text" && is_blank(member.string())) return "blank text";
  if (member.key() == "toolUse") {
    if (!is_word(member["toolUseId"].string(), 64)) return "toolUseId";
    if (!is_word(member["name"].string(), 64)) return "name of a call";
    if (!member["input"].is_object()) return "input is not an object";
  }
  if (member.key() == "image" || member.key() == "document") {
    if (!member["format"].is_string()) return "no format";
    if (member["source"].size() != 1) return "source";
  }
  if (member.key() == "toolResult" && !member["content"].is_array()) {
    return "content of a toolResult";
  }
  return "";
}

// Blocks of a user turn: results first, and all of them.
std::string check_converse_results(json::Value content, Ids& waiting) {
  bool other = false;
  for (const json::Value block : content.children()) {
    if (block["cachePoint"]) continue;
    const json::Value result = block["toolResult"];
    if (!result) {
      other = true;
      continue;
    }
    if (other) return "a toolResult after another block";
    if (waiting.erase(std::string(result["toolUseId"].string())) == 0) {
      return "a toolResult that answers no call";
    }
  }
  return waiting.empty() ? "" : "a toolUse without its toolResult";
}

std::string check_converse_turn(json::Value message, Ids& waiting, bool& calls,
                                Ids& documents) {
  const json::Value content = message["content"];
  if (content.size() == 0) return "content is []";
  if (std::string rule = check_converse_results(content, waiting);
      !rule.empty()) {
    return rule;
  }
  bool text = false;
  bool document = false;
  for (const json::Value block : content.children()) {
    if (std::string rule = check_converse_block(block); !rule.empty()) {
      return rule;
    }
    text = text || block["text"];
    const std::string name(block["document"]["name"].string());
    document = document || block["document"];
    if (block["document"] && !documents.insert(name).second) {
      return "two documents named " + name;
    }
    if (!block["toolUse"]) continue;
    calls = true;
    if (!waiting.insert(std::string(block["toolUse"]["toolUseId"].string()))
             .second) {
      return "two calls of the same id";
    }
  }
  return document && !text ? "a document without a text" : "";
}

std::string check_converse_messages(json::Value root,
                                    const TargetTraits& traits) {
  Ids waiting;
  Ids documents;
  std::string_view before;
  bool calls = false;
  for (const json::Value message : root["messages"].children()) {
    const std::string_view role = message["role"].string();
    if (before.empty() && role != "user") return "the first role is not user";
    if (role == before) return "two messages of role " + std::string(role);
    if (role == "system" && !traits.system_in_messages) return "role system";
    if (std::string rule =
            check_converse_turn(message, waiting, calls, documents);
        !rule.empty()) {
      return rule;
    }
    before = role;
  }
  if (!waiting.empty()) return "a toolUse without its toolResult at the end";
  if (before == "assistant" && !traits.prefill) {
    return "a trailing assistant message";
  }
  return calls && !root["toolConfig"] ? "calls without toolConfig" : "";
}

std::string check_converse_tools(json::Value config) {
  if (!config) return "";
  if (config["tools"].size() == 0) return "tools is empty";
  Ids names;
  for (const json::Value tool : config["tools"].children()) {
    if (tool.size() != 1) return "a tool with several members";
    const json::Value spec = tool["toolSpec"];
    if (!spec) continue;
    const std::string name(spec["name"].string());
    if (!is_word(name, 64)) return "tool name '" + name + "'";
    if (!names.insert(name).second) return "two tools named " + name;
    if (spec["description"] && spec["description"].string().empty()) {
      return "an empty description";
    }
    if (spec["inputSchema"]["json"]["type"].string() != "object") {
      return "inputSchema is not an object's";
    }
  }
  const json::Value choice = config["toolChoice"];
  if (choice && choice.size() != 1) return "toolChoice";
  const std::string chosen(choice["tool"]["name"].string());
  return !chosen.empty() && !names.contains(chosen) ? "toolChoice names no tool"
                                                    : "";
}

std::string check_bedrock_converse(json::Value root,
                                   const TargetTraits& traits) {
  constexpr std::array<std::string_view, 12> kMembers = {
      "messages",
      "system",
      "inferenceConfig",
      "toolConfig",
      "additionalModelRequestFields",
      "additionalModelResponseFieldPaths",
      "outputConfig",
      "guardrailConfig",
      "promptVariables",
      "requestMetadata",
      "performanceConfig",
      "serviceTier"};
  for (const json::Value member : root.children()) {
    if (std::find(kMembers.begin(), kMembers.end(), member.key()) ==
        kMembers.end()) {
      return "unknown member " + std::string(member.key());
    }
  }
  if (root["messages"].size() == 0) return "messages is empty";
  if (count_of(root.raw(), "\"cachePoint\"") > 4) return "5 cache points";
  for (const json::Value block : root["system"].children()) {
    if (std::string rule = check_converse_block(block); !rule.empty()) {
      return rule;
    }
  }
  const json::Value inference = root["inferenceConfig"];
  if (inference["maxTokens"] && !(*inference["maxTokens"].number() >= 1)) {
    return "maxTokens";
  }
  const json::Value temperature = inference["temperature"];
  if (temperature && !(*temperature.number() <= 1.0)) return "temperature > 1";
  const json::Value schema =
      root["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"];
  if (schema && !json::is_json_object(schema.string())) {
    return "the schema is no text of an object";
  }
  if (std::string rule = check_converse_tools(root["toolConfig"]);
      !rule.empty()) {
    return rule;
  }
  return check_converse_messages(root, traits);
}

struct DialectRow {
  std::string_view dialect;
  std::string (*broken_rule)(json::Value root, const TargetTraits& traits);
};
constexpr DialectRow kDialects[] = {
    {"openai-chat", check_openai_chat},
    {"claude", check_claude},
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
  if (dialect.model_in_path() == static_cast<bool>((*root)["model"])) {
    return "model";
  }
  for (const DialectRow& row : kDialects) {
    if (row.dialect == dialect.name) return row.broken_rule(*root, traits);
  }
  return "no rules for " + std::string(dialect.name);
}

}  // namespace llmproxy::testing
