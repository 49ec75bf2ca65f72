// pipeline worker [HOST:PORT]                    serves the task queue "pipeline" until Ctrl-C
// pipeline FILE TEXT [HOST:PORT]                 sends a text through the pipeline of a JSON file
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "pipeline.h"
#include "steps.h"

namespace {

std::vector<pipeline::Stage> read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return chimera::from_payload<std::vector<pipeline::Stage>>(
      {.metadata = {{"encoding", "json/plain"}},
       .data = std::string(std::istreambuf_iterator<char>(file), {})});
}

int send(chimera::Client& client, const std::string& path, const std::string& text) {
  const auto handle = client.start_workflow<pipeline::kPipeline>(
      {.id = "pipeline-" + path, .task_queue = "pipeline"}, read(path),
      chimera::make_payload(text));
  try {
    std::printf("%s\n", handle.result().data.c_str());  // JSON, whatever the last step gave.
    return 0;
  } catch (const chimera::WorkflowFailureError& error) {
    std::printf("%s: %s\n", handle.query<&pipeline::PipelineWorkflow::progress>().c_str(),
                chimera::describe(error.cause()).c_str());
    return 1;
  }
}

void serve(chimera::Client& client) {
  chimera::Worker worker(client, {.task_queue = "pipeline"});
  worker.add(pipeline::kPipeline);
  pipeline::add_steps(worker);
  worker.run();
}

}  // namespace

int main(int argc, char** argv) {
  const bool worker = argc > 1 && std::string(argv[1]) == "worker";
  const int address = worker ? 2 : 3;  // Its place among the arguments.
  if (argc < address || argc > address + 1) {
    std::fprintf(stderr, "pipeline worker [HOST:PORT] | pipeline FILE TEXT [HOST:PORT]\n");
    return 2;
  }
  try {
    auto client = chimera::Client::connect(
        {.target_host = argc > address ? argv[address] : "localhost:7233"});
    if (!worker) return send(client, argv[1], argv[2]);
    serve(client);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pipeline: %s\n", error.what());
    return 1;
  }
}
