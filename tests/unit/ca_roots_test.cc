// Which file of roots libcurl is told to read, where its own is not there.
#include "client/ca_roots.h"

#include <catch2/catch.hpp>

#include <curl/curl.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace llmproxy::testing {
namespace {

/// A folder with a file "there" and a folder "folder".
class Places {
 public:
  Places() {
    std::string name =
        std::filesystem::temp_directory_path() / "llmproxy-roots-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    std::ofstream(root_ / "there") << "roots";
    std::filesystem::create_directory(root_ / "folder");
  }
  ~Places() { std::filesystem::remove_all(root_); }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::string path(const std::string& name) const { return root_ / name; }

 private:
  std::filesystem::path root_;
};

struct Row {
  std::string own;
  std::array<std::string, 2> places;
  std::string expected;
};

TEST_CASE("roots are looked for where libcurl's own are not there") {
  const Places at;
  const std::string missing = at.path("missing");
  const std::string there = at.path("there");
  const std::string folder = at.path("folder");
  const std::array rows = {
      Row{there, {there, missing}, ""},
      Row{missing, {missing, there}, there},
      Row{"", {there, missing}, there},
      Row{missing, {folder, there}, there},
      Row{folder, {missing, there}, there},
      Row{missing, {missing, folder}, ""},
      Row{"", {"", ""}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.own, row.places[0], row.places[1]);
    const std::array<std::string_view, 2> places = {row.places[0],
                                                    row.places[1]};
    CHECK(find_ca_file(row.own, places) == row.expected);
  }
}

TEST_CASE("a system whose libcurl finds its roots is left alone") {
  CURL* easy = curl_easy_init();
  char* own = nullptr;
  REQUIRE(curl_easy_getinfo(easy, CURLINFO_CAINFO, &own) == CURLE_OK);
  const bool found = own != nullptr && std::filesystem::is_regular_file(own);
  curl_easy_cleanup(easy);
  if (found) CHECK(system_ca_file().empty());
}

}  // namespace
}  // namespace llmproxy::testing
