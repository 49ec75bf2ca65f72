// AesGcmCodec, encryption in the convention of the official samples, so that every SDK and codec
// server with the same key reads it: encoding binary/encrypted, metadata encryption-key-id, data =
// nonce (12) || AES-256-GCM(Payload) || tag (16).
#ifndef CHIMERA_CORE_CONVERTER_AES_GCM_CODEC_H_
#define CHIMERA_CORE_CONVERTER_AES_GCM_CODEC_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/converter/codec.h"

namespace chimera::core {

// Immutable after create(); any thread.
class AesGcmCodec final : public PayloadCodec {
 public:
  // Keys by id, each of 32 bytes; encrypts with key `key_id` and decrypts with whichever the
  // payload names.
  static absl::StatusOr<std::shared_ptr<const AesGcmCodec>> create(
      std::string key_id, std::map<std::string, std::string> keys);
  absl::Status encode(api::common::v1::Payloads& payloads) const override;
  absl::Status decode(api::common::v1::Payloads& payloads) const override;

 private:
  AesGcmCodec(std::string key_id, std::map<std::string, std::string> keys);
  absl::Status decrypt(api::common::v1::Payload& payload) const;

  std::string key_id_;
  std::map<std::string, std::string> keys_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_AES_GCM_CODEC_H_
