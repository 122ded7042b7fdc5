// What the parts of messages carry, and what of it a target takes: markers,
// citations, files and images, parts and thinking of other dialects.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enum_table.h"
#include "chat/fit_steps.h"
#include "chat/turns.h"

namespace llmproxy {
namespace {

constexpr auto kIssuers = enum_table<ReasoningIssuer>({
    {ReasoningIssuer::unknown, "its own"},
    {ReasoningIssuer::anthropic, "Anthropic's"},
    {ReasoningIssuer::openai, "OpenAI's"},
    {ReasoningIssuer::google, "Google's"},
});
static_assert(covers(kIssuers, kLastReasoningIssuer));

/// For errors, and who takes it by URL.
struct MediaWords {
  std::string_view one;
  std::string_view many;
  bool DialectLimits::*urls;
};
constexpr MediaWords kImages = {"an image", "images",
                                &DialectLimits::image_urls};
constexpr MediaWords kDocuments = {"a document", "documents",
                                   &DialectLimits::document_urls};

/// Where a part stands. Its pointer is made for losses and errors only.
struct Place {
  const Message& message;
  std::size_t index;                   ///< in the message
  const ContentPart* child = nullptr;  ///< within the tool result there
  std::size_t child_index = 0;

  std::string path() const {
    const std::string part = path_of(message, index);
    return child == nullptr ? part : path_of(part, *child, child_index);
  }
};

/// One part, brought to what the target takes.
class PartFitter {
 public:
  explicit PartFitter(FitStep& step)
      : step_(step),
        limits_(step.limits()),
        own_(step.target.wording == Wording::own),
        hand_(step.keeps_extensions()) {}

  Result<void> fit(Message& message) {
    Gone gone;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      ContentPart& part = message.content[i];
      const Place place{message, i};
      if (!is_taken(part, place)) {
        gone.push_back(i);
        continue;
      }
      if (own_) continue;
      LLMPROXY_TRY(fit_part(part, place));
      if (auto* result = part.as<ToolResultPart>()) {
        LLMPROXY_TRY(fit_result(*result, place));
      }
    }
    erase(message.content, gone);
    return {};
  }

 private:
  /// Places of the parts that go, in order. Mostly none.
  using Gone = std::vector<std::size_t>;

  static void erase(std::vector<ContentPart>& content, const Gone& gone) {
    if (gone.empty()) return;
    auto next_gone = gone.begin();
    std::size_t next = 0;
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (next_gone != gone.end() && *next_gone == i) {
        ++next_gone;
        continue;
      }
      if (next != i) content[next] = std::move(content[i]);
      ++next;
    }
    content.resize(next);
  }

  /// Parts within a result are mostly placed by their index, which must not
  /// change with what is taken out before them.
  Result<void> fit_result(ToolResultPart& result, const Place& outer) {
    Gone gone;
    for (std::size_t i = 0; i < result.content.size(); ++i) {
      ContentPart& part = result.content[i];
      const Place place{outer.message, outer.index, &part, i};
      if (!gone.empty() && part.source.member.empty()) {
        part.source.member = "content";
        part.source.index = static_cast<std::int32_t>(i);
      }
      if (!is_taken(part, place)) {
        gone.push_back(i);
        continue;
      }
      LLMPROXY_TRY(fit_part(part, place));
    }
    erase(result.content, gone);
    return {};
  }

  void drop(const Place& place, std::string_view thing) {
    step_.drop(place.path(), limits_.target, thing);
  }

  // --- parts that go ------------------------------------------------------

  bool is_taken(const ContentPart& part, const Place& place) {
    if (const auto* opaque = part.as<OpaquePart>()) {
      if (takes(*opaque)) return true;
      // Canonical parts may have the same name.
      drop(place, opaque->type + " parts of this kind");
      return false;
    }
    const auto* thinking = part.as<ThinkingPart>();
    if (thinking == nullptr || takes(*thinking)) return true;
    const bool says_nothing = thinking->text.empty() &&
                              thinking->signature.empty() &&
                              thinking->redacted_data.empty();
    if (says_nothing) return false;
    if (limits_.thinking_of == ReasoningIssuer::unknown) {
      drop(place, "earlier thinking");
    } else {
      drop(place, fmt::format("thinking without {} signature",
                              to_wire(kIssuers, limits_.thinking_of)));
    }
    return false;
  }

  bool takes(const OpaquePart& opaque) const {
    // The encoder knows which of them it can write.
    if (hand_ && limits_.opaque_parts.empty()) return true;
    if (opaque.dialect != limits_.opaque_parts) return false;
    const auto& types = limits_.opaque_types;
    return hand_ || types.empty() ||
           std::find(types.begin(), types.end(), opaque.type) != types.end();
  }

