// What a host with an HTTP client of its own needs of the library: the core,
// which says what to send and reads what comes back.
//
//   own_http_client [MODEL]
//
// Prints the requests that it would send to two vendors for one body.
#include <iostream>

#include "llmproxy/translate.h"

using namespace llmproxy;

/// Stands for the host's client.
struct MyHttpClient {
  void send(const std::string& method, const std::string& url,
            const Headers& headers, const std::string& body) {
    std::cout << method << ' ' << url << '\n';
    for (const Header& header : headers) {
      std::cout << header.name << ": " << header.value << '\n';
    }
    std::cout << '\n' << body << "\n\n";
  }
};

/// Where a vendor is, and how it takes the key: all that the core leaves open.
struct Vendor {
  const char* dialect;
  std::string base_url;
  Header key;
};

int main(int argc, char** argv) {
  const Vendor vendors[] = {
      {"claude", "https://api.anthropic.com/v1", {"x-api-key", "KEY"}},
      {"gemini",
       "https://generativelanguage.googleapis.com/v1beta",
       {"x-goog-api-key", "KEY"}}};
  const std::string body = R"({"model": "gpt-5", "stream": true,
      "messages": [{"role": "user", "content": "What is a proxy?"}]})";
  TranslateOptions options;
  options.model = argc > 1 ? argv[1] : "some-model";
  MyHttpClient http;
  for (const Vendor& vendor : vendors) {
    const auto sent =
        translate_request(*find_dialect("openai-chat"),
                          *find_dialect(vendor.dialect), body, options);
    if (!sent) return std::cerr << sent.error().message << '\n', 1;
    Headers headers = sent->headers;
    headers.push_back(vendor.key);
    http.send(sent->method, vendor.base_url + sent->target(), headers,
              sent->body);
  }
}
