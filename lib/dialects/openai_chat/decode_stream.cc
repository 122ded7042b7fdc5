// OpenAI Chat Completions: an upstream's stream to canonical events. Reads
// what the API sends and what its many imitators do (docs/dialects.md).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "chat/json_progress.h"
#include "chat/stream_reader.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/tables.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {
namespace {

using json::Value;

constexpr std::uint32_t kNoPart = UINT32_MAX;

/// One tool call while it arrives. Its part starts once id and name are
/// known; until then its arguments wait.
struct Call {
  std::optional<std::int64_t> index;  // as the upstream numbers it
  std::string id;
  std::string name;
  std::string waiting;
  std::uint32_t part = kNoPart;
  bool custom = false;
  bool ended = false;
  std::string signature;  // Google's
  JsonProgress arguments;
};

class Decoder final : public StreamReader {
 public:
  explicit Decoder(const RequestContext& context) {
    std::map<std::string_view, std::string_view> sent;
    for (const auto& alias : context.tool_aliases) {
      sent.insert_or_assign(alias.original, alias.sent);
    }
    for (const std::string& name : context.declared_tools) {
      const auto alias = sent.find(name);
      declared_.emplace(alias == sent.end() ? name : alias->second);
    }
  }

 protected:
  bool on_sentinel(std::string_view data, EventSink& sink) override {
    // A prefix, as some servers write "[DONE]" with blanks behind it.
    if (data.substr(0, 6) != "[DONE]") return false;
    if (saw_finish_) complete(sink);
    return true;
  }

  void on_object(std::string_view, Value data, EventSink& sink) override {
    if (const Value error = data["error"]; !json::says_nothing(error)) {
      return fail(read_error(error, 0), sink);
    }
    read_head(data);
    const Value usage = data["usage"];
    if (usage.is_object()) {
      usage_ = read_usage(usage);
      send_usage(sink);
    }
    const Value choices = data["choices"];
    for (const Value choice : choices.children()) {
      if (choice["index"].integer().value_or(0) != 0) {
        lose("/choices/1", std::string(kOneChoice));
        continue;
      }
      start(sink);
      read_choice(choice, sink);
    }
  }

  bool on_close(EventSink& sink) override {
    // A finish_reason without [DONE] is a complete answer.
    if (!saw_finish_) return false;
    complete(sink);
    return true;
  }

 private:
  void read_head(Value data) {
    take(data["id"], id_);
    take(data["model"], model_);
    take(data["service_tier"], service_tier_);
    if (const auto created = data["created"].integer()) created_ = *created;
  }

  /// What was said last counts; nothing said changes nothing.
  static void take(Value value, std::string& out) {
    if (!value.string().empty()) out = value.string();
  }

  void start(EventSink& sink) {
    if (started_) return;
    started_ = true;
    StreamEvent event;
    event.kind = EventKind::started;
    event.id = id_;
    event.model = model_;
    event.created = created_;
    event.service_tier = service_tier_;
    sink.on_event(event);
  }

  void send_usage(EventSink& sink) {
    if (!started_) return;
    StreamEvent event;
    event.kind = EventKind::usage;
    event.usage = &usage_;
    sink.on_event(event);
  }

  void read_choice(Value choice, EventSink& sink) {
    if (saw_finish_) return;
    const Value delta = choice["delta"];
    // Reasoning first: combined chunks hold what was thought before what is
    // said.
    text(PartKind::thinking, reasoning_text(delta), sink);
    read_content(delta["content"], sink);
    text(PartKind::refusal, delta["refusal"].string(), sink);
    for (const Value call : delta["tool_calls"].children()) {
      read_call(call, sink);
    }
    const Value legacy = delta["function_call"];
    if (!json::says_nothing(legacy)) read_legacy_call(legacy, sink);
    if (!json::says_nothing(choice["logprobs"])) {
      lose("/choices/0/logprobs", "log probabilities do not cross in streams");
    }
    if (!json::says_nothing(delta["audio"])) {
      lose("/choices/0/delta/audio", "audio does not cross in streams");
    }
    const std::string_view finish = choice["finish_reason"].string();
    if (!finish.empty()) {
      saw_finish_ = true;
      finish_reason_ = finish;
      end_all_parts(sink);
    }
  }

