#include "server/archival/fingerprint.h"

#include <bit>
#include <utility>

namespace chimera::server::archival {
namespace {

using Word = std::uint64_t;

// The hash's primes, by the names that its papers give them.
constexpr Word kZero = 0xc3a5c85c97cb3127, kOne = 0xb492b66fbe98f273, kTwo = 0x9ae16a3b2f90404f;
constexpr std::size_t kBlock = 64;

template <int kBytes>
Word little(absl::string_view text, std::size_t at) {
  Word value = 0;
  for (int i = kBytes; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(text[at + i]);
  return value;
}
Word word(absl::string_view text, std::size_t at) { return little<8>(text, at); }

Word shifted(Word value) { return value ^ value >> 47; }
Word turned(Word value, int by) { return std::rotr(value, by); }
Word joined(Word u, Word v, Word by) {
  const Word a = shifted((u ^ v) * by);
  return shifted((v ^ a) * by) * by;
}

// Up to 16 bytes.
Word of_tiny(absl::string_view text) {
  const Word size = text.size(), by = kTwo + size * 2;
  if (size >= 8) {
    const Word a = word(text, 0) + kTwo, b = word(text, size - 8);
    return joined(turned(b, 37) * by + a, (turned(a, 25) + b) * by, by);
  }
  if (size >= 4) return joined(size + (little<4>(text, 0) << 3), little<4>(text, size - 4), by);
  if (size == 0) return kTwo;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(little<1>(text, at)); };
  const std::uint32_t y = byte(0) + (byte(size / 2) << 8);
  const std::uint32_t z = static_cast<std::uint32_t>(size) + (byte(size - 1) << 2);
  return shifted(y * kTwo ^ z * kZero) * kTwo;
}

// Up to 32 bytes.
Word of_small(absl::string_view text) {
  const Word size = text.size(), by = kTwo + size * 2;
  const Word a = word(text, 0) * kOne, b = word(text, 8), c = word(text, size - 8) * by,
             d = word(text, size - 16) * kTwo;
  return joined(turned(a + b, 43) + turned(c, 30) + d, a + turned(b + kTwo, 18) + c, by);
}

// Up to 64 bytes.
Word of_short(absl::string_view text) {
  const Word size = text.size(), by = kTwo + size * 2;
  const Word a = word(text, 0) * kTwo, b = word(text, 8), c = word(text, size - 8) * by,
             d = word(text, size - 16) * kTwo;
  const Word y = turned(a + b, 43) + turned(c, 30) + d;
  const Word z = joined(y, a + turned(b + kTwo, 18) + c, by);
  const Word e = word(text, 16) * by, f = word(text, 24), g = (y + word(text, size - 32)) * by,
             h = (z + word(text, size - 24)) * by;
  return joined(turned(e + f, 43) + turned(g, 30) + h, e + turned(f + a, 18) + g, by);
}

using Pair = std::pair<Word, Word>;

Pair of_half_block(absl::string_view text, Word a, Word b) {
  a += word(text, 0);
  b = turned(b + a + word(text, 24), 21);
  const Word c = a;
  a += word(text, 8) + word(text, 16);
  return {a + word(text, 24), b + turned(a, 44) + c};
}

struct Lanes {
  Word x, y, z;
  Pair v{0, 0}, w{0, 0};
  // A block. `weight` is 9 for the last one.
  void take(absl::string_view text, Word by, Word weight) {
    x = turned(x + y + v.first + word(text, 8), 37) * by;
    y = turned(y + v.second + word(text, 48), 42) * by;
    x ^= w.second * weight;
    y += v.first * weight + word(text, 40);
    z = turned(z + w.first, 33) * by;
    v = of_half_block(text, v.second * by, x + w.first);
    w = of_half_block(text.substr(32), z + w.second, y + word(text, 16));
    std::swap(z, x);
  }
};

}  // namespace

Word fingerprint64(absl::string_view text) {
  const std::size_t size = text.size();
  if (size <= 16) return of_tiny(text);
  if (size <= 32) return of_small(text);
  if (size <= kBlock) return of_short(text);
  constexpr Word kSeed = 81;
  Lanes lanes{kSeed * kTwo + word(text, 0), kSeed * kOne + 113, 0};
  lanes.z = shifted(lanes.y * kTwo + 113) * kTwo;
  absl::string_view rest = text;
  for (; rest.size() > kBlock; rest.remove_prefix(kBlock)) lanes.take(rest, kOne, 1);
  // The last block ends where the text does.
  const Word by = kOne + ((lanes.z & 0xff) << 1);
  lanes.w.first += (size - 1) & (kBlock - 1);
  lanes.v.first += lanes.w.first;
  lanes.w.first += lanes.v.first;
  lanes.take(text.substr(size - kBlock), by, 9);
  return joined(joined(lanes.v.first, lanes.w.first, by) + shifted(lanes.y) * kZero + lanes.z,
                joined(lanes.v.second, lanes.w.second, by) + lanes.x, by);
}

}  // namespace chimera::server::archival
