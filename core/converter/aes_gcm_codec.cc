#include "core/converter/aes_gcm_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/aes_gcm.h"
#include "core/converter/payload.h"

namespace chimera::core {
namespace {

constexpr char kKeyIdField[] = "encryption-key-id";

}  // namespace

AesGcmCodec::AesGcmCodec(std::string key_id, std::map<std::string, std::string> keys)
    : key_id_(std::move(key_id)), keys_(std::move(keys)) {}

absl::StatusOr<std::shared_ptr<const AesGcmCodec>> AesGcmCodec::create(
    std::string key_id, std::map<std::string, std::string> keys) {
  if (absl::Status status = check_keys(key_id, keys); !status.ok()) return status;
  return std::shared_ptr<const AesGcmCodec>(new AesGcmCodec(std::move(key_id), std::move(keys)));
}

absl::Status AesGcmCodec::encode(api::common::v1::Payloads& payloads) const {
  for (auto& payload : *payloads.mutable_payloads()) {
    auto sealed = seal(keys_.at(key_id_), payload.SerializeAsString());
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
