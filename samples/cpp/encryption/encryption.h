// Values that the server keeps but cannot read: client and worker share a key, and people with the
// right to see them have a codec server. samples/python/encryption is the same, with the same keys:
// a client of either language reads what a worker of the other wrote.
#ifndef CHIMERA_SAMPLES_CPP_ENCRYPTION_ENCRYPTION_H_
#define CHIMERA_SAMPLES_CPP_ENCRYPTION_ENCRYPTION_H_

#include <chrono>
#include <memory>
#include <string>

#include "chimera/client.h"
#include "chimera/codec.h"
#include "chimera/worker.h"

namespace encryption {

inline constexpr char kTaskQueue[] = "encryption";

// New values are encrypted with the newest key; the old one stays for what it has encrypted. A real
// program has them from where its secrets are kept.
inline std::shared_ptr<const chimera::PayloadCodec> codec() {
  return chimera::aes_gcm_codec(
      "2026-07", {{"2026-07", std::string(32, 'n')}, {"2026-01", std::string(32, 'o')}});
}

// Messages and stack traces of failures are encrypted, too: they often say what nobody should read.
inline chimera::ClientOptions options(const std::string& address) {
  return {.target_host = address, .payload_codec = codec(), .encode_common_attributes = true};
}

inline std::string compose(const std::string& name) {
  if (name.empty()) throw chimera::ApplicationError("a greeting needs a name");
  return "Hello, " + name;
}

struct Greeting {
  std::string run(const std::string& name) {
    return chimera::workflow::execute_activity<&compose>(
        {.start_to_close_timeout = std::chrono::seconds(10),
         .retry_policy = chimera::RetryPolicy{.maximum_attempts = 1}},
        name);
  }
};
inline const auto kGreeting = chimera::define_workflow<&Greeting::run>("Greeting");

inline void add_to(chimera::Registry& worker) { worker.add(kGreeting).add_activity<&compose>(); }

}  // namespace encryption

#endif  // CHIMERA_SAMPLES_CPP_ENCRYPTION_ENCRYPTION_H_
