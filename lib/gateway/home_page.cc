// One list of sections, written in two ways. No script, nothing from outside.
#include "gateway/home_page.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/auth.h"
#include "gateway/listed_models.h"
#include "gateway/model_lists.h"
#include "gateway/model_paths.h"
#include "gateway/own_url.h"
#include "gateway/page_guard.h"
#include "llmproxy/version.h"

namespace llmproxy::gateway {
namespace {

/// More are told by GET /v1/models.
constexpr std::size_t kMostModels = 100;
constexpr std::size_t kLongestName = 200;

constexpr std::string_view kTitle = "llm-proxy " LLMPROXY_VERSION;
constexpr std::string_view kWhat =
    "One address for the APIs of OpenAI, Anthropic, Google and Amazon: each "
    "client speaks its own, whatever the model behind it speaks.";

// Its hash stands below: a test compares the two.
constexpr std::string_view kStyle =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48em;margin:2em auto;"
    "padding:0 1em}pre{background:#8882;padding:.7em 1em;border-radius:.3em;"
    "overflow-x:auto}:root{color-scheme:light dark}";
constexpr std::string_view kStyleHash =
    "sha256-sSVzPomXKTN65W4kCsBOIWnIEO7pMSKrqKURWCFdGME=";

/// Lines of plain text below a title.
struct Section {
  std::string_view title;
  std::vector<std::string> lines;
};

/// What of a request the page says something about.
struct Reader {
  std::string url;  ///< ours
  bool may_ask = false;
  bool needs_key = false;
};

/// What a client is to be told; {url} and {key} stand for what they say.
constexpr std::array<std::string_view, 7> kClientLines = {
    "export OPENAI_BASE_URL={url}/v1",
    "export OPENAI_API_KEY={key}",
    "export ANTHROPIC_BASE_URL={url}",
    "export ANTHROPIC_API_KEY={key}",
    "export GOOGLE_GEMINI_BASE_URL={url}",
    "export GEMINI_API_KEY={key}",
    "export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}",
};

Reader reader_of(const Exchange& exchange) {
  const ServerConfig& server = exchange.core.config().server;
  Reader out;
  out.url = own_url(exchange.request);
  if (out.url.empty()) {
    out.url = fmt::format("http://{}:{}", server.host, server.port);
  }
  out.url += exchange.mount.prefix;
  out.needs_key =
      !server.client_keys.empty() || !server.client_access_keys.empty();
  out.may_ask = find_client(server, exchange.request).has_value() &&
                check_page(server, exchange.request);
  return out;
}

/// A name may stand in a shell's line between quotes as it is.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
                  c == ':' || c == '/';
         });
}

Section models_section(const Exchange& exchange,
                       const std::vector<ListedModel>& models) {
  Section out{"Models", {}};
  for (const ListedModel& model : models) {
    if (out.lines.size() == kMostModels) {
      out.lines.push_back(fmt::format("and {} more: GET /v1/models lists them",
                                      models.size() - kMostModels));
      break;
    }
    out.lines.push_back(model.id);
  }
  const Routes& routes = exchange.core.routes();
  std::string patterns;
  for (const Route* route : routes.patterns(exchange.mount.prefix)) {
    if (patterns.size() > kMostModels * kLongestName) break;
    patterns += patterns.empty() ? "" : " ";
    patterns += route->name;
  }
  if (!patterns.empty()) {
    out.lines.push_back("and every name that matches one of: " + patterns);
  }
  if (exchange.mount.prefix.empty()) {
    std::size_t left = kMostModels;
    for (const std::string_view prefix : routes.prefixes()) {
      if (left-- == 0) break;
      out.lines.push_back(
          fmt::format("more below {0}: GET {0}/v1/models", prefix));
    }
  }
  if (out.lines.empty()) out.lines.emplace_back("none");
  return out;
}

Section endpoints_section() {
  Section out{"Endpoints", {}};
  for (const Dialect* dialect : dialects()) {
    for (const ClientPath& row : dialect->client_paths) {
      if (row.operation != Operation::chat) continue;
      out.lines.push_back(
          fmt::format("POST {}  ({})", row.pattern, dialect->name));
    }
  }
  for (const ModelPath& row : model_paths()) {
    out.lines.push_back(fmt::format("POST {}", row.path));
  }
  out.lines.emplace_back("GET /v1/models");
  out.lines.emplace_back("GET /health");
  return out;
}

