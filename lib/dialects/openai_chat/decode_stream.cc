// OpenAI Chat Completions: an upstream's stream to canonical events. Reads
// what the API sends and what its many imitators do (docs/dialects.md).
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/answer_end.h"
#include "chat/json_progress.h"
#include "chat/parse_answer.h"
#include "chat/stream_reader.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/tables.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {
namespace {

using json::Value;

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
    if (saw_finish_) finish_answer(sink);
    return true;
  }

  void on_object(std::string_view, Value data, EventSink& sink) override {
    if (!json::says_nothing(data["error"])) return read_failed(data, sink);
    read_started(data);
    read_usage(data["usage"], sink);
    for (const Value choice : data["choices"].children()) {
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
    finish_answer(sink);
    return true;
  }

 private:
  /// What every chunk says of the answer.
  void read_started(Value data) {
    take(data["id"], id_);
    take(data["model"], model_);
    take(data["service_tier"], service_tier_);
    if (const auto created = data["created"].integer()) created_ = *created;
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
    if (json::says_nothing(entry)) return;
    Call& call = find_call(0, "call_function_0", {});
    call.id = "call_function_0";
    take_name(call, entry["name"].string());
    take_arguments(call, entry["arguments"].string(), sink);
  }

  void read_usage(Value usage, EventSink& sink) {
    if (!usage.is_object()) return;
    usage_ = openai_chat::read_usage(usage);
    if (started()) send_usage(usage_, sink);
  }

  void read_finished(Value choice, EventSink& sink) {
    const std::string_view reason = choice["finish_reason"].string();
    if (reason.empty()) return;
    saw_finish_ = true;
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
    if (saw_finish_) return;
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
    if (!json::says_nothing(choice["logprobs"])) {
      lose_thing("/choices/0/logprobs", "log probabilities of a stream");
    }
    if (!json::says_nothing(delta["audio"])) {
      lose_thing("/choices/0/delta/audio", "audio of a stream");
    }
    read_finished(choice, sink);
  }

  void finish_answer(EventSink& sink) {
    send_finished({.stop_reason = stop_reason(finish_reason_),
                   .stop_reason_text = finish_reason_,
                   .service_tier = service_tier_,
                   .usage = &usage_},
                  sink);
  }

  // --- texts ----------------------------------------------------------------

  /// Adds to the open part of that kind, or opens one.
  void add(PartKind kind, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (!open_.begun() || open_.kind != kind) {
      end_text(sink);
      end_complete_calls(sink);
      open_ = number_part(kind);
      send_begin(open_, {}, sink);
    }
    send_text(open_, text, sink);
  }

  void end_text(EventSink& sink) {
    if (!open_.begun()) return;
    send_end(std::exchange(open_, {}), sink);
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
    end_text(sink);
    for (Call& call : calls_) end_call(call, sink);
  }

  // --- calls ----------------------------------------------------------------

  /// The call an entry belongs to. A new id with a name opens a new call
  /// even under an old index: some servers send index 0 for all.
  Call& find_call(std::optional<std::int64_t> index, std::string_view id,
                  std::string_view name) {
    Call* found = call_of_id(id);
    if (found == nullptr) found = call_of_index(index, id);
    const bool other = found != nullptr && !id.empty() && !found->id.empty() &&
                       found->id != id && !name.empty();
    if (found == nullptr || other) {
      found = &calls_.emplace_back();
      found->index = index;
    }
    return *found;
  }

  Call* call_of_id(std::string_view id) {
    if (id.empty()) return nullptr;
    for (Call& call : calls_) {
      if (call.id == id) return &call;
    }
    return nullptr;
  }

  /// The last one of that index; what has neither is of the last call.
  Call* call_of_index(std::optional<std::int64_t> index, std::string_view id) {
    for (std::size_t i = calls_.size(); i > 0; --i) {
      Call& call = calls_[i - 1];
      if (index ? call.index == index : id.empty()) return &call;
    }
    return nullptr;
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
    if (!call.part.begun()) {
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
    send_text(call.part, text, sink);
  }

  void start_call(Call& call, EventSink& sink) {
    end_text(sink);
    end_complete_calls(sink);
    send_call_signature(call, sink);
    call.part = number_part(call.custom ? PartKind::custom_tool_call
                                        : PartKind::tool_call);
    send_begin(call.part, {.id = call.id, .name = call.name}, sink);
    send_text(call.part, call.waiting, sink);
    call.waiting.clear();
  }

  /// As a part without a thought right before the call.
  void send_call_signature(const Call& call, EventSink& sink) {
    if (call.signature.empty()) return;
    const ReadPart part = number_part(PartKind::thinking);
    send_begin(part, {}, sink);
    send_signature(part, call.signature, ReasoningIssuer::google, sink);
    send_end(part, sink);
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
  ReadPart open_;  // of text, thinking or a refusal
  bool saw_finish_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context) {
  return std::make_unique<Decoder>(context);
}

}  // namespace llmproxy::openai_chat
