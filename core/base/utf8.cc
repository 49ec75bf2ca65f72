#include "core/base/utf8.h"

namespace chimera::base {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The bytes of the character that begins the text, 0: it begins with none (RFC 3629, section 4:
// no overlong forms, no surrogates, nothing beyond U+10FFFF).
std::size_t character_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : size;
}

// The length of the good bytes that the text begins with.
std::size_t good_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view text) { return good_prefix(text) == text.size(); }

std::string valid_utf8(std::string text) {
  std::size_t good = good_prefix(text);
  if (good == text.size()) return text;
  std::string mended;
  std::string_view rest = text;
  while (good < rest.size()) {
    mended.append(rest.substr(0, good)).append(kReplacement);
    rest.remove_prefix(good + 1);
    good = good_prefix(rest);
  }
  return mended.append(rest);
}

std::string cut_utf8(std::string_view text, std::size_t size) {
  if (text.size() > size) {
    // A character that the cut would divide stays out.
    std::size_t end = size;
    while (end > 0 && size - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;
    text = text.substr(0, end);
  }
  std::string mended = valid_utf8(std::string(text));
  // Replacements are longer than what they replace.
  return mended.size() > size ? cut_utf8(mended, size) : mended;
}

}  // namespace chimera::base
