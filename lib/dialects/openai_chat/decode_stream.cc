// OpenAI Chat Completions: an upstream's stream to canonical events. Reads
// what the API sends and what its many imitators do (docs/dialects.md).
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/json_progress.h"
#include "chat/parse_answer.h"
#include "chat/stream_reader.h"
#include "dialects/openai_chat/tables.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {
namespace {

using json::Value;

/// Members of a chunk that are read or describe the call.
constexpr std::string_view kChunk[] = {
    "id",       "object",      "created",      "model",
    "choices",  "usage",       "service_tier", "system_fingerprint",
    "metadata", "obfuscation", "error"};

/// One tool call while it arrives. Its part begins once id and name are
/// known; until then its arguments wait.
struct Call {
  std::optional<std::int64_t> index;  // as the upstream numbers it
  std::string id;
  std::string name;
  std::string waiting;
  ReadPart part;
  bool custom = false;
  bool ended = false;
  std::optional<ThinkingPart> signature;
  JsonProgress arguments;
};

class Decoder final : public StreamReader {
 public:
  explicit Decoder(const RequestContext& context)
      : declared_(context.declared_tools.begin(),
                  context.declared_tools.end()) {
    for (const RequestContext::Alias& alias : context.tool_aliases) {
      if (declared_.erase(alias.original) > 0) declared_.insert(alias.sent);
    }
  }

 protected:
  bool on_sentinel(std::string_view data, EventSink& sink) override {
    // A prefix, as some servers write "[DONE]" with blanks behind it.
    if (data.substr(0, 6) != "[DONE]") return false;
    finish_answer(sink);
    return true;
  }

  void on_object(std::string_view, Value data, EventSink& sink) override {
    if (!json::says_nothing(data["error"])) return read_failed(data, sink);
    read_started(data);
    read_usage(data["usage"], sink);
    for (const Value choice : data["choices"].children()) {
      if (choice["index"].integer().value_or(0) != 0) {
        lose_thing("/choices/1", kOtherChoice);
        continue;
      }
      start(sink);
      read_choice(choice, sink);
    }
  }

  bool on_close(EventSink& sink) override {
    // A finish_reason without [DONE] is a complete answer.
    return finish_answer(sink);
  }

 private:
  /// What every chunk says of the answer.
  void read_started(Value data) {
    take(data["id"], id_);
    take(data["model"], model_);
    if (const auto tier = tier_of(data["service_tier"]); !tier.empty()) {
      service_tier_ = tier;
    }
    if (const auto created = data["created"].integer()) created_ = *created;
    // Some servers repeat theirs in each chunk.
    if (!started() || data["choices"].size() == 0) {
      lose_others("", data, kChunk);
    }
  }

  /// Text, or (Mistral, Databricks) typed parts.
  void read_text(Value content, EventSink& sink) {
    add(PartKind::text, content.string(), sink);
    for (const Value part : content.children()) {
      if (part["type"].string() == "text") {
        add(PartKind::text, part["text"].string(), sink);
      }
    }
  }

  void read_thinking(Value delta, EventSink& sink) {
    add(PartKind::thinking, reasoning_text(delta), sink);
  }

  void read_refusal(Value delta, EventSink& sink) {
    add(PartKind::refusal, delta["refusal"].string(), sink);
  }

  void read_tool_call(Value entry, EventSink& sink) {
    if (crowded(calls_.size(), sink)) return;
    const bool custom =
        entry["type"].string() == "custom" || entry["custom"].is_object();
    const Value body = entry[custom ? "custom" : "function"];
    Call& call = find_call(entry["index"].integer(), entry["id"].string(),
                           body["name"].string());
    call.custom = call.custom || custom;
    if (call.id.empty()) call.id = entry["id"].string();
    if (auto signature = read_call_signature(entry)) call.signature = signature;
    take_name(call, body["name"].string());
    const Value arguments = body[custom ? "input" : "arguments"];
    take_arguments(call,
                   arguments.is_object() ? arguments.raw() : arguments.string(),
                   sink);
  }

