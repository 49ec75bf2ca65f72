#include "core/base/siphash.h"

#include <bit>
#include <string>

namespace chimera::base {
namespace {

struct SipState {
  std::uint64_t v0 = 0x736f6d6570736575, v1 = 0x646f72616e646f6d;
  std::uint64_t v2 = 0x6c7967656e657261, v3 = 0x7465646279746573;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32) + v3;
    v2 += v1;
    v3 = std::rotl(v3, 21) ^ v0;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

}  // namespace

std::uint64_t siphash13(std::string_view bytes) {
  SipState state;
  const std::uint64_t length = bytes.size();
  while (bytes.size() >= 8) {
    state.absorb(little_endian(bytes.substr(0, 8)));
    bytes.remove_prefix(8);
  }
  state.absorb(length << 56 | little_endian(bytes));
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint64_t run_seed(std::string_view run_id) { return siphash13(std::string(run_id) + '\xff'); }

}  // namespace chimera::base
