#include "chat/sealed_reasoning.h"

#include <algorithm>

#include "base/enum_table.h"
#include "base/text.h"
#include "json/text.h"

namespace llmproxy {
namespace {

// "llmproxy:<issuer>:<s or r>:<id>:<content>". 12 bytes are 16 of base64, so
// that the beginning can be recognised without decoding.
constexpr std::string_view kMark = "llmproxy:v1:";
constexpr std::string_view kEncodedMark = "bGxtcHJveHk6djE6";

constexpr auto kIssuers = enum_table<ReasoningIssuer>({
    {ReasoningIssuer::unknown, "unknown"},
    {ReasoningIssuer::anthropic, "anthropic"},
    {ReasoningIssuer::openai, "openai"},
    {ReasoningIssuer::google, "google"},
});
static_assert(covers(kIssuers, kLastReasoningIssuer));

constexpr std::string_view kSignature = "s";
constexpr std::string_view kRedacted = "r";

/// The text up to the next colon; `rest` keeps what is behind it.
std::optional<std::string> take(std::string& rest) {
  const std::size_t colon = rest.find(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string word = rest.substr(0, colon);
  rest.erase(0, colon + 1);
  return word;
}

/// What providers sign and encrypt is base64, and their ids are words: one line
/// of ASCII. Redacted data may be text, as Bedrock's blobs are.
bool is_plain(std::string_view text) {
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  return !controls && json::is_utf8(text);
}

}  // namespace

std::string seal(ReasoningIssuer issuer, std::string_view id,
                 std::string_view signature, bool redacted) {
  std::string text(kMark);
  text += to_wire(kIssuers, issuer);
  text += ':';
  text += redacted ? kRedacted : kSignature;
  text += ':';
  // Ids of providers have no colon; one that has is not worth keeping.
  if (id.find(':') == std::string_view::npos) text += id;
  text += ':';
  text += signature;
  return encode_base64(text);
}

std::string seal(const ThinkingPart& thinking) {
  const bool redacted = !thinking.redacted_data.empty();
  return seal(thinking.issuer, thinking.id,
              redacted ? thinking.redacted_data : thinking.signature, redacted);
}

std::optional<ThinkingPart> unseal(std::string_view text) {
  if (!text.starts_with(kEncodedMark)) return std::nullopt;
  std::optional<std::string> rest = decode_base64(text);
  // Anybody can write one: what is inside is a client's word like any other.
  if (!rest || !rest->starts_with(kMark) || !is_plain(*rest)) {
    return std::nullopt;
  }
  rest->erase(0, kMark.size());
  const auto issuer_word = take(*rest);
  const auto kind = issuer_word ? take(*rest) : std::nullopt;
  auto id = kind ? take(*rest) : std::nullopt;
  if (!id) return std::nullopt;
  const auto issuer = from_wire(kIssuers, *issuer_word);
  if (!issuer || (*kind != kSignature && *kind != kRedacted)) {
    return std::nullopt;
  }
  ThinkingPart part;
  part.issuer = *issuer;
  part.id = *std::move(id);
  (*kind == kRedacted ? part.redacted_data : part.signature) = *std::move(rest);
  return part;
}

}  // namespace llmproxy
