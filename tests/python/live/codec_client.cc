// A C++ client with the codec, for codec_test.py: codec_client ADDRESS ID TASK_QUEUE KEY_ID KEY
// starts the Python workflow Mixed, talks to it in every way, and prints what came back.
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/errors.h"

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  try {
    auto client = chimera::Client::connect(
        {.target_host = argv[1],
         .payload_codec = chimera::aes_gcm_codec(argv[4], {{argv[4], argv[5]}})});
    auto handle = client.start_workflow<std::string>(
        "Mixed",
        {.id = argv[2],
         .task_queue = argv[3],
         .memo = {{"started", chimera::make_payload("memo SECRET")}}},
        std::string("text SECRET"));
    std::printf("update: %s\n",
                handle.execute_update<std::string>("add", std::string("tip SECRET")).c_str());
    try {
      handle.execute_update<std::string>("add", std::string("bad SECRET"));
    } catch (const chimera::WorkflowUpdateFailedError& error) {
      const auto* cause = dynamic_cast<const chimera::ApplicationError*>(error.cause());
      std::printf("rejected: %s\n", cause->details().get<std::string>().c_str());
    }
    handle.signal("say", std::string("word SECRET"));
    std::printf("result: %s\n", handle.result().c_str());
    std::printf("query: %s\n",
                handle.query<std::string>("seen", std::string("asked SECRET: ")).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "codec_client: %s\n", error.what());
    return 1;
  }
}
