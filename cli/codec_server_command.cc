// `chimera codec-server`: decodes for the Web UI and the CLI what AES-GCM codecs have encrypted.
#include "cli/become.h"
#include "cli/codec_server_arguments.h"
#include "cli/command.h"

namespace chimera::cli {

void add_codec_server(Command program) {
  static CodecServerArguments arguments;  // Lives as long as the command line that refers to it.
  Command command = program.subcommand(CodecServerArguments::kName,
                                       "Decode encrypted payloads for the Web UI and the CLI");
  arguments.add_to(command);
  command.on_parsed([] { become_chimera_worker(arguments.words()); });
}

}  // namespace chimera::cli
