#include "sdk-cpp/src/codec.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/aes_gcm_codec.h"
#include "sdk-cpp/src/errors.h"

namespace chimera {
namespace {

// One of the core's codecs for users.
class BuiltIn final : public PayloadCodec {
 public:
  explicit BuiltIn(sdk::Codec codec) : codec_(std::move(codec)) {}
  const sdk::Codec& codec() const { return codec_; }
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    return apply(&core::PayloadCodec::encode, payloads);
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    return apply(&core::PayloadCodec::decode, payloads);
  }

 private:
  std::vector<Payload> apply(absl::Status (core::PayloadCodec::*step)(sdk::ProtoPayloads&) const,
                             const std::vector<Payload>& payloads) const {
    sdk::ProtoPayloads proto = sdk::to_proto(payloads);
    const absl::Status status = ((*codec_).*step)(proto);
    if (!status.ok()) throw ConversionError(std::string(status.message()));
    return sdk::to_public(proto);
  }
  sdk::Codec codec_;
};

// A user's codec for the core.
class Adapted final : public core::PayloadCodec {
 public:
  explicit Adapted(std::shared_ptr<const chimera::PayloadCodec> codec) : codec_(std::move(codec)) {}
  absl::Status encode(sdk::ProtoPayloads& payloads) const override {
    return apply(&chimera::PayloadCodec::encode, payloads, "encode");
  }
  absl::Status decode(sdk::ProtoPayloads& payloads) const override {
    return apply(&chimera::PayloadCodec::decode, payloads, "decode");
  }

 private:
  using Step = std::vector<Payload> (chimera::PayloadCodec::*)(std::vector<Payload>) const;
  absl::Status apply(Step step, sdk::ProtoPayloads& payloads, const char* name) const {
    try {
      payloads = sdk::to_proto(((*codec_).*step)(sdk::to_public(payloads)));
      return absl::OkStatus();
    } catch (...) {
      return absl::InvalidArgumentError(
          absl::StrCat("the payload codec could not ", name, ": ", sdk::describe_current()));
    }
  }
  std::shared_ptr<const chimera::PayloadCodec> codec_;  // Shared with the user.
};

}  // namespace

std::shared_ptr<const PayloadCodec> aes_gcm_codec(const std::string& key_id,
                                                  const std::map<std::string, std::string>& keys) {
  auto codec = core::AesGcmCodec::create(key_id, keys);
  if (!codec.ok()) throw std::invalid_argument(std::string(codec.status().message()));
  return std::make_shared<BuiltIn>(*std::move(codec));
}

namespace sdk {

Codec to_core(const std::shared_ptr<const PayloadCodec>& codec) {
  if (codec == nullptr) return nullptr;
  if (const auto* built_in = dynamic_cast<const BuiltIn*>(codec.get())) return built_in->codec();
  return std::make_shared<Adapted>(codec);
}

}  // namespace sdk
}  // namespace chimera
