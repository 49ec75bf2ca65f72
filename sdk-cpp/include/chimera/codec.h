// Payload codecs: what changes every payload on its way to and from the server, for encryption or
// compression.
#ifndef CHIMERA_CODEC_H_
#define CHIMERA_CODEC_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chimera/payload.h"

namespace chimera {

// Any thread, several at once; workflows call it too, so it must be fast and always give what it
// gave before for decode. An exception fails the task or call at hand.
class PayloadCodec {
 public:
  virtual ~PayloadCodec() = default;
  virtual std::vector<Payload> encode(std::vector<Payload> payloads) const = 0;
  virtual std::vector<Payload> decode(std::vector<Payload> payloads) const = 0;
};

// AES-256-GCM in the convention of the official samples, so that all SDKs with the same key read
// each other. Keys of 32 bytes, by id; encrypts with key_id. Throws std::invalid_argument.
std::shared_ptr<const PayloadCodec> aes_gcm_codec(const std::string& key_id,
                                                  const std::map<std::string, std::string>& keys);

}  // namespace chimera

#endif  // CHIMERA_CODEC_H_