  bool takes(const ThinkingPart& thinking) const {
    // Clients give back what other models thought in whatever words they
    // speak: signed by somebody else, it is refused.
    if (own_) {
      return thinking.issuer == ReasoningIssuer::unknown ||
             limits_.thinking_of == ReasoningIssuer::unknown ||
             thinking.issuer == limits_.thinking_of;
    }
    if (!limits_.thinking_text) {
      // A signature alone signs a part that the target would not know it of,
      // unless a program says so: the encoder knows which it can write.
      return thinking.text.empty() ? hand_ : step_.traits().reasoning_content;
    }
    if (limits_.thinking_of == ReasoningIssuer::unknown) return true;
    const bool of_nobody = thinking.issuer == ReasoningIssuer::unknown;
    const bool known =
        thinking.issuer == limits_.thinking_of || (of_nobody && step_.is_kin());
    return known && (is_signed(thinking) || takes_unsigned(thinking));
  }

  static bool is_signed(const ThinkingPart& thinking) {
    return !thinking.signature.empty() || !thinking.redacted_data.empty();
  }

  /// Other vendors' models behind an API of Anthropic's kind sign nothing.
  bool takes_unsigned(const ThinkingPart& thinking) const {
    return step_.is_kin() &&
           (limits_.unsigned_thinking || !step_.traits().anthropic_fields ||
            (limits_.thinking_ids && !thinking.id.empty()));
  }

  // --- what parts carry -----------------------------------------------------

  Result<void> fit_part(ContentPart& part, const Place& place) {
    fit_marker(part, place);
    if (auto* text = part.as<TextPart>()) {
      fit_citations(*text, place);
    } else if (auto* image = part.as<ImagePart>()) {
      LLMPROXY_TRY(fit_image(*image, place));
    } else if (auto* document = part.as<DocumentPart>()) {
      LLMPROXY_TRY(fit_document(*document, place));
    } else if (part.as<AudioPart>() != nullptr && !limits_.audio && !hand_) {
      return unsupported(fmt::format("{} takes no audio", limits_.target),
                         place.path());
    }
    if (!part.extensions.empty()) {
      fit_fields(step_, part.extensions, place.path());
    }
    return {};
  }

  void fit_marker(ContentPart& part, const Place& place) {
    if (!part.cache || limits_.cache_markers ||
        (limits_.cache_breakpoints &&
         (hand_ || step_.traits().cache_markers))) {
      return;
    }
    step_.drop(path_of(*part.cache, place.path()), limits_.target,
               "cache markers");
    part.cache.reset();
  }

  /// They are written as their dialect wrote them.
  void fit_citations(TextPart& text, const Place& place) {
    if (text.citations.empty() || (limits_.citations && step_.is_kin())) {
      return;
    }
    step_.drop(place.path() + "/citations", limits_.target,
               step_.is_kin() ? std::string_view("citations")
                              : "citations of other APIs");
    text.citations.clear();
  }

  Result<void> fit_image(ImagePart& image, const Place& place) {
    LLMPROXY_TRY(check_source(image.source, kImages, place));
    if (limits_.image_detail || image.detail.empty()) return {};
    // "auto" is what happens without.
    if (image.detail != "auto") {
      step_.drop(place.path() + "/detail", limits_.target,
                 fmt::format("an image's detail ({})", image.detail));
    }
    image.detail.clear();
    return {};
  }

  Result<void> fit_document(DocumentPart& document, const Place& place) {
    LLMPROXY_TRY(check_source(document.source, kDocuments, place));
    if (!limits_.document_context && !document.context.empty()) {
      step_.drop(place.path() + "/context", limits_.target,
                 "the context of a document");
      document.context.clear();
    }
    // Their words cross all the same.
    constexpr std::string_view kPlain = "text/plain";
    const std::string_view type = document.source.media_type;
    if (limits_.plain_texts && type.starts_with("text/") && type != kPlain) {
      step_.change(place.path(), limits_.target,
                   fmt::format("documents of the type {}", type),
                   "it is sent as plain text");
    }
    // The title of a text stands above it.
    if (!limits_.file_names && !document.title.empty() &&
        document.source.kind != MediaKind::text) {
      step_.change(place.path(), limits_.target, "names of files",
                   "it is sent without");
      document.title.clear();
    }
    return {};
  }

  Result<void> check_source(const MediaSource& source, const MediaWords& media,
                            const Place& place) const {
    if (source.kind == MediaKind::file_id && !hand_) {
      return unsupported(
          fmt::format("{} given by a file id of another provider cannot be "
                      "sent on; send its bytes{}",
                      media.one, limits_.*media.urls ? " or a URL" : ""),
          place.path());
    }
    if (source.kind != MediaKind::url || limits_.*media.urls ||
        (hand_ && limits_.own_urls)) {
      return {};
    }
    return unsupported(fmt::format("{} takes no {} by URL; send the bytes",
                                   limits_.target, media.many),
                       place.path());
  }

  FitStep& step_;
  const DialectLimits& limits_;
  const bool own_;   // written in the target's own words
  const bool hand_;  // made for this target, by a program or in its words
};

}  // namespace

Result<void> fit_parts(FitStep& step) {
  declare_called_tools(step);
  PartFitter fitter(step);
  for (Message& message : step.request.messages) {
    LLMPROXY_TRY(fitter.fit(message));
  }
  return {};
}

}  // namespace llmproxy
