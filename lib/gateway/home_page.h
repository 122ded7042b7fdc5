// GET /: what this is, for whoever opens the address in a browser or asks with
// curl: version, models, endpoints, and how to point a client here.
#pragma once

#include <string>
#include <string_view>

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// Answers in HTML where the client takes that, else in plain text. What there
/// is to choose from is told to those only who may use it.
void show_home_page(Exchange& exchange);

/// `text` as it stands in HTML, in attributes too. Names come from
/// configurations and from upstreams.
std::string html_escaped(std::string_view text);

/// The page's style sheet, as its content security policy knows it.
std::string_view home_page_style();
/// The hash of it that the policy has ("sha256-...").
std::string_view home_page_style_hash();

}  // namespace llmproxy::gateway
