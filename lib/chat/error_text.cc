#include "chat/error_text.h"

#include <array>

#include "base/text.h"
#include "json/text.h"

namespace llmproxy {
namespace {

constexpr std::size_t kMaxText = 500;  // bytes; an error page is not an essay

/// Phrases of providers for a prompt that does not fit, in lower case.
constexpr std::array<std::string_view, 8> kTooLong = {
    "maximum context length",                // OpenAI, vLLM, DeepSeek
    "prompt is too long",                    // Anthropic
    "exceed context limit",                  // Anthropic: input plus max_tokens
    "context length exceeded",               // Groq and others
    "input token count exceeds",             // Gemini
    "exceeds the context window",            // OpenAI Responses
    "exceed the available context",          // llama.cpp
    "input is too long for requested model"  // Bedrock
};

constexpr std::string_view kNoText =
    "the upstream answered with an error and no text";

std::string bounded(std::string_view text) {
  std::string out = json::replace_invalid_utf8(text.substr(0, kMaxText));
  if (text.size() > kMaxText) out += "...";
  return out;
}

}  // namespace

void refine_by_message(Error& error) {
  if (error.kind != ErrorKind::invalid_request &&
      error.kind != ErrorKind::upstream_failed &&
      error.kind != ErrorKind::request_too_large) {
    return;
  }
  const std::string message = lower(error.message);
  for (const std::string_view phrase : kTooLong) {
    if (message.find(phrase) != std::string::npos) {
      error.kind = ErrorKind::context_length_exceeded;
      return;
    }
  }
}

void unwrap_message(Error& error) {
  constexpr int kLevels = 4;
  for (int i = 0; i < kLevels; ++i) {
    if (error.message.empty() || error.message.front() != '{') return;
    json::Document document;
    const auto root = document.parse(error.message);
    if (!root || !root->is_object()) return;
    const json::Value inner = (*root)["error"];
    const std::string_view text = inner.is_object()
                                      ? inner["message"].string()
                                      : (*root)["message"].string();
    if (text.empty()) return;
    error.message = std::string(text);
  }
}

std::string text_of_page(std::string_view body) {
  std::string out;
  bool in_tag = false;
  bool space = false;
  // Scripts and styles are no text; everything before <body> is neither.
  const std::string lowered = lower(body);
  const auto start = lowered.find("<body");
  for (std::size_t i = start == std::string::npos ? 0 : start;
       i < body.size() && out.size() < kMaxText; ++i) {
    const char c = body[i];
    if (c == '<') {
      in_tag = true;
      space = true;
    } else if (c == '>' && in_tag) {
      in_tag = false;
    } else if (!in_tag) {
      if (static_cast<unsigned char>(c) <= ' ') {
        space = true;
        continue;
      }
      if (space && !out.empty()) out += ' ';
      space = false;
      out += c;
    }
  }
  if (out.empty()) return std::string(kNoText);
  return bounded(out);
}

namespace {

std::string text_inside(const json::Value& body) {
  for (const std::string_view name :
       {"message", "detail", "error", "error_message", "error_code"}) {
    const json::Value value = body[name];
    if (!value.string().empty()) return bounded(value.string());
    if (value.is_object()) {
      std::string inner = text_inside(value);
      if (!inner.empty()) return inner;
    }
  }
  return bounded(body.raw());
}

}  // namespace

std::string first_text(const json::Value& body) {
  std::string text = text_inside(body);
  return text.empty() ? std::string(kNoText) : text;
}

Error upstream_error(const json::Value& object, int status) {
  Error error;
  error.fault = Fault::upstream;
  error.status = status;
  error.message =
      object.is_string() ? object.string() : object["message"].string();
  return error;
}

void settle_error(Error& error, const json::Value& body) {
  if (error.message.empty()) error.message = first_text(body);
  unwrap_message(error);
  refine_by_message(error);
}

void add_headers(Error& error, const Headers& headers,
                 std::string_view request_id_header) {
  const std::string_view retry_after = find_header(headers, "retry-after");
  if (!retry_after.empty()) error.retry_after = retry_after;
  if (error.request_id.empty()) {
    error.request_id = std::string(find_header(headers, request_id_header));
  }
}

std::string dotted(std::string_view pointer) {
  std::string out;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      if (!out.empty()) out += '.';
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      out += pointer[++i] == '1' ? '/' : '~';
    } else {
      out += pointer[i];
    }
  }
  return out;
}

std::string_view message_of(const Error& error) {
  return error.message.empty() ? to_string(error.kind)
                               : std::string_view(error.message);
}

std::string message_with_place(const Error& error) {
  constexpr std::string_view kPromptTooLong = "prompt is too long: ";
  std::string message(message_of(error));
  if (error.kind == ErrorKind::context_length_exceeded &&
      !message.starts_with(kPromptTooLong)) {
    message.insert(0, kPromptTooLong);
  }
  if (!error.path.empty()) message = dotted(error.path) + ": " + message;
  return message;
}

Error read_error_body(const json::Value& root, int status,
                      std::string_view body, ReadErrorMembers read) {
  if (root.is_object()) {
    const json::Value inner = root["error"];
    Error error = read(inner ? inner : root, status);
    settle_error(error, root);
    return error;
  }
  Error error;
  error.fault = Fault::upstream;
  error.status = status;
  error.kind = error_kind_from_status(status);
  error.message = text_of_page(body);
  return error;
}

Error read_error_answer(int status, const Headers& headers,
                        std::string_view body, ReadErrorMembers read,
                        std::string_view request_id_header) {
  json::Document document;
  const auto root = document.parse(body);
  Error error =
      read_error_body(root ? *root : json::Value(), status, body, read);
  add_headers(error, headers, request_id_header);
  return error;
}

}  // namespace llmproxy
