#include "core/converter/aes_gcm_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/payload.h"
#include "openssl/evp.h"
#include "openssl/rand.h"

namespace chimera::core {
namespace {

constexpr std::size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;
constexpr char kKeyIdField[] = "encryption-key-id";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(const char* text) {
  return reinterpret_cast<const unsigned char*>(text);
}

// OpenSSL takes lengths as int; a payload is far smaller (the server refuses more than 2 MiB by
// default).
bool fits(std::size_t size) { return size < (std::size_t{1} << 30); }

absl::StatusOr<std::string> encrypt(const std::string& key, const std::string& plain) {
  if (!fits(plain.size())) return absl::InvalidArgumentError("payload too large to encrypt");
  std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0, last = 0;
  unsigned char* body = bytes(out.data()) + kNonceBytes;
  const bool ok =
      cipher != nullptr && RAND_bytes(bytes(out.data()), kNonceBytes) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key.data()),
                         bytes(out.data())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), body, &done, bytes(plain.data()),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + done, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + plain.size()) == 1;
  if (!ok) return absl::InternalError("OpenSSL could not encrypt a payload with AES-256-GCM");
  return out;
}

absl::StatusOr<std::string> open_sealed(const std::string& key, const std::string& sealed) {
  if (sealed.size() < kNonceBytes + kTagBytes || !fits(sealed.size())) {
    return absl::InvalidArgumentError("encrypted payload has no room for nonce and tag");
  }
  const std::size_t size = sealed.size() - kNonceBytes - kTagBytes;
  std::string plain(size, '\0');
  std::string tag = sealed.substr(kNonceBytes + size);
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0, last = 0;
  const bool ok =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key.data()),
                         bytes(sealed.data())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(plain.data()), &done,
                        bytes(sealed.data()) + kNonceBytes, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(plain.data()) + done, &last) == 1;
  if (!ok) return absl::InvalidArgumentError("wrong key, or the payload was changed on its way");
  return plain;
}

}  // namespace

AesGcmCodec::AesGcmCodec(std::string key_id, std::map<std::string, std::string> keys)
    : key_id_(std::move(key_id)), keys_(std::move(keys)) {}

absl::StatusOr<std::shared_ptr<const AesGcmCodec>> AesGcmCodec::create(
    std::string key_id, std::map<std::string, std::string> keys) {
  if (!keys.contains(key_id)) {
    return absl::InvalidArgumentError(absl::StrCat("no encryption key has the id '", key_id, "'"));
  }
  for (const auto& [id, key] : keys) {
    if (key.size() != kKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("encryption key '", id, "' has ", key.size(),
                                                     " bytes; AES-256 needs ", kKeyBytes));
    }
  }
  return std::shared_ptr<const AesGcmCodec>(new AesGcmCodec(std::move(key_id), std::move(keys)));
}

absl::Status AesGcmCodec::encode(api::common::v1::Payloads& payloads) const {
  for (auto& payload : *payloads.mutable_payloads()) {
    auto sealed = encrypt(keys_.at(key_id_), payload.SerializeAsString());
    if (!sealed.ok()) return sealed.status();
    payload.Clear();
    set_encoding(payload, kEncodingEncrypted);
    (*payload.mutable_metadata())[kKeyIdField] = key_id_;
    payload.set_data(*std::move(sealed));
  }
  return absl::OkStatus();
}

absl::Status AesGcmCodec::decode(api::common::v1::Payloads& payloads) const {
  for (auto& payload : *payloads.mutable_payloads()) {
    if (encoding_of(payload) != kEncodingEncrypted) continue;
    if (absl::Status status = decrypt(payload); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AesGcmCodec::decrypt(api::common::v1::Payload& payload) const {
  const auto id = payload.metadata().find(kKeyIdField);
  const std::string name = id == payload.metadata().end() ? key_id_ : id->second;
  const auto key = keys_.find(name);
  if (key == keys_.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("payload is encrypted with key '", name, "', which this codec does not have"));
  }
  auto plain = open_sealed(key->second, payload.data());
  if (!plain.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot decrypt a payload with key '", name, "': ", plain.status().message()));
  }
  if (!payload.ParseFromString(*plain)) {
    return absl::InvalidArgumentError(absl::StrCat("what was decrypted with key '", name,
                                                   "' is not a payload; another codec wrote it?"));
  }
  return absl::OkStatus();
}

}  // namespace chimera::core