  void read_legacy_call(Value entry, EventSink& sink) {
    if (json::says_nothing(entry)) return;
    Call& call = find_call(0, "call_function_0", {});
    call.id = "call_function_0";
    take_name(call, entry["name"].string());
    take_arguments(call, entry["arguments"].string(), sink);
  }

  /// Sources of the text that is open; some servers send them behind it.
  void take_source(Value citation, EventSink& sink) {
    if (open_.is(PartKind::text)) {
      return send_citation(open_, citation.raw(), sink);
    }
    lose_thing("/choices/0/delta/annotations", "sources without a text");
  }

  void read_usage(Value usage, EventSink& sink) {
    if (!usage.is_object()) return;
    usage_ = openai_chat::read_usage(usage);
    if (started()) send_usage(usage_, sink);
  }

  void read_finished(Value choice, EventSink& sink) {
    const std::string_view reason = choice["finish_reason"].string();
    if (reason.empty()) return;
    finish_reason_ = reason;
    end_all_parts(sink);
  }

  void read_failed(Value data, EventSink& sink) {
    fail(read_error(data["error"], 0), sink);
  }

  // --- the answer -----------------------------------------------------------

  /// What was said last counts; nothing said changes nothing.
  static void take(Value value, std::string& out) {
    if (!value.string().empty()) out = value.string();
  }

  void start(EventSink& sink) {
    if (started()) return;
    send_started({.id = id_,
                  .model = model_,
                  .created = created_,
                  .service_tier = service_tier_},
                 sink);
  }

  void read_choice(Value choice, EventSink& sink) {
    if (!finish_reason_.empty()) return;
    const Value delta = choice["delta"];
    // Reasoning first: combined chunks hold what was thought before what is
    // said.
    read_thinking(delta, sink);
    read_text(delta["content"], sink);
    read_refusal(delta, sink);
    for (const Value call : delta["tool_calls"].children()) {
      read_tool_call(call, sink);
    }
    read_legacy_call(delta["function_call"], sink);
    for (const Value citation : delta["annotations"].children()) {
      take_source(citation, sink);
    }
    lose_others("/choices/0", choice, kChoice);
    lose_others("/choices/0/delta", delta, kMessage);
    if (!json::says_nothing(choice["logprobs"])) {
      lose_thing("/choices/0/logprobs", "log probabilities of a stream");
    }
    read_audio(delta, sink);
    read_finished(choice, sink);
  }

  /// What was said is the text of a spoken answer.
  void read_audio(Value delta, EventSink& sink) {
    const Value audio = delta["audio"];
    if (json::says_nothing(audio)) return;
    if (delta["content"].string().empty()) {
      add(PartKind::text, audio["transcript"].string(), sink);
    }
    lose_thing("/choices/0/delta/audio/data", "audio of a stream");
  }

  /// False where the upstream did not say that it is over.
  bool finish_answer(EventSink& sink) {
    if (finish_reason_.empty()) return false;
    send_finished({.stop_reason = stop_reason_of(kStopReasons, finish_reason_),
                   .stop_reason_text = finish_reason_,
                   .service_tier = service_tier_,
                   .usage = &usage_},
                  sink);
    return true;
  }

  // --- texts ----------------------------------------------------------------

  /// Adds to the open part of that kind, or opens one.
  void add(PartKind kind, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (!open_.is(kind)) {
      close_part(sink);
      end_complete_calls(sink);
      open_part(kind, {}, sink);
    }
    send_text(open_, text, sink);
  }

