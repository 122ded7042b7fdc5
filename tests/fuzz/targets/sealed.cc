// Sealed reasoning: made by us, cut by somebody, forged by a client and sent
// in every place where a dialect has one.
#include <algorithm>

#include "base/text.h"
#include "chat/sealed_reasoning.h"
#include "fuzz/kit/properties.h"
#include "json/text.h"

namespace llmproxy::fuzz {
namespace {

struct Carrier {
  std::string_view dialect;
  /// "$" stands for the sealed text.
  std::string_view body;
};
constexpr Carrier kCarriers[] = {
    {"claude",
     R"({"model":"m","max_tokens":64,"messages":[{"role":"user","content":"x"},)"
     R"({"role":"assistant","content":[{"type":"thinking","thinking":"t",)"
     R"("signature":"$"},{"type":"text","text":"y"}]},)"
     R"({"role":"user","content":"z"}]})"},
    {"claude",
     R"({"model":"m","max_tokens":64,"messages":[{"role":"user","content":"x"},)"
     R"({"role":"assistant","content":[{"type":"redacted_thinking",)"
     R"("data":"$"},{"type":"text","text":"y"}]},)"
     R"({"role":"user","content":"z"}]})"},
    {"gemini",
     R"({"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model",)"
     R"("parts":[{"functionCall":{"name":"f","args":{}},)"
     R"("thoughtSignature":"$"}]},{"role":"user","parts":[)"
     R"({"functionResponse":{"name":"f","response":{"a":1}}}]}]})"},
    {"openai-responses",
     R"({"model":"m","input":[{"role":"user","content":"x"},)"
     R"({"type":"reasoning","id":"rs_1","summary":[],)"
     R"("encrypted_content":"$"},{"role":"assistant","content":"y"},)"
     R"({"role":"user","content":"z"}]})"},
    {"bedrock-converse",
     R"({"messages":[{"role":"user","content":[{"text":"x"}]},)"
     R"({"role":"assistant","content":[{"reasoningContent":)"
     R"({"reasoningText":{"text":"t","signature":"$"}}},{"text":"y"}]},)"
     R"({"role":"user","content":[{"text":"z"}]}]})"},
};

void expect_text(const ThinkingPart& part) {
  expect(is_utf8(part.signature) && is_utf8(part.id) &&
             is_utf8(part.redacted_data),
         "what was sealed is UTF-8", part.signature);
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

void carry(const Carrier& carrier, std::string_view sealed) {
  std::string text;
  json::append_escaped(text, json::replace_invalid_utf8(sealed));
  std::string body(carrier.body);
  body.replace(body.find('$'), 1, text);
  const Dialect& from = *find_dialect(carrier.dialect);
  const Place place = place_of(from, upstream_path(from, "m", false));
  for (const Dialect* to : dialects()) {
    const auto sent = translate_request(from, *to, body, {}, place.head());
    if (!sent) {
      expect_error(sent.error(), body);
      continue;
    }
    expect_object(sent->body, "the request");
    expect_losses(sent->losses);
    if (to != &from) read_own(*to, sent->body, sent->target());
  }
}

void run(Input& input) {
  const std::size_t form = input.below(3);
  const bool redacted = input.flag();
  const auto issuer = static_cast<ReasoningIssuer>(
      input.below(static_cast<std::size_t>(kLastReasoningIssuer) + 1));
  const Carrier& carrier = kCarriers[input.below(std::size(kCarriers))];
  const std::string_view text = input.rest();
  std::string sealed(text);
  if (form == 1) sealed = encode_base64("llmproxy:v1:" + std::string(text));
  if (form == 2) sealed = seal(issuer, "id-1", text, redacted);
  const auto opened = unseal(sealed);
  if (opened) expect_text(*opened);
  // What providers sign and encrypt has none; what has is taken for forged.
  if (form == 2 && has_controls(text)) {
    expect(!opened, "control characters are not taken", sealed);
  } else if (form == 2 && is_utf8(text)) {
    expect(opened && opened->issuer == issuer && opened->id == "id-1" &&
               (redacted ? opened->redacted_data : opened->signature) == text,
           "what we sealed comes back", sealed);
  }
  // Costly beside the rest: now and then.
  if (input.byte() < 24) carry(carrier, sealed);
}

const Registered kRegistered({"sealed", Form::bytes, 1024, run});

}  // namespace
}  // namespace llmproxy::fuzz
