// What the OpenAI API has in common in its dialects, beside their bodies.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/dialect_serving.h"

namespace llmproxy::openai_family {

inline constexpr std::string_view kApi = "the OpenAI API";
constexpr DialectSetup setup(std::string_view provider) {
  return {.base_url = "the base URL of an OpenAI client ends in /v1",
          .base_url_end = "/v1",
          .provider = provider,
          .version = "/v1"};
}

inline constexpr std::array<std::string_view, 3> kRequestHeaders = {
    "openai-organization", "openai-project", "openai-beta"};
inline constexpr std::array<std::string_view, 1> kListHeaders = {"openai-beta"};
inline constexpr std::array<std::string_view, 1> kAnswerHeaders = {
    "x-ratelimit-"};

constexpr DialectHeaders headers(std::string_view retry_after) {
  return {.request_id = "x-request-id",
          .request = kRequestHeaders,
          .lists = kListHeaders,
          .answer = kAnswerHeaders,
          .retry_after = retry_after};
}

inline constexpr std::array<std::string_view, 1> kModelPaths = {"/v1/models/"};
void write_model(const ModelEntry& model, std::string& out);
void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out);
// OpenAI API reference, "List models".
inline constexpr ModelListShape kModelList = {.upstream_path = "/models",
                                              .client_paths = kModelPaths,
                                              .write_model = write_model,
                                              .write_list = write_model_list};

}  // namespace llmproxy::openai_family
