#include "cli/codec_server_arguments.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace chimera::cli {
namespace {

constexpr char kVariable[] = "CHIMERA_CODEC_KEYS";
constexpr std::size_t kKeyBytes = 32;

// Empty: it is none. The three forms differ in their length.
std::string key_bytes(const std::string& text) {
  std::string bytes;
  if (text.size() == kKeyBytes) return text;
  if (text.size() == 2 * kKeyBytes) {
    for (const char c : text)
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return "";
    return absl::HexStringToBytes(text);
  }
  if (!absl::Base64Unescape(text, &bytes) || bytes.size() != kKeyBytes) return "";
  return bytes;
}

}  // namespace

void CodecServerArguments::add_to(Command command) {
  command.option("--address,-a", address, "HOST:PORT to listen on; port 0 takes a free one")
      .shows_default();
  command.option(
      "--key-file", key_file,
      "File with the keys of AES-256-GCM, ID=KEY in each line (64 hexadecimal digits, or "
      "base64). Without it CHIMERA_CODEC_KEYS has them");
  command.option("--key-id", key_id, "Key that /encode takes; otherwise the first");
  command.option("--origin", origins,
                 "Page that may ask, the Web UI's: http://localhost:8233; may be repeated");
}

std::vector<std::string> CodecServerArguments::words() const {
  std::vector<std::string> result = {kName, "--address", address};
  if (!key_file.empty()) result.insert(result.end(), {"--key-file", key_file});
  if (!key_id.empty()) result.insert(result.end(), {"--key-id", key_id});
  for (const std::string& origin : origins) result.insert(result.end(), {"--origin", origin});
  return result;
}

absl::StatusOr<CodecKeys> parse_keys(const std::string& text, const std::string& source) {
  CodecKeys out;
  int number = 0;
  for (const auto& part : absl::StrSplit(text, absl::ByAnyChar("\n,"))) {
    ++number;
    const std::string line(absl::StripAsciiWhitespace(part));
    if (line.empty() || line[0] == '#') continue;
    const auto wrong = [&](const std::string& why) {  // Never with the key itself.
      return absl::InvalidArgumentError(absl::StrCat(source, ", entry ", number, ": ", why));
    };
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0) return wrong("give ID=KEY");
    const std::string id(absl::StripAsciiWhitespace(line.substr(0, equals)));
    std::string key = key_bytes(std::string(absl::StripAsciiWhitespace(line.substr(equals + 1))));
    if (key.empty())
      return wrong(absl::StrCat("key ", id,
                                " is no key of 32 bytes; give 64 hexadecimal digits, base64, or 32 "
                                "characters"));
    if (!out.by_id.emplace(id, std::move(key)).second) return wrong("a second key " + id);
    if (out.first.empty()) out.first = id;
  }
  if (out.by_id.empty())
    return absl::InvalidArgumentError(absl::StrCat(source, " has no key; give ID=KEY"));
  return out;
}

absl::StatusOr<CodecKeys> read_keys(const CodecServerArguments& arguments) {
  std::string text, source = arguments.key_file;
  if (!source.empty()) {
    std::error_code none;
    std::ifstream file;
    if (!std::filesystem::is_directory(source, none)) file.open(source, std::ios::binary);
    if (!file.is_open())
      return absl::InvalidArgumentError(absl::StrCat("--key-file: cannot read ", source));
    text.assign(std::istreambuf_iterator<char>(file), {});
  } else if (const char* const value = std::getenv(kVariable)) {
    text = value;
    source = kVariable;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are no keys; name a file of them with --key-file, or set ", kVariable, "=ID=KEY"));
  }
  auto keys = parse_keys(text, source);
  if (!keys.ok() || arguments.key_id.empty()) return keys;
  if (!keys->by_id.contains(arguments.key_id))
    return absl::InvalidArgumentError(
        absl::StrCat("--key-id: ", source, " has no key ", arguments.key_id));
  keys->first = arguments.key_id;
  return keys;
}

}  // namespace chimera::cli
