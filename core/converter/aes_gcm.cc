#include "core/converter/aes_gcm.h"

#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"

#include "openssl/evp.h"
#include "openssl/rand.h"

namespace chimera::core {
namespace {

constexpr std::size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(const char* text) {
  return reinterpret_cast<const unsigned char*>(text);
}

// OpenSSL takes lengths as int; a payload is far smaller (the server refuses more than 2 MiB by
// default).
bool fits(std::size_t size) { return size < (std::size_t{1} << 30); }

}  // namespace

absl::StatusOr<std::string> seal(std::string_view key, std::string_view plain,
                                 std::string_view bound) {
  if (!fits(plain.size())) return absl::InvalidArgumentError("too large to encrypt");
  std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0, last = 0;
  unsigned char* body = bytes(out.data()) + kNonceBytes;
  const bool ok =
      cipher != nullptr && RAND_bytes(bytes(out.data()), kNonceBytes) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key.data()),
                         bytes(out.data())) == 1 &&
      (bound.empty() || EVP_EncryptUpdate(cipher.get(), nullptr, &done, bytes(bound.data()),
                                          static_cast<int>(bound.size())) == 1) &&
      EVP_EncryptUpdate(cipher.get(), body, &done, bytes(plain.data()),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + done, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + plain.size()) == 1;
  if (!ok) return absl::InternalError("OpenSSL could not encrypt with AES-256-GCM");
  return out;
}

absl::StatusOr<std::string> open_sealed(std::string_view key, std::string_view sealed,
                                        std::string_view bound) {
  if (sealed.size() < kNonceBytes + kTagBytes || !fits(sealed.size())) {
    return absl::InvalidArgumentError("it has no room for nonce and tag");
  }
  const std::size_t size = sealed.size() - kNonceBytes - kTagBytes;
  std::string plain(size, '\0');
  std::string tag(sealed.substr(kNonceBytes + size));
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0, last = 0;
  const bool ok =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key.data()),
                         bytes(sealed.data())) == 1 &&
      (bound.empty() || EVP_DecryptUpdate(cipher.get(), nullptr, &done, bytes(bound.data()),
                                          static_cast<int>(bound.size())) == 1) &&
      EVP_DecryptUpdate(cipher.get(), bytes(plain.data()), &done,
                        bytes(sealed.data()) + kNonceBytes, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(plain.data()) + done, &last) == 1;
  if (!ok) return absl::InvalidArgumentError("wrong key, or it was changed on its way");
  return plain;
}

absl::Status check_keys(const std::string& key_id, const AesKeys& keys) {
  if (!keys.contains(key_id))
    return absl::InvalidArgumentError(absl::StrCat("no encryption key has the id '", key_id, "'"));
  for (const auto& [id, key] : keys) {
    if (key.size() != kKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("encryption key '", id, "' has ", key.size(),
                                                     " bytes; AES-256 needs ", kKeyBytes));
    }
  }
  return absl::OkStatus();
}

}  // namespace chimera::core
