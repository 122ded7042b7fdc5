// An interceptor sees every request on its way to an upstream, and the head
// of every answer: for headers of the host's own, for signatures that can
// fail, for counting. It is put around a Transport, and so works for a Client,
// a Gateway and anything else that uses one.
//
// One object serves all transfers: its functions are called from many threads
// at once, on_answer also from the transport's engine thread, where it must
// not block. They should not throw: that ends the call with an error (internal)
// which says no more than that. The transport keeps the object alive.
//
//   struct AddTenant : UpstreamInterceptor {
//     Result<void> on_request(UpstreamRequest& request) override {
//       request.headers.push_back({"x-tenant", "acme"});
//       return {};
//     }
//   };
//   Client client(backend, make_intercepting_transport(
//                              make_curl_transport(),
//                              std::make_shared<AddTenant>()));
#pragma once

#include <memory>

#include "llmproxy/export.h"
#include "llmproxy/result.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// A host's eyes and hands on what goes to upstreams; see the top of this
/// file.
class UpstreamInterceptor {
 public:
  virtual ~UpstreamInterceptor() = default;
  /// Called before the request goes out, key and signature included; may
  /// change all of it. An error is what the call ends with: nothing is sent.
  /// Called on the thread that starts the call, which it may block.
  virtual Result<void> on_request(UpstreamRequest& request) {
    (void)request;
    return {};
  }
  /// The upstream answers with this head, to what on_request made.
  virtual void on_answer(const UpstreamRequest& request, int status,
                         const Headers& headers) {
    (void)request, (void)status, (void)headers;
  }
};

/// `inner` with `interceptor` before it. Several are nested: the outermost is
/// asked first.
std::shared_ptr<Transport> make_intercepting_transport(
    std::shared_ptr<Transport> inner,
    std::shared_ptr<UpstreamInterceptor> interceptor);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
