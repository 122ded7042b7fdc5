// The one file that knows where the sources are: compilers' caches may give
// the others to a second checkout.
#include "support/test_data.h"

#include <fstream>
#include <iterator>

namespace llmproxy::testing {

std::string read_data(const std::string& name) {
  std::ifstream file(std::string(LLMPROXY_TEST_DATA "/") + name,
                     std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace llmproxy::testing