  void end_all_parts(EventSink& sink) {
    // Calls whose id never came get one; without a name there is no call.
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      Call& call = calls_[i];
      if (call.part.begun()) continue;
      if (call.name.empty()) {
        lose("/choices/0/delta/tool_calls", std::string(kNamelessCall));
        continue;
      }
      if (call.id.empty()) call.id = made_call_id(id_, i);
      start_call(call, sink);
    }
    close_part(sink);
    for (Call& call : calls_) end_call(call, sink);
  }

  // --- calls ----------------------------------------------------------------

  /// The call an entry belongs to. A new id with a name opens a new call
  /// even under an old index: some servers send index 0 for all.
  Call& find_call(std::optional<std::int64_t> index, std::string_view id,
                  std::string_view name) {
    const auto has_id = [&](const Call& call) { return call.id == id; };
    // What has neither is of the last call.
    const auto has_index = [&](const Call& call) {
      return index ? call.index == index : id.empty();
    };
    Call* found = id.empty() ? nullptr : last_call(has_id);
    if (found == nullptr) found = last_call(has_index);
    const bool other = found != nullptr && !id.empty() && !found->id.empty() &&
                       found->id != id && !name.empty();
    if (found == nullptr || other) {
      found = &calls_.emplace_back();
      found->index = index;
    }
    return *found;
  }

  /// The last call of which `matches` is true; nullptr = there is none.
  template <class Matches>
  Call* last_call(Matches matches) {
    const auto found = std::find_if(calls_.rbegin(), calls_.rend(), matches);
    return found == calls_.rend() ? nullptr : &*found;
  }

  bool is_declared(std::string_view name) const {
    return declared_.empty() || declared_.contains(name);
  }

  /// The first name counts. Repeats of it are common, fragments are rare:
  /// joined only when that makes a declared tool's name.
  void take_name(Call& call, std::string_view name) {
    if (name.empty() || call.part.begun()) return;
    if (call.name.empty()) {
      call.name = name;
      return;
    }
    if (is_declared(call.name) || !call.waiting.empty()) return;
    const std::string joined = call.name + std::string(name);
    // The first that is not before it begins with it, if any does.
    const auto known = declared_.lower_bound(joined);
    if (known != declared_.end() && known->starts_with(joined)) {
      call.name = joined;
    }
  }

  void take_arguments(Call& call, std::string_view text, EventSink& sink) {
    call.arguments.feed(text);
    if (!call.part.begun()) {
      call.waiting.append(text);
      const bool known = !call.id.empty() && !call.name.empty();
      // A name nobody declared may be the first piece of one.
      if (known && (is_declared(call.name) || !call.waiting.empty())) {
        start_call(call, sink);
      }
      return;
    }
    if (call.ended && !text.empty()) {
      return lose("/choices/0/delta/tool_calls",
                  "the upstream sent arguments behind the end of a tool call");
    }
    send_text(call.part, text, sink);
  }

  void start_call(Call& call, EventSink& sink) {
    close_part(sink);
    end_complete_calls(sink);
    if (call.signature) send_whole(*call.signature, sink);
    call.part = number_part(call.custom ? PartKind::custom_tool_call
                                        : PartKind::tool_call);
    send_begin(call.part, {.id = call.id, .name = call.name}, sink);
    send_text(call.part, std::exchange(call.waiting, {}), sink);
  }

  /// Calls whose arguments are closed: whatever comes next may follow them.
  void end_complete_calls(EventSink& sink) {
    for (Call& call : calls_) {
      if (call.arguments.complete()) end_call(call, sink);
    }
  }

  static void end_call(Call& call, EventSink& sink) {
    if (!call.part.begun() || call.ended) return;
    call.ended = true;
    send_end(call.part, sink);
  }

  std::set<std::string, std::less<>> declared_;  // as the upstream was told
  std::string id_;
  std::string model_;
  std::string service_tier_;
  std::int64_t created_ = 0;
  Usage usage_;
  std::vector<Call> calls_;
  std::string finish_reason_;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context) {
  return std::make_unique<Decoder>(context);
}

}  // namespace llmproxy::openai_chat
