// Paths and addresses: what they name, and that a name comes back as it was.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "client/origin.h"
#include "fuzz/kit/properties.h"
#include "gateway/base_url.h"
#include "gateway/endpoints.h"
#include "gateway/mounts.h"
#include "llmproxy/image_fetcher.h"

namespace llmproxy::fuzz {
namespace {

/// A model's name survives the path it is put into, and cannot leave it.
void name_model(const Dialect& dialect, std::string_view model, bool stream) {
  const std::string path = upstream_path(dialect, model, stream);
  if (!dialect.model_in_path() || model.empty()) return;
  constexpr std::string_view kOutside = " \r\n\t#\\\"<>";
  expect(path.find_first_of(kOutside) == std::string::npos,
         "a path has only what a path may have", path);
  const std::string_view pattern =
      stream ? dialect.upstream_stream_path : dialect.upstream_path;
  expect(std::count(path.begin(), path.end(), '/') ==
                 std::count(pattern.begin(), pattern.end(), '/') &&
             std::count(path.begin(), path.end(), '?') ==
                 std::count(pattern.begin(), pattern.end(), '?'),
         "a name adds no step and no query", path);
  const auto match = match_upstream(dialect, path);
  expect(match && match->model == model && match->stream == stream,
         "a model's name comes back", path);
}

void join(std::string_view text) {
  constexpr std::string_view kBase = "https://host.test/v1";
  const std::string_view version = gateway::version_of(text);
  expect(text.starts_with(version), "a version is what it begins with", text);
  if (!text.starts_with('/')) return;
  const std::string url = gateway::join_version(kBase, text);
  expect(url.starts_with(kBase), "a path stays below its base", url);
  expect(gateway::join_version(kBase, "/v1/x") == std::string(kBase) + "/x",
         "a version stands there once");
}

/// Whatever the spelling, what is found is the end of what was asked for, and
/// an endpoint that has a key's check where the exact path has one.
void misspell(std::string_view text) {
  const std::string path = "/" + std::string(text);
  const gateway::Match match = gateway::find_meant("POST", path);
  if (match.path.empty()) return;
  const auto exact = gateway::find_endpoint("POST", match.path);
  expect(!exact.allowed.empty(), "a meaning is a path of ours", match.path);
  expect(match.endpoint.has_value() == exact.endpoint.has_value() &&
             (!exact.endpoint || exact.endpoint->key == match.endpoint->key),
         "a meaning asks for the same key", match.path);
  const std::size_t last = match.path.rfind('/');
  expect(path.find(match.path.substr(last + 1)) != std::string::npos,
         "nothing is made up", match.path);
}

void run(Input& input) {
  const auto all = dialects();
  const Dialect& dialect = *all[input.below(all.size())];
  const bool stream = input.flag();
  const std::string_view text = input.rest();
  const std::string decoded = percent_decoded(text);
  expect(decoded.size() <= text.size(), "decoding adds nothing", decoded);
  match_path(dialect, text);
  match_upstream(dialect, text);
  name_model(dialect, text, stream && !dialect.upstream_stream_path.empty());
  join(text);
  misspell(text);
  if (gateway::base_url_fault(text).empty() && text.starts_with("http")) {
    expect(static_cast<bool>(parse_origin(text)), "a base URL has an origin",
           text);
  }
  is_public_address(text);
}

const Registered kRegistered({"paths", Form::bytes, 1024, run});

}  // namespace
}  // namespace llmproxy::fuzz