std::string filled(std::string_view line, const Reader& reader) {
  return fmt::format(fmt::runtime(line), fmt::arg("url", reader.url),
                     fmt::arg("key", reader.needs_key ? "YOUR_KEY" : "none"));
}

Section clients_section(const Reader& reader,
                        const std::vector<ListedModel>& models) {
  Section out{"Point a client here", {}};
  for (const std::string_view line : kClientLines) {
    out.lines.push_back(filled(line, reader));
  }
  const auto named = std::find_if(
      models.begin(), models.end(),
      [](const ListedModel& model) { return is_plain_name(model.id); });
  out.lines.emplace_back();
  out.lines.push_back(fmt::format(
      "curl {}/v1/chat/completions -H 'content-type: application/json'{} -d "
      "'{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":"
      "\"hello\"}}]}}'",
      reader.url,
      reader.needs_key ? " -H 'authorization: Bearer YOUR_KEY'" : "",
      named == models.end() ? "MODEL" : named->id));
  out.lines.emplace_back();
  out.lines.emplace_back(
      "llm-proxy env NAME prints what a client of that name needs");
  return out;
}

std::vector<Section> sections_of(Exchange& exchange, const Reader& reader) {
  std::vector<Section> out;
  std::vector<ListedModel> models;
  if (reader.may_ask) {
    refresh_models(exchange);
    models = listed_models(exchange.core, exchange.mount.prefix);
    out.push_back(models_section(exchange, models));
  } else if (reader.needs_key) {
    out.push_back({"Models",
                   {"GET /v1/models lists them for those who send a key: "
                    "authorization: Bearer YOUR_KEY"}});
  }
  out.push_back(endpoints_section());
  out.push_back(clients_section(reader, models));
  return out;
}

std::string text_page(const std::vector<Section>& sections) {
  std::string out = fmt::format("{}\n{}\n", kTitle, kWhat);
  for (const Section& section : sections) {
    out += fmt::format("\n{}\n", section.title);
    for (const std::string& line : section.lines) {
      if (!line.empty()) out += "  " + line;
      out += '\n';
    }
  }
  return out;
}

std::string html_page(const std::vector<Section>& sections,
                      std::string_view prefix) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
      "<h1>{0}</h1>\n<p>{2}</p>\n",
      kTitle, kStyle, kWhat);
  for (const Section& section : sections) {
    out += fmt::format("<h2>{}</h2>\n<pre>", section.title);
    for (const std::string& line : section.lines) {
      out += html_escaped(line) + "\n";
    }
    out += "</pre>\n";
  }
  out += fmt::format(
      "<p><a href=\"{0}/health\">Health</a> &middot; "
      "<a href=\"{0}/v1/models\">Models as JSON</a></p>\n</body>\n</html>\n",
      html_escaped(prefix));
  return out;
}

/// Whether the client reads HTML; curl says that it takes anything.
bool takes_html(const HttpRequest& request) {
  const std::string accept = lower(find_header(request.headers, "accept"));
  return accept.find("text/html") != std::string::npos;
}

Headers page_headers(bool html) {
  return {
      {"content-type",
       html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"},
      {"content-security-policy",
       fmt::format("default-src 'none'; style-src '{}'; base-uri 'none'; "
                   "form-action 'none'; frame-ancestors 'none'",
                   kStyleHash)},
      {"x-content-type-options", "nosniff"},
      {"referrer-policy", "no-referrer"},
      {"cache-control", "no-store"},
      {"vary", "accept"},
  };
}

}  // namespace

void show_home_page(Exchange& exchange) {
  const Reader reader = reader_of(exchange);
  const std::vector<Section> sections = sections_of(exchange, reader);
  const bool html = takes_html(exchange.request);
  exchange.answer.send(
      200, page_headers(html),
      html ? html_page(sections, exchange.mount.prefix) : text_page(sections));
}

std::string html_escaped(std::string_view text) {
  struct Row {
    char character;
    std::string_view entity;
  };
  constexpr std::array kRows = {Row{'&', "&amp;"}, Row{'<', "&lt;"},
                                Row{'>', "&gt;"}, Row{'"', "&quot;"},
                                Row{'\'', "&#39;"}};
  std::string out;
  for (const char c : text) {
    const auto* row =
        std::find_if(kRows.begin(), kRows.end(),
                     [c](const Row& r) { return r.character == c; });
    if (row == kRows.end()) {
      out += c;
    } else {
      out += row->entity;
    }
  }
  return out;
}

std::string_view home_page_style() { return kStyle; }

std::string_view home_page_style_hash() { return kStyleHash; }

}  // namespace llmproxy::gateway
