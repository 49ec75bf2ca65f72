// The client over https: whom it trusts.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "sdk-cpp/src/http/client.h"

namespace chimera::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast::http;
using asio::ip::tcp;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A key, and a certificate that it signed itself, for the name localhost, in files.
class Certificate {
 public:
  Certificate() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate, names, -1);
    X509_sign(certificate, key, EVP_sha256());
    write(certificate_file(), [&](FILE* file) { PEM_write_X509(file, certificate); });
    write(key_file(), [&](FILE* file) {
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_EXTENSION_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() {
    unlink(certificate_file().c_str());
    unlink(key_file().c_str());
  }
  Certificate(const Certificate&) = delete;
  std::string certificate_file() const { return stem_ + "certificate.pem"; }
  std::string key_file() const { return stem_ + "key.pem"; }

 private:
  template <class Write>
  static void write(const std::string& path, Write&& code) {
    FILE* const file = std::fopen(path.c_str(), "w");
    code(file);
    std::fclose(file);
  }
  const std::string stem_ = ::testing::TempDir() + "https_" + std::to_string(getpid()) + "_";
};

// Answers one client, if that trusts it.
class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate)
      : tls_(asio::ssl::context::tls_server),
        acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
    tls_.use_certificate_file(certificate.certificate_file(), asio::ssl::context::pem);
    tls_.use_private_key_file(certificate.key_file(), asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() { thread_.join(); }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void serve() {
    boost::system::error_code error;
    asio::ssl::stream<tcp::socket> stream(acceptor_.accept(), tls_);
    stream.handshake(asio::ssl::stream_base::server, error);
    boost::beast::flat_buffer buffer;
    beast::request<beast::string_body> request;
    if (!error) beast::read(stream, buffer, request, error);
    if (error) return;
    beast::response<beast::string_body> response(beast::status::ok, 11, request.body());
    response.prepare_payload();
    beast::write(stream, response, error);
  }

  asio::io_context context_;
  asio::ssl::context tls_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

// What came back, or the error's text.
std::string exchange(const Certificate& certificate, const std::string& host) {
  const TlsServer server(certificate);
  Client client(parse_url("https://" + host + ":" + server.port(), "url"), {});
  try {
    return client
        .post("hello", "text/plain", std::chrono::steady_clock::now() + std::chrono::seconds(30))
        .body;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(HttpsTest, WhoHasACertificateOfTheSystemsRootsForItsNameIsSpokenWith) {
  const Certificate certificate;
  EXPECT_THAT(exchange(certificate, "localhost"),
              AllOf(HasSubstr("TLS with localhost"), HasSubstr("certificate verify failed")));
  setenv("SSL_CERT_FILE", certificate.certificate_file().c_str(), 1);
  EXPECT_EQ(exchange(certificate, "localhost"), "hello");
  EXPECT_THAT(exchange(certificate, "127.0.0.1"), HasSubstr("certificate verify failed"));
  unsetenv("SSL_CERT_FILE");
}

}  // namespace
}  // namespace chimera::http
