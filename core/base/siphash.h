// SipHash-1-3 with both keys zero: what the seed of a run's random numbers is made with.
#ifndef CHIMERA_CORE_BASE_SIPHASH_H_
#define CHIMERA_CORE_BASE_SIPHASH_H_

#include <cstdint>
#include <string_view>

namespace chimera::base {

std::uint64_t siphash13(std::string_view bytes);

// The randomness seed of a run: the hash of its id's bytes and one byte 0xFF (the string hash of
// the official core).
std::uint64_t run_seed(std::string_view run_id);

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_SIPHASH_H_
