#include "gateway/model_body.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "gateway/headers.h"
#include "gateway/log_text.h"
#include "json/json.h"
#include "json/text.h"
#include "wire/form.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kModel = "model";
constexpr std::string_view kUser = "user";
constexpr std::string_view kStream = "stream";
/// How the Gemini API writes names in bodies.
constexpr std::string_view kModels = "models/";
// Of a large body, read at once. Bytes.
constexpr std::size_t kPiece = std::size_t{256} << 10;
// A part of a form that is a name or a word has no more. Bytes.
constexpr std::size_t kMaxWord = 1024;

Error twice(std::string_view path) {
  return invalid_request("model is given more than once", std::string(path));
}

// --- JSON

/// The member `model` of an object: none, or one string. Upstreams differ in
/// whether they heed the case of names, and in which of two counts.
Result<json::Value> model_member(const json::Value& object,
                                 const std::string& path) {
  json::Value found;
  std::size_t count = 0;
  for (const json::Value member : object.children()) {
    if (!same_header_name(member.key(), kModel)) continue;
    ++count;
    if (member.key() == kModel) found = member;
  }
  if (count > 1) return twice(path + "/model");
  if (count == 1 && !found) {
    return invalid_request("the member must be spelled model, in lower case",
                           path + "/model");
  }
  if (!found.absent() && !found.is_string()) {
    return invalid_request("model must be a string", path + "/model");
  }
  return found;
}

/// Positions within a parsed text.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}

  ModelText of(const json::Value& string, std::string_view prefix = {}) const {
    const auto begin =
        static_cast<std::uint64_t>(string.raw().data() - text_.data());
    return {begin, begin + string.raw().size(), "\"" + std::string(prefix),
            "\""};
  }
  /// As the first member.
  ModelText in(const json::Value& object) const {
    const auto at =
        static_cast<std::uint64_t>(object.raw().data() - text_.data()) + 1;
    return {at, at, "\"model\":\"", object.size() > 0 ? "\"," : "\""};
  }

 private:
  std::string_view text_;
};

/// A model that the path has named already.
Result<void> repeated_model(const json::Value& object, const std::string& path,
                            const Places& places, ModelBody& out) {
  LLMPROXY_ASSIGN(const json::Value member, model_member(object, path));
  if (member.absent()) return {};
  const std::string_view said = member.string();
  const bool prefixed = said.starts_with(kModels);
  if (said.substr(prefixed ? kModels.size() : 0) != out.model) {
    return invalid_request(
        fmt::format("model is '{}' here and '{}' in the path", short_name(said),
                    short_name(out.model)),
        path + "/model");
  }
  out.texts.push_back(
      places.of(member, prefixed ? kModels : std::string_view()));
  return {};
}

Result<void> repeated_models(const json::Value& root, const Places& places,
                             ModelBody& out) {
  LLMPROXY_TRY(repeated_model(root, "", places, out));
  std::size_t i = 0;
  for (const json::Value request : root["requests"].children()) {
    LLMPROXY_TRY(
        repeated_model(request, fmt::format("/requests/{}", i++), places, out));
  }
  std::sort(
      out.texts.begin(), out.texts.end(),
      [](const ModelText& a, const ModelText& b) { return a.begin < b.begin; });
  return {};
}

Result<void> named_model(const json::Value& root, const Places& places,
                         ModelBody& out) {
  LLMPROXY_ASSIGN(const json::Value member, model_member(root, ""));
  out.model = member.string();
  // null is no name, and is not to stand beside one.
  out.texts.push_back(member ? places.of(member) : places.in(root));
  return {};
}

Result<ModelBody> read_json(std::string_view body, const ModelPathMatch& match,
                            const ParseLimits& limits) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse_view(body, limits));
  if (!root.is_object()) {
    return invalid_request("the body must be a JSON object");
  }
  const Places places(document.text());
  ModelBody out;
  out.json = true;
  out.model = match.model;
  LLMPROXY_TRY(match.row->place == ModelPlace::path
                   ? repeated_models(root, places, out)
                   : named_model(root, places, out));
  out.user = root[kUser].string();
  out.stream = root[kStream].is_true();
  out.text_bytes = body.size();
  return out;
}

// --- Forms

/// A body wherever it is.
class Bytes {
 public:
  explicit Bytes(const HttpRequest& request)
      : text_(request.body), large_(request.large_body.get()) {}

  /// Calls `use` with one piece after the other.
  template <class Use>
  Result<void> each(Use use) const {
    if (large_ == nullptr) return use(text_);
    std::string piece(kPiece, '\0');
    const std::uint64_t size = large_->size();
    for (std::uint64_t at = 0; at < size;) {
      const std::size_t got = large_->read(at, piece.data(), piece.size());
      if (got == 0) return unreadable();
      LLMPROXY_TRY(use(std::string_view(piece).substr(0, got)));
      at += got;
    }
    return {};
  }

