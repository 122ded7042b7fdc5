// Turns as a whole, and members that only one dialect knows.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "chat/extensions.h"
#include "chat/field_path.h"
#include "chat/fit_steps.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "json/json.h"

namespace llmproxy {
namespace {

bool is_shared(const FitStep& step, const Extension& extension) {
  const auto& fields = step.limits().family_fields;
  return step.target.wording == Wording::family &&
         std::find(fields.begin(), fields.end(), extension.name) !=
             fields.end();
}

/// Who the request was written for, for a reader.
std::string_view writer_of(const ChatRequest& request) {
  const Dialect* dialect = find_dialect(request.dialect);
  if (dialect == nullptr) return request.dialect;
  return dialect->limits != nullptr ? dialect->limits->target : dialect->title;
}

/// All of them, whoever they are of.
void drop_fields(FitStep& step, Extensions& extensions, std::string_view path,
                 std::string_view what) {
  for (const Extension& extension : extensions) {
    if (is_shared(step, extension) || says_nothing(extension)) continue;
    step.drop(field_path(path, extension.name), step.limits().target, what);
  }
  std::erase_if(extensions, [&](const Extension& extension) {
    return !is_shared(step, extension);
  });
}

/// Names of speakers, and of messages what nobody knows.
void fit_message(FitStep& step, Message& message) {
  const DialectLimits& limits = step.limits();
  const bool own = step.target.wording == Wording::own;
  const bool by_model = !step.traits().message_names;
  if (!message.name.empty() && (by_model || (!limits.message_names && !own))) {
    const std::string who =
        by_model ? step.model() : std::string(limits.target);
    step.drop(path_of(message) + "/name", who, "names of speakers");
    message.name.clear();
  }
  if (message.extensions.empty() || own) return;
  if (!step.keeps_extensions()) {
    fit_fields(step, message.extensions, path_of(message));
  } else if (!limits.message_extensions) {
    drop_fields(step, message.extensions, path_of(message),
                "unknown fields in messages");
  }
}

}  // namespace

void fit_fields(FitStep& step, Extensions& extensions, std::string_view path) {
  if (extensions.empty() || step.keeps_extensions()) return;
  drop_fields(
      step, extensions, path,
      fmt::format("this field of {} requests", writer_of(step.request)));
}

void fit_turns(FitStep& step) {
  if (!step.takes_traits()) return;
  std::vector<Message>& messages = step.request.messages;
  const SystemTurns turns = step.limits().system_turns;
  const bool folds = turns == SystemTurns::in_place
                         ? !step.traits().system_in_messages
                         : turns == SystemTurns::on_top;
  if (folds) fold_system_turns(messages, step.losses);
  if (step.traits().nine_char_call_ids) make_call_ids_nine(messages);
  for (Message& message : messages) fit_message(step, message);
}

void fit_extensions(FitStep& step) {
  Extensions& extensions = step.request.extensions;
  fit_fields(step, extensions, "");
  if (step.target.wording == Wording::own) return;
  for (const FixedField& field : step.limits().added_fields) {
    if (has_field(extensions, field.name)) continue;
    extensions.push_back({std::string(field.name),
                          json::Trusted::json(std::string(field.json)), false});
  }
}

}  // namespace llmproxy