  /// Text, or (Mistral, Databricks) typed parts.
  void read_content(Value content, EventSink& sink) {
    text(PartKind::text, content.string(), sink);
    for (const Value part : content.children()) {
      if (part["type"].string() == "text") {
        text(PartKind::text, part["text"].string(), sink);
      }
    }
  }

  /// Appends to the open part of that kind, or opens one.
  void text(PartKind kind, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (open_text_ == kNoPart || open_kind_ != kind) {
      end_text(sink);
      end_complete_calls(sink);
      open_text_ = next_part_++;
      open_kind_ = kind;
      edge(EventKind::part_started, kind, open_text_, sink);
    }
    delta(kind, open_text_, text, sink);
  }

  void end_text(EventSink& sink) {
    if (open_text_ == kNoPart) return;
    edge(EventKind::part_ended, open_kind_, open_text_, sink);
    open_text_ = kNoPart;
  }

  /// Calls whose arguments are closed: whatever comes next may follow them.
  void end_complete_calls(EventSink& sink) {
    for (Call& call : calls_) {
      if (call.part != kNoPart && call.arguments.complete()) {
        end_call(call, sink);
      }
    }
  }

  void end_call(Call& call, EventSink& sink) {
    if (call.part == kNoPart || call.ended) return;
    call.ended = true;
    edge(EventKind::part_ended, part_kind(call), call.part, sink);
  }

  void read_call(Value entry, EventSink& sink) {
    if (crowded(calls_.size(), sink)) return;
    const bool custom =
        entry["type"].string() == "custom" || entry["custom"].is_object();
    const Value body = entry[custom ? "custom" : "function"];
    Call& call = find_call(entry["index"].integer(), entry["id"].string(),
                           body["name"].string());
    call.custom = call.custom || custom;
    if (call.id.empty()) call.id = entry["id"].string();
    if (auto signature = read_call_signature(entry)) {
      call.signature = std::move(signature->signature);
    }
    take_name(call, body["name"].string());
    const Value arguments = body[custom ? "input" : "arguments"];
    take_arguments(call,
                   arguments.is_object() ? arguments.raw() : arguments.string(),
                   sink);
  }

  void read_legacy_call(Value entry, EventSink& sink) {
    Call& call = find_call(0, "call_function_0", {});
    call.id = "call_function_0";
    take_name(call, entry["name"].string());
    take_arguments(call, entry["arguments"].string(), sink);
  }

  /// The call an entry belongs to. A new id with a name opens a new call
  /// even under an old index: some servers send index 0 for all.
  Call& find_call(std::optional<std::int64_t> index, std::string_view id,
                  std::string_view name) {
    Call* found = nullptr;
    for (Call& call : calls_) {
      const bool same_id = !id.empty() && call.id == id;
      const bool same_index = index && call.index == index;
      if (same_id || same_index) found = &call;
      if (same_id) break;
    }
    if (found == nullptr && !index && id.empty() && !calls_.empty()) {
      found = &calls_.back();
    }
    const bool other = found != nullptr && !id.empty() && !found->id.empty() &&
                       found->id != id && !name.empty();
    if (found == nullptr || other) {
      found = &calls_.emplace_back();
      found->index = index;
    }
    return *found;
  }

  bool is_declared(std::string_view name) const {
    return declared_.empty() || declared_.contains(name);
  }

  /// The first name counts. Repeats of it are common, fragments are rare:
  /// joined only when that makes a declared tool's name.
  void take_name(Call& call, std::string_view name) {
    if (name.empty() || call.part != kNoPart) return;
    if (call.name.empty()) {
      call.name = name;
    } else if (!declared_.empty() && !is_declared(call.name) &&
               call.waiting.empty()) {
      const std::string joined = call.name + std::string(name);
      // The first that is not before it begins with it, if any does.
      const auto known = declared_.lower_bound(joined);
      if (known != declared_.end() && known->starts_with(joined)) {
        call.name = joined;
      }
    }
  }