  /// The content of a part that is a word, or its beginning.
  Result<std::string> word(const wire::FormPart& part) const {
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(part.end - part.begin, kMaxWord));
    if (large_ == nullptr) {
      return std::string(
          text_.substr(static_cast<std::size_t>(part.begin), size));
    }
    std::string out(size, '\0');
    for (std::size_t at = 0; at < size;) {
      const std::size_t got =
          large_->read(part.begin + at, out.data() + at, size - at);
      if (got == 0) return unreadable();
      at += got;
    }
    return out;
  }

 private:
  static Error unreadable() {
    Error error;
    error.kind = ErrorKind::internal;
    error.message = "the upload could not be read";
    return error;
  }

  std::string_view text_;
  const LargeBody* large_;
};

/// The part of that name; the last where there are several.
const wire::FormPart* part_named(const std::vector<wire::FormPart>& parts,
                                 std::string_view name) {
  const wire::FormPart* found = nullptr;
  for (const wire::FormPart& part : parts) {
    if (part.name == name) found = &part;
  }
  return found;
}

/// A part that is put before the first one.
ModelText new_part(std::uint64_t first, std::string_view boundary) {
  return {first, first,
          fmt::format("--{}\r\ncontent-disposition: form-data; "
                      "name=\"model\"\r\n\r\n",
                      boundary),
          "\r\n"};
}

Result<void> model_part(const std::vector<wire::FormPart>& parts,
                        const Bytes& bytes, ModelBody& out) {
  const auto count = std::count_if(
      parts.begin(), parts.end(),
      [](const wire::FormPart& part) { return part.name == kModel; });
  if (count > 1) return twice("/model");
  const wire::FormPart* part = part_named(parts, kModel);
  if (part == nullptr) return {};
  if (part->end - part->begin > kMaxWord) {
    return invalid_request("the name of the model is too long", "/model");
  }
  LLMPROXY_ASSIGN(out.model, bytes.word(*part));
  out.texts.push_back({part->begin, part->end, "", ""});
  return {};
}

Result<void> check_plain(const HttpRequest& request) {
  const std::string_view coding =
      find_header(request.headers, "content-encoding");
  if (coding.empty() || same_header_name(coding, "identity")) return {};
  Error error = invalid_request("a form must come without content-encoding");
  error.status = 415;
  return error;
}

Error no_form(const ModelPath& row) {
  Error error = invalid_request(fmt::format(
      "{} takes JSON (content-type: application/json), not a form", row.path));
  error.status = 415;
  return error;
}

}  // namespace

std::size_t body_bytes(const HttpRequest& request) {
  return request.large_body
             ? static_cast<std::size_t>(request.large_body->size())
             : request.body.size();
}

bool has_form(const HttpRequest& request) {
  return wire::is_form(find_header(request.headers, "content-type"));
}

Result<ModelBody> read_form_model(const HttpRequest& request) {
  LLMPROXY_TRY(check_plain(request));
  LLMPROXY_ASSIGN(
      const std::string boundary,
      wire::form_boundary(find_header(request.headers, "content-type")));
  wire::FormReader form(boundary);
  const Bytes bytes(request);
  LLMPROXY_TRY(
      bytes.each([&](std::string_view piece) { return form.feed(piece); }));
  LLMPROXY_TRY(form.finish());
  ModelBody out;
  LLMPROXY_TRY(model_part(form.parts(), bytes, out));
  if (out.texts.empty()) {
    out.texts.push_back(new_part(form.first_boundary(), boundary));
  }
  if (const wire::FormPart* part = part_named(form.parts(), kUser)) {
    LLMPROXY_ASSIGN(out.user, bytes.word(*part));
  }
  if (const wire::FormPart* part = part_named(form.parts(), kStream)) {
    LLMPROXY_ASSIGN(const std::string stream, bytes.word(*part));
    out.stream = same_header_name(stream, "true");
  }
  for (const wire::FormPart& part : form.parts()) {
    if (!part.file) out.text_bytes += part.end - part.begin;
  }
  return out;
}

Result<ModelBody> read_model_body(const HttpRequest& request,
                                  const ModelPathMatch& match,
                                  const ParseLimits& limits) {
  const ModelPath& row = *match.row;
  if (has_form(request)) {
    if (!row.forms) return no_form(row);
    return read_form_model(request);
  }
  Result<ModelBody> out = read_json(request.body, match, limits);
  if (!out && row.forms && out.error().kind == ErrorKind::invalid_request &&
      out.error().path.empty()) {
    return invalid_request(fmt::format(
        "{} takes a form (content-type: multipart/form-data, as `curl -F` "
        "sends it) or JSON; as JSON the body cannot be read: {}",
        row.path, out.error().message));
  }
  return out;
}

std::vector<BodyEdit> edits_for(const ModelBody& body, std::string_view model) {
  std::string name;
  if (body.json) {
    json::append_escaped(name, model);
  } else {
    name = model;
  }
  std::vector<BodyEdit> out;
  for (const ModelText& text : body.texts) {
    out.push_back({text.begin, text.end, text.before + name + text.after});
  }
  return out;
}

void edit_body(std::vector<BodyEdit> edits, std::string& body,
               std::shared_ptr<const LargeBody>& large_body) {
  if (edits.empty()) return;
  if (large_body) {
    large_body = edited_body(std::move(large_body), std::move(edits));
  } else {
    body = edited_body(std::string_view(body), edits);
  }
}

}  // namespace llmproxy::gateway
