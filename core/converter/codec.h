// PayloadCodec, what changes payloads on their way to and from the server (encryption,
// compression), and the chain of them. A null codec costs nothing: nobody visits a payload then.
#ifndef CHIMERA_CORE_CONVERTER_CODEC_H_
#define CHIMERA_CORE_CONVERTER_CODEC_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/api.h"

namespace chimera::core {

// Whose payloads they are, as far as that is known. Borrows its texts.
struct PayloadContext {
  struct Activity {
    std::string_view id, type, task_queue;
    bool is_local = false;
  };
  struct Nexus {
    std::string_view endpoint, service, operation;
  };
  std::string_view namespace_, workflow_id;
  std::string_view workflow_type = {};  // Of an activity's payloads.
  std::optional<Activity> activity = {};
  // Of an operation's payloads, which say nothing else: its caller and its handler share no more.
  std::optional<Nexus> nexus = {};
};

// Any thread, several at once. Must not block for long: workflow lanes call it.
class PayloadCodec {
 public:
  virtual ~PayloadCodec() = default;
  // In place. May change the number of payloads only where the field is a Payloads list.
  virtual absl::Status encode(api::common::v1::Payloads& payloads) const = 0;
  // Leaves payloads alone that are not of this codec's making.
  virtual absl::Status decode(api::common::v1::Payloads& payloads) const = 0;
  // Whether messages and stack traces of failures travel as payloads, too: the official SDKs'
  // option encode_common_attributes.
  virtual bool encodes_common_attributes() const { return false; }
  // The codec for those payloads; null: this one.
  virtual absl::StatusOr<std::shared_ptr<const PayloadCodec>> in(
      const PayloadContext& context) const {
    return nullptr;
  }
};

// Encodes last to first and decodes first to last, as the official SDKs do. Shares the codecs with
// whoever made them.
class CodecChain final : public PayloadCodec {
 public:
  explicit CodecChain(std::vector<std::shared_ptr<const PayloadCodec>> codecs);
  absl::Status encode(api::common::v1::Payloads& payloads) const override;
  absl::Status decode(api::common::v1::Payloads& payloads) const override;
  absl::StatusOr<std::shared_ptr<const PayloadCodec>> in(
      const PayloadContext& context) const override;

 private:
  std::vector<std::shared_ptr<const PayloadCodec>> codecs_;
};

// The same codec (null: none) with encode_common_attributes. Shares it with whoever made it.
std::shared_ptr<const PayloadCodec> encoding_common_attributes(
    std::shared_ptr<const PayloadCodec> codec);

// One payload in a field that holds one: a codec that makes more or fewer of it is an error.
absl::Status encode_one(const PayloadCodec& codec, api::common::v1::Payload& payload);
absl::Status decode_one(const PayloadCodec& codec, api::common::v1::Payload& payload);

// The details, heartbeat details and encoded attributes of a failure and of all its causes; and
// messages and stack traces, if the codec says so.
absl::Status encode_failure(const PayloadCodec& codec, api::failure::v1::Failure& failure);
absl::Status decode_failure(const PayloadCodec& codec, api::failure::v1::Failure& failure);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_CODEC_H_
