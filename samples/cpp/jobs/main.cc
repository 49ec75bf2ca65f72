// A queue of jobs.
//   jobs worker localhost:7233
//   jobs cat.png 200 localhost:7233
//   jobs overview localhost:7233
#include <cstdio>
#include <cstdlib>
#include <string>

#include "chimera/worker.h"
#include "jobs.h"

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool has_width = what != "worker" && what != "overview";
  if (argc != (has_width ? 4 : 3)) {
    std::fprintf(stderr,
                 "usage: jobs worker ADDRESS | jobs IMAGE WIDTH ADDRESS | jobs overview ADDRESS\n");
    return 2;
  }
  const auto client = chimera::Client::connect({.target_host = argv[argc - 1]});
  if (what == "worker") {
    jobs::Studio studio;
    chimera::Worker worker(client, {.task_queue = jobs::kTaskQueue});
    worker.add(jobs::kRender, studio);
    worker.run();
  } else if (what == "overview") {
    for (const auto& [status, count] : jobs::overview(client))
      std::printf("%s: %lld\n", status.c_str(), static_cast<long long>(count));
  } else {
    const auto job = jobs::submit(client, {.name = what, .width = std::atoi(argv[2])});
    std::printf("%s\n", job.result().c_str());
  }
}
