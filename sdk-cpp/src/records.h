// Records, the side effects and versions of one run: what its code has got, and what history says
// it did.
#ifndef CHIMERA_SDK_CPP_SRC_RECORDS_H_
#define CHIMERA_SDK_CPP_SRC_RECORDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/language/activation.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

struct Records {
  struct Mutable {
    // That holds at this call: null if there is none yet. Forgets older ones.
    const ProtoPayload* value_at(std::int64_t call);

    std::int64_t calls = 0;                       // Made so far.
    std::map<std::int64_t, ProtoPayload> values;  // By the call that history keeps; encoded.
  };
  struct Version {
    std::int64_t version = 0;
    bool asked = false;  // By the code.
  };

  void apply(const core::NotifyRecorded& job);
  // Nothing if history has none. Each is given once.
  std::optional<ProtoPayload> take_side_effect(std::int64_t number);

  std::int64_t side_effects_made = 0;
  std::map<std::int64_t, ProtoPayload> side_effects;  // In history, not asked for yet; encoded.
  std::map<std::string, Mutable, std::less<>> mutables;
  std::map<std::string, Version, std::less<>> versions;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_RECORDS_H_
