// Sources: OpenAI API reference, "List models"; Anthropic API reference, "List
// Models"; Gemini API reference, "models.list". Together and GitHub Models
// answer with the bare array.
#include "gateway/model_page.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "base/text.h"
#include "gateway/core.h"
#include "json/json.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

/// For servers that speak whatever their clients do.
constexpr ModelListShape kAnyDialect = {.upstream_path = "/models"};
constexpr std::string_view kAnyVersion = "/v1";

constexpr std::string_view kGeminiPrefix = "models/";
/// What a Gemini model must be able to do: others are not for clients.
constexpr std::array<std::string_view, 2> kGeminiMethods = {"generateContent",
                                                            "embedContent"};

/// Longer ones are none that a URL could hold. Bytes.
constexpr std::size_t kMaxToken = 4096;

/// Nobody waits for a list as long as for a model that thinks.
constexpr std::chrono::seconds kConnect{5};
constexpr std::chrono::seconds kTotal{10};

/// How the backend is asked; nullptr = it cannot be.
const ModelListShape* shape_of(const Backend& backend) {
  if (is_demo(backend)) return nullptr;
  if (backend.dialect == nullptr) return &kAnyDialect;
  const ModelListShape* shape = backend.dialect->model_list;
  return shape == nullptr || shape->upstream_path.empty() ? nullptr : shape;
}

/// The backend without what a request is signed with.
Backend without_credentials(const Backend& backend) {
  Backend out = backend;
  out.api_key = Secret();
  out.aws = {};
  out.aws.region = backend.aws.region;
  out.sign = nullptr;
  if (backend.dialect == nullptr && backend.path_prefix.empty()) {
    out.path_prefix = kAnyVersion;
  }
  return out;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxModelName &&
         std::none_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < ' ' || byte == 0x7f;
         });
}

bool is_wanted(const json::Value& model) {
  const json::Value methods = model["supportedGenerationMethods"];
  if (!methods.is_array()) return true;
  for (const json::Value method : methods.children()) {
    const std::string_view name = method.string();
    if (std::find(kGeminiMethods.begin(), kGeminiMethods.end(), name) !=
        kGeminiMethods.end()) {
      return true;
    }
  }
  return false;
}

/// What a client asks for, or empty.
std::string_view name_of(const json::Value& model) {
  if (const std::string_view id = model["id"].string(); !id.empty()) return id;
  std::string_view name = model["name"].string();
  if (name.starts_with(kGeminiPrefix)) name.remove_prefix(kGeminiPrefix.size());
  return name;
}

std::string next_of(const json::Value& root) {
  std::string_view token = root["nextPageToken"].string();
  if (token.empty() && root["has_more"].is_true()) {
    token = root["last_id"].string();
  }
  return token.size() > kMaxToken ? std::string() : std::string(token);
}

}  // namespace

bool can_list_models(const Backend& backend) {
  if (shape_of(backend) == nullptr) return false;
  const bool clients_key = backend.pass_credentials && backend.api_key.empty();
  return !clients_key || backend.provider->key_optional;
}

bool has_model_pages(const Backend& backend) {
  const ModelListShape* shape = shape_of(backend);
  return shape != nullptr && !shape->upstream_next.empty();
}

UpstreamRequest model_page_request(const Backend& backend,
                                   std::string_view next) {
  const ModelListShape& shape = *shape_of(backend);
  std::string path(shape.upstream_path);
  if (!next.empty()) {
    path += path.find('?') == std::string::npos ? '?' : '&';
    path.append(shape.upstream_next).append("=");
    path.append(percent_encoded(next));
  }
  // Signed last, as the request is.
  UpstreamRequest out =
      upstream_request(without_credentials(backend), path, {}, false);
  out.method = "GET";
  std::erase_if(out.headers, [](const Header& header) {
    return same_header_name(header.name, "content-type");
  });
  out.deadlines.connect = kConnect;
  out.deadlines.first_byte = out.deadlines.idle = out.deadlines.total = kTotal;
  authorize(backend, out);
  return out;
}

Result<ModelPage> read_model_page(std::string_view body) {
  json::Document document;
  const auto root = document.parse_view(body);
  if (!root) return upstream_malformed(root.error().message);
  const json::Value data = (*root)["data"];
  const json::Value models = root->is_array()  ? *root
                             : data.is_array() ? data
                                               : (*root)["models"];
  if (!models.is_array()) {
    return upstream_malformed("this is not a list of models");
  }
  ModelPage page;
  for (const json::Value model : models.children()) {
    const std::string_view name = name_of(model);
    if (is_name(name) && is_wanted(model)) page.names.emplace_back(name);
  }
  if (root->is_object()) page.next = next_of(*root);
  return page;
}

}  // namespace llmproxy::gateway
