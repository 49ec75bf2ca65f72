// Recorded, what a run's code decides once and its history keeps: the value of a side effect, or
// the version of a change. The Go SDK's notions, and its markers.
#ifndef CHIMERA_CORE_LANGUAGE_RECORDED_H_
#define CHIMERA_CORE_LANGUAGE_RECORDED_H_

#include <cstdint>
#include <string>

#include "core/base/api.h"

namespace chimera::core {

struct Recorded {
  enum class Kind : std::uint8_t { kVersion, kSideEffect, kMutableSideEffect };
  Kind kind = Kind::kVersion;
  std::string id;  // Of the change or the mutable side effect; empty for a side effect.
  // The version; which side effect of the run it is, from 1; which call with this id, from 1, or 0
  // where an old marker does not say: then the latest call so far.
  std::int64_t number = 0;
  api::common::v1::Payload value;  // Of side effects: as the language's codec leaves it.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_RECORDED_H_
