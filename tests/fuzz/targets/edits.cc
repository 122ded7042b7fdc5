// Edits of system prompts: made in the client's bytes, which else stay.
#include "fuzz/kit/properties.h"
#include "llmproxy/system_edits.h"

namespace llmproxy::fuzz {
namespace {

SystemEdits choose_edits(Input& input) {
  SystemEdits edits;
  const std::uint8_t flags = input.byte();
  if ((flags & 1) != 0) edits.replacements.emplace_back("e", "\"\n\\u00e9");
  if ((flags & 2) != 0) edits.replacements.emplace_back("You", "");
  if ((flags & 4) != 0) edits.replacements.emplace_back("", "never");
  if ((flags & 8) != 0) edits.replacements.emplace_back(" ", "\xff\x01");
  if ((flags & 16) != 0) edits.append = "Answer in \"English\".\n";
  if ((flags & 32) != 0) edits.append = "\xc3(";
  edits.progress = (flags & 64) != 0;
  return edits;
}

void run(Input& input) {
  const auto all = dialects();
  const Dialect& dialect = *all[input.below(all.size())];
  const SystemEdits edits = choose_edits(input);
  const Place place = place_of(dialect, upstream_path(dialect, "m", false));
  const auto parsed =
      ParsedRequest::parse(dialect, std::string(input.rest()), place.head());
  if (!parsed) return;
  const auto edited = edit_system(*parsed, edits);
  if (!edited) return expect_error(edited.error(), parsed->body());
  if (edits.empty()) {
    return expect(*edited == parsed->body(), "no edit changes nothing",
                  *edited);
  }
  expect_object(*edited, "the edited body");
  expect_bounded(parsed->body().size(), edited->size(), 16, "the edited body");
  const auto again = ParsedRequest::parse(dialect, *edited, place.head());
  expect(again && again->model() == parsed->model() &&
             again->stream() == parsed->stream(),
         "the edited body asks for the same", *edited);
  if (parsed->decode()) {
    expect(static_cast<bool>(again->decode()), "the edited body is read",
           *edited);
  }
}

const Registered kRegistered({"edits", Form::json, 8192, run});

}  // namespace
}  // namespace llmproxy::fuzz
