#include "core/rpc/tls.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace chimera::core {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// A key with a passphrase must not ask the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

absl::Status not_pem(absl::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat("TLS: ", what, " is not PEM text that OpenSSL can read (", "-----BEGIN ...-----",
                   "); give the file's content, not its path, and a key without a passphrase"));
}

}  // namespace

bool certificate_is_for(const std::string& certificate, const std::string& name) {
  Owned<BIO> bio = reader(certificate);
  Owned<X509> parsed(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  const bool matches =
      parsed && (X509_check_host(parsed.get(), name.data(), name.size(), 0, nullptr) == 1 ||
                 X509_check_ip_asc(parsed.get(), name.c_str(), 0) == 1);
  ERR_clear_error();
  return matches;
}

namespace {

absl::Status read_file(const std::string& path, const char* option, std::string& text) {
  if (path.empty()) return absl::OkStatus();
  std::error_code none;
  std::ifstream in;
  if (!std::filesystem::is_directory(path, none)) in.open(path, std::ios::binary);
  if (in.is_open())
    text.assign((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (text.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS: ", option, " \"", path, "\" cannot be read, or is empty"));
  }
  return absl::OkStatus();
}

// The same with what the files hold now.
absl::StatusOr<TlsOptions> loaded(const TlsOptions& tls) {
  if (!tls.server_root_ca_cert.empty() || !tls.client_cert.empty() ||
      !tls.client_private_key.empty()) {
    return absl::InvalidArgumentError(
        "TLS: some of it is given as text and some as files; give all of it in one way");
  }
  if (tls.reload_interval < std::chrono::seconds(1))
    return absl::InvalidArgumentError("TLS: reload_interval must be at least a second");
  TlsOptions out = tls;
  out.server_root_ca_cert_file.clear();
  out.client_cert_file.clear();
  out.client_private_key_file.clear();
  absl::Status status =
      read_file(tls.server_root_ca_cert_file, "server_root_ca_cert_file", out.server_root_ca_cert);
  status.Update(read_file(tls.client_cert_file, "client_cert_file", out.client_cert));
  status.Update(
      read_file(tls.client_private_key_file, "client_private_key_file", out.client_private_key));
  if (!status.ok()) return status;
  return out;
}

}  // namespace

absl::Status check_tls(const TlsOptions& tls) {
  if (tls.from_files()) {
    const absl::StatusOr<TlsOptions> texts = loaded(tls);
    return texts.ok() ? check_tls(*texts) : texts.status();
  }
  if (!tls.verification_server_name.empty() && tls.server_root_ca_cert.empty()) {
    return absl::InvalidArgumentError(
        "TLS: verification_server_name is given without server_root_ca_cert; a name of one's own "
        "choice is only checked against a root of one's own choice");
  }
  if (!tls.server_root_ca_cert.empty()) {
    Owned<BIO> bio = reader(tls.server_root_ca_cert);
    if (!Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))) {
      return not_pem("server_root_ca_cert");
    }
  }
  if (tls.client_cert.empty() != tls.client_private_key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TLS: ", tls.client_cert.empty() ? "client_private_key" : "client_cert",
        " is given without ", tls.client_cert.empty() ? "client_cert" : "client_private_key",
        "; a client certificate needs both"));
  }
  if (tls.client_cert.empty()) return absl::OkStatus();
  Owned<BIO> certificate_bio = reader(tls.client_cert);
  Owned<X509> certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return not_pem("client_cert");
  Owned<BIO> key_bio = reader(tls.client_private_key);
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return not_pem("client_private_key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "TLS: client_private_key does not belong to client_cert; give the pair that was issued "
        "together");
  }
  return absl::OkStatus();
}

}  // namespace chimera::core
