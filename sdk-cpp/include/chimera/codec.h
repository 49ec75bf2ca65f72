// Payload codecs: what changes every payload on its way to and from the server, for encryption or
// compression.
#ifndef CHIMERA_CODEC_H_
#define CHIMERA_CODEC_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chimera/payload.h"
#include "chimera/serialization_context.h"

namespace chimera {

// Any thread, several at once; workflows call it too, so it must be fast and always give what it
// gave before for decode. An exception fails the task or call at hand.
class PayloadCodec {
 public:
  virtual ~PayloadCodec() = default;
  virtual std::vector<Payload> encode(std::vector<Payload> payloads) const = 0;
  virtual std::vector<Payload> decode(std::vector<Payload> payloads) const = 0;
  // The codec for the payloads of one workflow or activity; null: this one, whatever the context.
  // Must be cheap. Whoever reads a payload asks with the context of whoever wrote it, but for what
  // only one of them knows: see SerializationContext.
  virtual std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& /*context*/) const {
    return nullptr;
  }
};

// Several as one: encodes with the last first, decodes with the first first, as the Go SDK does.
// Throws std::invalid_argument for a null one.
std::shared_ptr<const PayloadCodec> codec_chain(
    std::vector<std::shared_ptr<const PayloadCodec>> codecs);

// AES-256-GCM in the convention of the official samples, so that all SDKs with the same key read
// each other. Keys of 32 bytes, by id; encrypts with key_id. Throws std::invalid_argument.
std::shared_ptr<const PayloadCodec> aes_gcm_codec(const std::string& key_id,
                                                  const std::map<std::string, std::string>& keys);

// Which members of JSON values are for those with the key only.
struct RedactionOptions {
  // Names of members, at any depth ("iban"), or their way from the outermost value, with * for any
  // member or element ("customer.address", "items.*.note").
  std::vector<std::string> fields = {};
  std::string key_id = {};
  std::map<std::string, std::string> keys = {};  // 32 bytes each, by id. None: reads only, hidden.
};

// Hides marked members: in the server, the Web UI and the CLI the value stays readable JSON, except
// for those, which are texts like "hidden:KEY_ID:...", encrypted by AES-256-GCM. Decoding puts
// them back; without the key they stay hidden, and members whose type is no text cannot be read
// then. Payloads that are no JSON are left alone. Throws std::invalid_argument.
std::shared_ptr<const PayloadCodec> redaction_codec(const RedactionOptions& options);

}  // namespace chimera

#endif  // CHIMERA_CODEC_H_
