// RedactionCodec, which hides single members of JSON values from whoever has no key: such a member
// is a text "hidden:KEY_ID:..." in the place of its value, all else stays as it was, byte for byte.
// A payload that has some says so by metadata "hidden-members".
#ifndef CHIMERA_CORE_CONVERTER_REDACTION_H_
#define CHIMERA_CORE_CONVERTER_REDACTION_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/converter/aes_gcm.h"
#include "core/converter/codec.h"

namespace chimera::core {

// Immutable after create(); any thread.
class RedactionCodec final : public PayloadCodec {
 public:
  using Path = std::vector<std::string>;  // Keys and numbers of elements, outermost first.

  // Fields are names of members at any depth, or paths of two parts and more ("a.b", "all.*.c"), or
  // "*". Hides with key `key_id`, shows with whichever a member names; without keys nothing is
  // hidden, and what is stays so.
  static absl::StatusOr<std::shared_ptr<const RedactionCodec>> create(
      const std::vector<std::string>& fields, std::string key_id, AesKeys keys);
  absl::Status encode(api::common::v1::Payloads& payloads) const override;
  absl::Status decode(api::common::v1::Payloads& payloads) const override;

 private:
  RedactionCodec(std::string key_id, AesKeys keys);
  absl::Status hide(api::common::v1::Payload& payload) const;
  absl::Status show(api::common::v1::Payload& payload) const;
  bool is_marked(const Path& path, bool in_object) const;

  std::string key_id_;
  AesKeys keys_;
  std::vector<std::string> names_;
  std::vector<Path> paths_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_REDACTION_H_
