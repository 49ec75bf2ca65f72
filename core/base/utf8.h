// Texts that must be UTF-8, as every string of a protobuf message must: whoever reads the message
// refuses it otherwise. Pure.
#ifndef CHIMERA_CORE_BASE_UTF8_H_
#define CHIMERA_CORE_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace chimera::base {

bool is_utf8(std::string_view text);
// The text with U+FFFD in place of each byte that does not belong to a character.
std::string valid_utf8(std::string text);
// At most `size` bytes of it, ending between two characters; no byte of it is bad either.
std::string cut_utf8(std::string_view text, std::size_t size);

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_UTF8_H_
