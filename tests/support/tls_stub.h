// TlsStub: an HTTPS server on loopback with a certificate of its own making,
// to see whom the transport trusts. Answers every request with "ok".
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace llmproxy::testing {

class TlsStub {
 public:
  /// The certificate is for `name`: "IP:127.0.0.1" or "DNS:localhost".
  explicit TlsStub(const std::string& name);
  ~TlsStub();
  TlsStub(const TlsStub&) = delete;
  TlsStub& operator=(const TlsStub&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "https://" + host(); }
  /// PEM file of the certificate, for clients that are to trust it.
  const std::string& ca_file() const { return ca_file_; }
  int handshakes() const { return handshakes_; }
  int requests() const { return requests_; }

 private:
  void accept_all();
  void serve(int socket);
  void answer(SSL* ssl);

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::string ca_file_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> handshakes_ = 0;
  std::atomic<int> requests_ = 0;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace llmproxy::testing
