// The demo as a Transport.
#include <chrono>

#include "client/demo/reply.h"

namespace llmproxy {

std::shared_ptr<Transport> make_demo_transport() {
  return make_reply_transport([](const UpstreamRequest& request) {
    using std::chrono::duration_cast;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return demo::reply_to(request,
                          duration_cast<std::chrono::seconds>(now).count());
  });
}

}  // namespace llmproxy
