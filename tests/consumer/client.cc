// The smallest user of llmproxy::client: asks the built-in demo model.
#include "llmproxy/client.h"

int main() {
  using namespace llmproxy;
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());
  ChatRequest request;
  request.model = "demo";
  request.messages = {user_message("What is a proxy?")};
  const auto answer = client.send(request);
  // The other transport is linked as well; it asks nobody here.
  return answer && !answer->content.empty() && make_curl_transport() ? 0 : 1;
}
