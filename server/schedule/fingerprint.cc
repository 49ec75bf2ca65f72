#include "server/schedule/fingerprint.h"

#include <bit>
#include <string>

namespace chimera::server::schedule {
namespace {

constexpr std::uint32_t kMurmur1 = 0xcc9e2d51, kMurmur2 = 0x1b873593;

std::uint32_t word(absl::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(text[at + i]);
  return value;
}

std::uint32_t turned(std::uint32_t value, int by) { return std::rotr(value, by); }
std::uint32_t step(std::uint32_t hash) { return turned(hash, 19) * 5 + 0xe6546b64; }
std::uint32_t spread(std::uint32_t value) { return turned(value * kMurmur1, 17) * kMurmur2; }
std::uint32_t mix(std::uint32_t value, std::uint32_t hash) { return step(hash ^ spread(value)); }

std::uint32_t finish(std::uint32_t hash) {
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

// Up to 4 bytes, which count as signed.
std::uint32_t of_tiny(absl::string_view text) {
  std::uint32_t b = 0, c = 9;
  for (const char byte : text) {
    b = b * kMurmur1 + static_cast<std::uint32_t>(static_cast<std::int8_t>(byte));
    c ^= b;
  }
  return finish(mix(b, mix(static_cast<std::uint32_t>(text.size()), c)));
}

// Up to 12 bytes.
std::uint32_t of_small(absl::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::uint32_t a = size + word(text, 0), b = 5 * size + word(text, text.size() - 4);
  const std::uint32_t c = 9 + word(text, text.size() / 2 & 4);
  return finish(mix(c, mix(b, mix(a, 5 * size))));
}

std::uint32_t of_short(absl::string_view text) {
  const std::size_t size = text.size(), half = size / 2;
  const std::uint32_t c = word(text, size - 8), d = word(text, half), f = word(text, size - 4);
  std::uint32_t a = turned(word(text, half - 4), 12) + f;
  std::uint32_t hash = d * kMurmur1 + static_cast<std::uint32_t>(size);
  hash = mix(c, hash) + a;
  a = turned(a, 3) + c;
  hash = mix(word(text, 0), hash) + a;
  a = turned(a + f, 12) + d;
  return finish(mix(word(text, 4), hash) + a);
}

struct Lanes {
  std::uint32_t h, g, f;
  // A block of 20 bytes.
  void take(absl::string_view text) {
    const std::uint32_t a = word(text, 0), b = word(text, 4), c = word(text, 8), d = word(text, 12),
                        e = word(text, 16);
    h = mix(d, h + a) + e;
    g = mix(c, g + b) + a;
    f = mix(b + e * kMurmur1, f + c) + d;
    f += g;
    g += f;
  }
  std::uint32_t joined() const {
    std::uint32_t hash = h;
    for (std::uint32_t lane : {g, f}) {
      lane = turned(turned(lane, 11) * kMurmur1, 17) * kMurmur1;
      hash = turned(step(hash + lane), 17) * kMurmur1;
    }
    return hash;
  }
};

}  // namespace

std::uint32_t fingerprint(absl::string_view text) {
  const std::size_t size = text.size();
  if (size <= 4) return of_tiny(text);
  if (size <= 12) return of_small(text);
  if (size <= 24) return of_short(text);
  const auto tail = [&](std::size_t from_end) { return spread(word(text, size - from_end)); };
  const auto length = static_cast<std::uint32_t>(size);
  Lanes lanes{length, kMurmur1 * length, kMurmur1 * length};
  lanes.h = step(step(lanes.h ^ tail(4)) ^ tail(16));
  lanes.g = step(step(lanes.g ^ tail(8)) ^ tail(12));
  lanes.f = turned(lanes.f + tail(20), 19) + 113;
  for (; text.size() > 20; text.remove_prefix(20)) lanes.take(text);
  return lanes.joined();
}

// The time comes as Go writes one down: a version, seconds since the year 1, nanoseconds, no zone.
std::uint32_t fingerprint_of(std::int64_t time, absl::string_view seed) {
  constexpr std::int64_t kYearOne = -62'135'596'800;
  std::string text(1, '\x01');
  for (int shift = 56; shift >= 0; shift -= 8)
    text += static_cast<char>((time - kYearOne) >> shift & 0xff);
  text.append(4, '\0').append(2, '\xff').append(seed.data(), seed.size());
  return fingerprint(text);
}

}  // namespace chimera::server::schedule
