// How far a conversation is: counts over its calls and results.
#include "translate/progress.h"

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "json/text.h"

namespace llmproxy {
namespace {

constexpr std::size_t kMaxName = 64;   ///< bytes of one tool's name
constexpr std::size_t kMaxNames = 10;  ///< tools named one by one
constexpr std::size_t kMaxList = 400;  ///< bytes of all of them

struct Tool {
  std::string_view name;
  std::size_t calls = 0;
};

/// What is counted; views into the request.
struct Progress {
  std::size_t user_turns = 0;
  std::size_t calls = 0;
  std::size_t failed = 0;
  std::vector<Tool> tools;  ///< in order of first use
  const ToolCallPart* last = nullptr;
  /// Of the last call; nullptr = none yet.
  const ToolResultPart* outcome = nullptr;
};

bool is_speech(const ContentPart& part) {
  return part.as<TextPart>() != nullptr || part.as<ImagePart>() != nullptr ||
         part.as<DocumentPart>() != nullptr || part.as<AudioPart>() != nullptr;
}

class Counter {
 public:
  Progress count(const ChatRequest& request) {
    for (const Message& message : request.messages) {
      if (message.role == Role::assistant) in_user_turn_ = false;
      for (const ContentPart& part : message.content) {
        if (message.role == Role::user && is_speech(part)) see_speech();
        if (const auto* call = part.as<ToolCallPart>()) see(*call);
        if (const auto* result = part.as<ToolResultPart>()) see(*result);
      }
    }
    return std::move(progress_);
  }

 private:
  /// Dialects cut a turn into messages differently: all that the user says
  /// between two turns of the model is one.
  void see_speech() {
    if (in_user_turn_) return;
    in_user_turn_ = true;
    ++progress_.user_turns;
  }

  void see(const ToolCallPart& call) {
    const auto [found, is_new] =
        places_.try_emplace(call.name, progress_.tools.size());
    if (is_new) progress_.tools.push_back({call.name, 0});
    ++progress_.tools[found->second].calls;
    ++progress_.calls;
    progress_.last = &call;
    progress_.outcome = nullptr;
  }

  void see(const ToolResultPart& result) {
    if (result.is_error) ++progress_.failed;
    if (progress_.last != nullptr && progress_.last->id == result.call_id) {
      progress_.outcome = &result;
    }
  }

  Progress progress_;
  bool in_user_turn_ = false;
  std::map<std::string_view, std::size_t> places_;
};

/// Short, on one line, and without a sign that could end what it stands in.
std::string shown(std::string_view name) {
  name = name.substr(0, kMaxName);
  std::string out(name.substr(0, json::valid_utf8_prefix(name)));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '<' || c == '>') c = '_';
  }
  return out;
}

/// "read 7, write 5 and 2 more".
std::string listed(const std::vector<Tool>& tools) {
  std::string out;
  std::size_t named = 0;
  for (const Tool& tool : tools) {
    const std::string next = fmt::format("{}{} {}", named > 0 ? ", " : "",
                                         shown(tool.name), tool.calls);
    if (named == kMaxNames || out.size() + next.size() > kMaxList) break;
    out += next;
    ++named;
  }
  if (named < tools.size()) {
    out += fmt::format(" and {} more", tools.size() - named);
  }
  return out;
}

std::string_view outcome_of(const Progress& progress) {
  if (progress.outcome == nullptr) return "no result yet";
  return progress.outcome->is_error ? "failed" : "ok";
}

}  // namespace

std::string summarize_progress(const ChatRequest& request) {
  const Progress progress = Counter().count(request);
  std::string out = fmt::format("User turns: {}\nTool calls: {}",
                                progress.user_turns, progress.calls);
  if (progress.last == nullptr) return out;
  out += fmt::format(" ({})\nFailed tool results: {}\nLast tool: {} ({})",
                     listed(progress.tools), progress.failed,
                     shown(progress.last->name), outcome_of(progress));
  return out;
}

}  // namespace llmproxy
