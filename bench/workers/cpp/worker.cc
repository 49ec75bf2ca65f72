// Benchmark worker: the C++ SDK. See ../../README.md for the contract that every worker follows.
#include "chimera/worker.h"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chimera/client.h"
#include "chimera/replayer.h"
#include "chimera/workflow.h"

namespace {

namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

std::string noop(const std::string& text) { return text; }
std::vector<std::byte> blob(const std::vector<std::byte>& bytes) { return bytes; }

std::string sequence(std::string text, int count) {
  for (int i = 0; i < count; ++i)
    text = workflow::execute_activity<&noop>({.start_to_close_timeout = 60s}, text);
  return text;
}

struct Echo {
  std::string run(std::string text) { return text; }
};

struct Seq10 {
  std::string run(std::string text) { return sequence(std::move(text), 10); }
};

struct SeqN {
  std::string run(int count) { return sequence("0123456789012345678901234567890123456789", count); }
};

struct Fan50 {
  std::string run(std::string text) {
    std::vector<workflow::ActivityHandle<std::string>> handles;
    for (int i = 0; i < 50; ++i)
      handles.push_back(workflow::start_activity<&noop>({.start_to_close_timeout = 60s}, text));
    std::string joined;
    for (auto& handle : handles) joined += (joined.empty() ? "" : ",") + handle.get();
    return joined;
  }
};

struct Local10 {
  std::string run(std::string text) {
    for (int i = 0; i < 10; ++i)
      text = workflow::execute_local_activity<&noop>({.start_to_close_timeout = 60s}, text);
    return text;
  }
};

struct Timers20 {
  int run() {
    for (int i = 0; i < 20; ++i) workflow::sleep(1ms);
    return 20;
  }
};

class Wait {
 public:
  std::string run() {
    workflow::wait_condition([this] { return done_; });
    return "done";
  }
  void go(std::optional<std::string>) { done_ = true; }  // The driver sends a null.

 private:
  bool done_ = false;
};

class Sig100 {
 public:
  int run() {
    workflow::wait_condition([this] { return count_ >= 100; });
    return count_;
  }
  void sig(std::string) { ++count_; }

 private:
  int count_ = 0;
};

class Update50 {
 public:
  int run() {
    workflow::wait_condition([this] { return count_ >= 50; });
    return count_;
  }
  std::string upd(std::string text) {
    ++count_;
    return text;
  }

 private:
  int count_ = 0;
};

struct Blob {
  std::int64_t run() {
    std::vector<std::byte> bytes(1 << 20);
    for (int i = 0; i < 20; ++i)
      bytes = workflow::execute_activity<&blob>({.start_to_close_timeout = 60s}, bytes);
    return static_cast<std::int64_t>(bytes.size());
  }
};

void add_all(chimera::Registry& registry) {
  registry.add_activity<&noop>("noop").add_activity<&blob>("blob");
  registry.add(chimera::define_workflow<&Echo::run>("Echo"));
  registry.add(chimera::define_workflow<&Seq10::run>("Seq10"));
  registry.add(chimera::define_workflow<&SeqN::run>("SeqN"));
  registry.add(chimera::define_workflow<&Fan50::run>("Fan50"));
  registry.add(chimera::define_workflow<&Local10::run>("Local10"));
  registry.add(chimera::define_workflow<&Timers20::run>("Timers20"));
  registry.add(chimera::define_workflow<&Wait::run>("Wait").signal<&Wait::go>("go"));
  registry.add(chimera::define_workflow<&Sig100::run>("Sig100").signal<&Sig100::sig>("sig"));
  registry.add(chimera::define_workflow<&Update50::run>("Update50").update<&Update50::upd>("upd"));
  registry.add(chimera::define_workflow<&Blob::run>("Blob"));
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int replay(const std::string& file, int iterations) {
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  for (int i = 0; i < iterations; ++i) {
    const double begun = wall_seconds();
    const auto history = file.ends_with(".json") ? chimera::WorkflowHistory::from_json(bytes)
                                                 : chimera::WorkflowHistory::from_binary(bytes);
    const double parsed = wall_seconds(), cpu = cpu_seconds();
    chimera::Replayer replayer;
    add_all(replayer);
    replayer.replay(history);
    std::printf("{\"iter\":%d,\"events\":%zu,\"parse_s\":%f,\"wall_s\":%f,\"cpu_s\":%f}\n", i,
                history.size(), parsed - begun, wall_seconds() - parsed, cpu_seconds() - cpu);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  auto number = [&](const char* name, int otherwise) {
    auto it = flags.find(name);
    return it == flags.end() ? otherwise : std::atoi(it->second.c_str());
  };
  if (flags.contains("--replay")) return replay(flags["--replay"], number("--iters", 1));
  auto client = chimera::Client::connect({.target_host = flags["--target"]});
  chimera::WorkerOptions options;
  options.task_queue = flags["--task-queue"];
  options.max_cached_workflows = static_cast<std::size_t>(number("--cache", 6000));
  options.max_concurrent_workflow_tasks = number("--slots", 100);
  options.max_concurrent_activities = number("--act-slots", 200);
  options.max_concurrent_workflow_task_polls = number("--pollers", 4);
  options.max_concurrent_activity_task_polls = number("--pollers", 4);
  chimera::Worker worker(client, options);
  add_all(worker);
  worker.run();
}
