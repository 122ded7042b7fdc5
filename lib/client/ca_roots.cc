// The table of places.
#include "client/ca_roots.h"

#include <curl/curl.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace llmproxy {
namespace {

/// As crypto/x509/root_linux.go of Go 1.22 has them.
constexpr std::array<std::string_view, 6> kPlaces = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, Red Hat until 9
    "/etc/ssl/ca-bundle.pem",              // openSUSE
    "/etc/pki/tls/cacert.pem",             // OpenELEC
    // Fedora, Red Hat
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",  // Alpine
};

bool is_there(std::string_view file) {
  std::error_code error;
  return std::filesystem::is_regular_file(file, error);
}

/// The file that the libcurl of this process was built to read.
std::string built_in_file() {
  std::string file;
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return file;
  char* name = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CAINFO, &name) == CURLE_OK &&
      name != nullptr) {
    file = name;
  }
  curl_easy_cleanup(easy);
  return file;
}

}  // namespace

std::string find_ca_file(std::string_view own,
                         std::span<const std::string_view> places) {
  if (is_there(own)) return {};
  for (const std::string_view place : places) {
    if (is_there(place)) return std::string(place);
  }
  return {};
}

const std::string& system_ca_file() {
  static const std::string file = find_ca_file(built_in_file(), kPlaces);
  return file;
}

}  // namespace llmproxy
