#include "chat/step_seal.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/enum_table.h"
#include "base/text.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy {
namespace {

// 12 bytes are 16 of base64, so that the beginning can be recognised without
// decoding. Version 1 is a single piece: sealed_reasoning.h.
constexpr std::string_view kMark = "llmproxy:v2:";
constexpr std::string_view kEncodedMark = "bGxtcHJveHk6djI6";

constexpr auto kIssuers = enum_table<ReasoningIssuer>({
    {ReasoningIssuer::unknown, "unknown"},
    {ReasoningIssuer::anthropic, "anthropic"},
    {ReasoningIssuer::openai, "openai"},
    {ReasoningIssuer::google, "google"},
});
static_assert(covers(kIssuers, kLastReasoningIssuer));

/// Texts of a piece and their names in a seal.
struct Field {
  std::string_view name;
  std::string ThinkingPart::*member;
};
constexpr Field kFields[] = {
    {"text", &ThinkingPart::text},
    {"signature", &ThinkingPart::signature},
    {"redacted", &ThinkingPart::redacted_data},
    {"id", &ThinkingPart::id},
};
constexpr std::string_view kIssuer = "issuer";
constexpr std::string_view kBehindText = "behind_text";

bool is_signed(const ThinkingPart& thinking) {
  return !thinking.signature.empty() || !thinking.redacted_data.empty();
}

bool is_unsigned_thought(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && !is_signed(*thinking);
}

std::optional<StepThought> read_thought(const json::Value& value) {
  const auto issuer = from_wire(kIssuers, value[kIssuer].string());
  if (!issuer) return std::nullopt;
  StepThought out;
  out.thinking.issuer = *issuer;
  out.behind_text = value[kBehindText].is_true();
  for (const Field& field : kFields) {
    out.thinking.*field.member = value[field.name].string();
  }
  // Encrypted thinking has no words.
  if (!out.thinking.redacted_data.empty()) {
    out.thinking.text.clear();
    out.thinking.signature.clear();
  }
  return out;
}

using Parts = std::vector<ContentPart>;

/// Those of the thoughts that stand before, or behind, what was said.
Parts parts_of(std::vector<StepThought>& thoughts, bool behind_text,
               const SourcePlace& source) {
  Parts out;
  for (StepThought& thought : thoughts) {
    if (thought.behind_text != behind_text) continue;
    ContentPart part;
    part.value = std::move(thought.thinking);
    part.source = source;
    out.push_back(std::move(part));
  }
  return out;
}

void insert(Parts parts, Parts::iterator at, Parts& content) {
  content.insert(at, std::make_move_iterator(parts.begin()),
                 std::make_move_iterator(parts.end()));
}

}  // namespace

void StepSeal::add(ThinkingPart thinking) {
  for (const Field& field : kFields) {
    bytes_ += (thinking.*field.member).size();
  }
  full_ = full_ || bytes_ > kMaxBytes;
  // Half of the thinking of a step is refused like none at all.
  if (full_) {
    overflowed_ = true;
    thoughts_.clear();
    return;
  }
  thoughts_.push_back({std::move(thinking), behind_text_});
}

bool StepSeal::has_signed() const {
  return std::any_of(
      thoughts_.begin(), thoughts_.end(),
      [](const StepThought& thought) { return is_signed(thought.thinking); });
}

std::string StepSeal::take() {
  const auto thoughts = std::exchange(thoughts_, {});
  bytes_ = 0;
  behind_text_ = full_ = false;
  if (thoughts.empty()) return {};
  std::string text(kMark);
  json::Writer w(text);
  w.begin_array();
  for (const StepThought& thought : thoughts) {
    w.begin_object();
    w.member(kIssuer, to_wire(kIssuers, thought.thinking.issuer));
    for (const Field& field : kFields) {
      w.member_if(field.name, thought.thinking.*field.member);
    }
    if (thought.behind_text) w.member(kBehindText, true);
    w.end_object();
  }
  w.end_array();
  return encode_base64(text);
}

bool is_step_seal(std::string_view text) {
  return text.starts_with(kEncodedMark);
}

std::optional<std::vector<StepThought>> unseal_step(std::string_view text) {
  if (!is_step_seal(text)) return std::nullopt;
  std::vector<StepThought> out;
  const std::optional<std::string> plain = decode_base64(text);
  if (!plain || !plain->starts_with(kMark)) return out;
  json::Document document;
  const auto root =
      document.parse(std::string_view(*plain).substr(kMark.size()));
  if (!root) return out;
  for (const json::Value value : root->children()) {
    auto thought = read_thought(value);
    if (!thought) return std::vector<StepThought>();
    out.push_back(*std::move(thought));
  }
  return out;
}

void place_step(std::vector<StepThought> thoughts, const SourcePlace& source,
                std::size_t begin, Parts& content) {
  if (thoughts.empty()) return;
  const auto at = static_cast<std::ptrdiff_t>(std::min(begin, content.size()));
  content.erase(
      std::remove_if(content.begin() + at, content.end(), is_unsigned_thought),
      content.end());
  insert(parts_of(thoughts, false, source), content.begin() + at, content);
  insert(parts_of(thoughts, true, source), content.end(), content);
}

}  // namespace llmproxy
