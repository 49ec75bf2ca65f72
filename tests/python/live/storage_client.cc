// A C++ client with external storage, for local_storage_test.py:
// storage_client ADDRESS ID TASK_QUEUE FOLDER
// starts the Python workflow Stored, talks to it, and prints how much came back.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/external_storage.h"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    const std::string large(300'000, 'c');
    auto client = chimera::Client::connect(
        {.target_host = argv[1],
         .external_storage = {.drivers = {chimera::local_storage(argv[4])}}});
    auto handle =
        client.start_workflow<std::string>("Stored", {.id = argv[2], .task_queue = argv[3]}, large);
    std::printf("query: %zu\n", handle.query<std::string>("ask", large).size());
    handle.signal("say", large);
    const std::string result = handle.result();
    std::printf("result: %zu %s\n", result.size(), result.substr(result.size() - 4).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "storage_client: %s\n", error.what());
    return 1;
  }
}
