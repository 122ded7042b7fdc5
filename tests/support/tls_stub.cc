#include "support/tls_stub.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "client/sigpipe.h"
#include "support/http_stub.h"

namespace llmproxy::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

/// Valid for an hour, signed by itself.
Certificate self_signed(const std::string& name, EVP_PKEY* key) {
  Certificate certificate(X509_new(), X509_free);
  X509* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  constexpr std::string_view kSubject = "llmproxy test";
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(x509), "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(kSubject.data()),
      static_cast<int>(kSubject.size()), -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
  X509_add_ext(x509, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(x509, key, EVP_sha256());
  return certificate;
}

std::string write_pem(X509* certificate) {
  std::string path = "/tmp/llmproxy-test-XXXXXX";
  std::FILE* file = fdopen(mkstemp(path.data()), "w");
  if (file == nullptr) throw std::runtime_error("no temporary file");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  return path;
}

}  // namespace

TlsStub::TlsStub(const std::string& name)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate = self_signed(name, key.get());
  if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
    throw std::runtime_error("no certificate");
  }
  ca_file_ = write_pem(certificate.get());
  std::tie(listener_, port_) = bound_socket();
  listen(listener_, SOMAXCONN);
  acceptor_ = std::thread([this] { accept_all(); });
}

TlsStub::~TlsStub() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
  std::remove(ca_file_.c_str());
}

void TlsStub::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void TlsStub::serve(int socket) {
  const SigpipeGuard guard;  // OpenSSL writes without MSG_NOSIGNAL
  SSL* ssl = SSL_new(context_.get());
  SSL_set_fd(ssl, socket);
  if (SSL_accept(ssl) == 1) {
    ++handshakes_;
    answer(ssl);
  }
  SSL_free(ssl);
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, socket);
  close(socket);
}

void TlsStub::answer(SSL* ssl) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const int got = SSL_read(ssl, piece.data(), static_cast<int>(piece.size()));
    if (got <= 0) return;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (!text.ends_with("\r\n\r\n{}")) continue;  // what post() sends
    text.clear();
    ++requests_;
    const std::string reply = http_answer(200, "ok");
    SSL_write(ssl, reply.data(), static_cast<int>(reply.size()));
  }
}

}  // namespace llmproxy::testing
