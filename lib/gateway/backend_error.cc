#include "gateway/backend_error.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "gateway/config_backends.h"
#include "gateway/credentials.h"
#include "gateway/log_text.h"

namespace llmproxy::gateway {
namespace {

constexpr std::array kWay = {ErrorKind::upstream_unreachable,
                             ErrorKind::timeout};

/// How upstreams say that they do not take a key.
struct MarkRow {
  int status;
  std::string_view said;  ///< in the error's message or code; "" = anything
};
constexpr std::array kKeyRefused = {
    MarkRow{401, ""},
    MarkRow{400, "API key not valid"},  // Gemini
    MarkRow{400, "API_KEY_INVALID"},
    MarkRow{403, "UnrecognizedClient"},  // AWS, and the next ones
    MarkRow{403, "security token"},
    MarkRow{403, "signature we calculated"},
};
/// How servers that wait for TLS say so in plain HTTP: nginx and Apache, Go.
constexpr std::array kWantsTls = {
    MarkRow{400, "plain HTTP request"},
    MarkRow{400, "HTTP request to an HTTPS"},
};

template <std::size_t size>
bool is_one_of(const std::array<MarkRow, size>& marks, const Error& error) {
  return std::any_of(marks.begin(), marks.end(), [&](const MarkRow& row) {
    return row.status == error.status &&
           (error.message.find(row.said) != std::string::npos ||
            error.code.find(row.said) != std::string::npos);
  });
}

bool has_key(const Backend& backend) {
  return !backend.api_key.empty() || !backend.aws.access_key_id.empty() ||
         has_credential(backend.headers) || backend.sign != nullptr;
}

std::string about_key(const UpstreamCall& call) {
  const Backend& backend = *call.backend;
  if (call.lends_key && !backend.api_key.empty()) return {};
  if (!call.lends_key && has_key(backend)) {
    return fmt::format("the backend '{}' refused the proxy's key",
                       short_name(backend.name));
  }
  if (has_credential(call.request.headers)) return {};
  const std::string_view variable = backend.provider->key_variable;
  return fmt::format("no key was sent to the backend '{}'; set its api_key{}{}",
                     short_name(backend.name),
                     variable.empty() ? "" : ", or without a file ", variable);
}

std::string about_url(const Backend& backend) {
  const bool versioned = ends_in_version(backend.base_url) ||
                         !backend.provider->path_prefix.empty();
  return fmt::format("is base_url of the backend '{}' right{}?",
                     short_name(backend.name),
                     versioned ? "" : ", or is /v1 missing at its end");
}

/// What is to be said before the upstream's own words.
std::string explanation(const UpstreamCall& call,
                        const UpstreamAnswer& upstream, const Error& error) {
  constexpr int kNotFound = 404;
  if (is_one_of(kKeyRefused, error)) return about_key(call);
  if (is_one_of(kWantsTls, error)) {
    return fmt::format("base_url of the backend '{}' must begin with https://",
                       short_name(call.backend->name));
  }
  // An API says in JSON that it has no such model.
  if (error.status == kNotFound && form_of(upstream.body) != BodyForm::json) {
    return about_url(*call.backend);
  }
  return {};
}

}  // namespace

Error at_backend(const Backend& backend, Error error) {
  if (std::find(kWay.begin(), kWay.end(), error.kind) == kWay.end()) {
    return error;
  }
  error.message += fmt::format(" (backend '{}')", short_name(backend.name));
  return error;
}

TranslatedError explained(Exchange& exchange, const UpstreamCall& call,
                          const UpstreamAnswer& upstream,
                          TranslatedError translated) {
  ClientAnswer& answer = exchange.answer;
  answer.note(translated.error);
  const std::string words = explanation(call, upstream, translated.error);
  if (words.empty()) return translated;
  std::string& noted = answer.record().error;
  noted = words + (noted.empty() ? "" : ": ") + noted;
  Error error = translated.error;
  error.message = words + (error.message.empty() ? "" : ": ") + error.message;
  TranslatedError told = write_error(*call.client, error);
  told.error = std::move(error);
  return told;
}

}  // namespace llmproxy::gateway
