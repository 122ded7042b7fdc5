// What is said of paths that lead nowhere: what was asked for, and where the
// client should ask.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/mounts.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Code of the first one, for the log and for clients of OpenAI's APIs.
inline constexpr std::string_view kUnknownUrl = "unknown_url";

/// There is no such path; a client of `dialect` asks.
Error unknown_path(const HttpRequest& request, const Dialect& dialect,
                   const Mount& mount);

/// Of a POST to something behind a model that `dialect` has no verb for
/// ("/v1beta/models/m:generate"), where clients of it put one; else nothing.
/// `path` as the endpoint knows it.
std::optional<Error> unknown_verb(const HttpRequest& request,
                                  const Dialect& dialect,
                                  std::string_view path);

/// There is, and it takes the methods `allowed`.
Error wrong_method(const HttpRequest& request, std::string_view allowed);

/// The base URL that clients of `dialect` are given, `url` being ours; with
/// what to say in front of it.
std::string base_url_for(const Dialect& dialect, std::string_view url);

}  // namespace llmproxy::gateway
