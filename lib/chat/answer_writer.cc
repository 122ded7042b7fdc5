#include "chat/answer_writer.h"

#include <fmt/format.h>

#include <utility>

#include "base/bounded.h"
#include "chat/field_path.h"
#include "chat/losses.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "json/json.h"

namespace llmproxy {

void AnswerWriter::write_parts() {
  for (index_ = 0; index_ < response_.content.size(); ++index_) {
    write_part(response_.content[index_], json::pointer("/content", index_));
  }
}

void AnswerWriter::write_part(const ContentPart& part,
                              const std::string& path) {
  lose_others(part.extensions, path);
  if (const auto* text = part.as<TextPart>()) {
    write_text(*text, path);
  } else if (const auto* image = part.as<ImagePart>()) {
    write_image(*image, path);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_tool_call(*call, path);
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_thinking(*thinking, path);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    write_refusal(*refusal, path);
  } else if (const auto* opaque = part.as<OpaquePart>()) {
    write_opaque(*opaque, path);
  } else {
    lose(path, "such parts in answers");
  }
}

void AnswerWriter::lose_others(const Extensions& others,
                               const std::string& path) {
  for (const Extension& other : others) {
    lose(field_path(path, other.name), "a field that only one API has");
  }
}

void AnswerWriter::write_image(const ImagePart&, const std::string& path) {
  lose(path, "images in answers");
}

void AnswerWriter::write_opaque(const OpaquePart& opaque,
                                const std::string& path) {
  lose(path, fmt::format("{} parts", opaque.type));
}

std::string AnswerWriter::input_of(const ToolCallPart& call,
                                   const std::string& path) {
  bool wrapped = false;
  std::string input = input_object(call.arguments, &wrapped);
  if (wrapped) {
    add_loss(losses_,
             {path, std::string(kWrappedArguments), LossKind::approximated});
  }
  return input;
}

void AnswerWriter::lose(std::string path, std::string_view thing) {
  llmproxy::lose(losses_, std::move(path), who_, thing);
}

void AnswerWriter::lose(std::string path, std::string_view thing,
                        std::string_view became) {
  llmproxy::lose(losses_, std::move(path), who_, thing, became);
}

void AnswerWriter::lose_all_extensions() {
  for (const Extension& extension : response_.extensions) {
    lose(field_path("", extension.name), "a field that only another API has");
  }
}

}  // namespace llmproxy
