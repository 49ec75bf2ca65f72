// Rng, the simulation's only source of chance: the same seed gives the same numbers everywhere.
#ifndef CHIMERA_TESTS_SIM_RNG_H_
#define CHIMERA_TESTS_SIM_RNG_H_

#include <cstdint>
#include <string_view>

namespace chimera::sim {

inline std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}
inline std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mix(hash, text.size());
}

// Owned by what draws from it; one thread.
class Rng {
 public:
  // Streams of one seed are independent: what one consumer draws does not move another's numbers.
  Rng(std::uint64_t seed, std::string_view stream) : state_(mix(mix(0, seed), stream)) {}

  std::uint64_t next() { return mix(0, state_ += 0x9e3779b97f4a7c15u); }
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }
  bool percent(std::uint64_t chance) { return below(100) < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_RNG_H_
