// CodecServerArguments, what `chimera codec-server` is told. Two programs read it: `chimera`, and
// `chimera-worker`, which it becomes: the codecs are in the SDK's library.
#ifndef CHIMERA_CLI_CODEC_SERVER_ARGUMENTS_H_
#define CHIMERA_CLI_CODEC_SERVER_ARGUMENTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "cli/command_line.h"

namespace chimera::cli {

struct CodecServerArguments {
  std::string address = "127.0.0.1:8081";
  std::string key_file, key_id;
  std::vector<std::string> origins;

  static constexpr char kName[] = "codec-server";
  void add_to(Command command);
  std::vector<std::string> words() const;
};

// Keys of AES-256-GCM, one a line (or between commas): ID=KEY, the key as 64 hexadecimal digits, as
// base64, or as 32 characters that are its bytes. Blank lines and those that begin with # are none.
struct CodecKeys {
  std::string first;  // Its id.
  std::map<std::string, std::string> by_id;
};
absl::StatusOr<CodecKeys> parse_keys(const std::string& text, const std::string& source);
// Of the file, or of CHIMERA_CODEC_KEYS.
absl::StatusOr<CodecKeys> read_keys(const CodecServerArguments& arguments);

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_CODEC_SERVER_ARGUMENTS_H_