  void take_arguments(Call& call, std::string_view text, EventSink& sink) {
    call.arguments.feed(text);
    if (call.part == kNoPart) {
      call.waiting.append(text);
      const bool known = !call.id.empty() && !call.name.empty();
      // A name nobody declared may be the first piece of one.
      if (known && (is_declared(call.name) || !call.waiting.empty())) {
        start_call(call, sink);
      }
      return;
    }
    if (text.empty()) return;
    if (call.ended) {
      lose("/choices/0/delta/tool_calls",
           "the upstream sent arguments behind the end of a tool call");
      return;
    }
    delta(part_kind(call), call.part, text, sink);
  }

  static PartKind part_kind(const Call& call) {
    return call.custom ? PartKind::custom_tool_call : PartKind::tool_call;
  }

  void start_call(Call& call, EventSink& sink) {
    end_text(sink);
    end_complete_calls_but(call, sink);
    send_signature(call, sink);
    call.part = next_part_++;
    StreamEvent event;
    event.kind = EventKind::part_started;
    event.part_kind = part_kind(call);
    event.part = call.part;
    event.id = call.id;
    event.name = call.name;
    sink.on_event(event);
    if (!call.waiting.empty()) {
      delta(part_kind(call), call.part, call.waiting, sink);
      call.waiting.clear();
    }
  }

  /// As a part without a thought right before the call.
  void send_signature(const Call& call, EventSink& sink) {
    if (call.signature.empty()) return;
    const std::uint32_t part = next_part_++;
    edge(EventKind::part_started, PartKind::thinking, part, sink);
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = PartKind::thinking;
    event.part = part;
    event.signature = call.signature;
    event.issuer = ReasoningIssuer::google;
    sink.on_event(event);
    edge(EventKind::part_ended, PartKind::thinking, part, sink);
  }

  void end_complete_calls_but(const Call& but, EventSink& sink) {
    for (Call& call : calls_) {
      if (&call != &but && call.part != kNoPart && call.arguments.complete()) {
        end_call(call, sink);
      }
    }
  }

  void end_all_parts(EventSink& sink) {
    // Calls whose id never came get one; without a name there is no call.
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      Call& call = calls_[i];
      if (call.part != kNoPart) continue;
      if (call.name.empty()) {
        lose("/choices/0/delta/tool_calls",
             "a tool call without a name was dropped");
        continue;
      }
      // Of this answer alone, so that ids of later turns differ.
      if (call.id.empty()) call.id = fmt::format("call_{}_{}", id_, i);
      start_call(call, sink);
    }
    end_text(sink);
    for (Call& call : calls_) end_call(call, sink);
  }

  void complete(EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason = stop_reason(finish_reason_);
    event.stop_reason_text = finish_reason_;
    event.service_tier = service_tier_;
    event.usage = &usage_;
    close();
    sink.on_event(event);
  }

  static void edge(EventKind kind, PartKind part_kind, std::uint32_t part,
                   EventSink& sink) {
    StreamEvent event;
    event.kind = kind;
    event.part_kind = part_kind;
    event.part = part;
    sink.on_event(event);
  }

  static void delta(PartKind kind, std::uint32_t part, std::string_view text,
                    EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = kind;
    event.part = part;
    event.text = text;
    sink.on_event(event);
  }

  std::set<std::string, std::less<>> declared_;  // as the upstream was told
  std::string id_;
  std::string model_;
  std::string service_tier_;
  std::int64_t created_ = 0;
  Usage usage_;
  std::vector<Call> calls_;
  std::string finish_reason_;
  PartKind open_kind_ = PartKind::text;
  std::uint32_t open_text_ = kNoPart;
  std::uint32_t next_part_ = 0;
  bool started_ = false;
  bool saw_finish_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context) {
  return std::make_unique<Decoder>(context);
}

}  // namespace llmproxy::openai_chat
