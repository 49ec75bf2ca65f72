// The C++ half of context_test.py: context_program ADDRESS TASK_QUEUE PYTHON_QUEUE ID. A worker and
// a client whose codec has a key for each context. Starts the Python workflow PyCalls, prints what
// came back, and serves until its standard input ends.
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

using namespace std::chrono_literals;
namespace workflow = chimera::workflow;

namespace {

class Keyed final : public chimera::PayloadCodec {
 public:
  explicit Keyed(std::string key) : begin_(std::move(key) + "\n") {}
  std::vector<chimera::Payload> encode(std::vector<chimera::Payload> payloads) const override {
    for (chimera::Payload& each : payloads) {
      each.data = begin_ + each.data;
      each.metadata["inner"] = std::exchange(each.metadata["encoding"], "binary/keyed");
    }
    return payloads;
  }
  std::vector<chimera::Payload> decode(std::vector<chimera::Payload> payloads) const override {
    for (chimera::Payload& each : payloads) {
      if (each.metadata["encoding"] != "binary/keyed") continue;
      if (!each.data.starts_with(begin_)) {
        throw chimera::ConversionError("written for " + each.data.substr(0, each.data.find('\n')) +
                                       ", read for " + begin_);
      }
      each.data.erase(0, begin_.size());
      each.metadata["encoding"] = each.metadata.extract("inner").mapped();
    }
    return payloads;
  }
  std::shared_ptr<const chimera::PayloadCodec> with_context(
      const chimera::SerializationContext& context) const override {
    std::string key = context.namespace_ + "|" + context.workflow_id;
    if (const auto& activity = context.activity) {
      key += "|" + context.workflow_type + "|" + activity->activity_type + "|" +
             activity->task_queue + "|" + (activity->is_local ? "local" : "");
    }
    return std::make_shared<Keyed>(std::move(key));
  }

 private:
  const std::string begin_;
};

std::string cpp_echo(const std::string& text) {
  if (chimera::activity::info().is_local) return "local " + text;
  if (chimera::activity::info().attempt == 1) {
    chimera::activity::heartbeat("beat " + text);
    throw chimera::ApplicationError("once", {.details = chimera::details("lost " + text)});
  }
  return "cpp " + chimera::activity::info().heartbeat_details.get<std::string>();
}
void cpp_fail(const std::string& text) {
  throw chimera::ApplicationError(
      "no", {.details = chimera::details("why " + text), .non_retryable = true});
}

struct CppChild {
  std::string word;
  void say(std::string text) { word = std::move(text); }
  std::string run(std::string text) {
    workflow::wait_condition([this] { return !word.empty(); });
    return "child " + text + " " + word;
  }
};

struct CppCalls {
  std::string seen, word;
  void say(std::string text) { word = std::move(text); }
  std::string add(std::string text) { return seen += text; }
  std::string get() const { return seen; }
  std::string run(std::string text, std::string python_queue) {
    const chimera::ActivityOptions options{
        .task_queue = python_queue,
        .start_to_close_timeout = 10s,
        .retry_policy = chimera::RetryPolicy{.initial_interval = 1ms}};
    seen = workflow::execute_activity<std::string>("py_echo", options, text);
    try {
      workflow::execute_activity<void>("py_fail", options, text);
    } catch (const chimera::ActivityError& error) {
      seen += "; " + error.find_cause<chimera::ApplicationError>()->details().get<std::string>();
    }
    auto child = workflow::start_child_workflow<std::string>(
        "PyChild", {.id = workflow::info().workflow_id + "-child", .task_queue = python_queue},
        text);
    child.signal("say", std::string("hello"));
    seen += "; " + child.get();
    seen +=
        "; " + workflow::execute_local_activity<&cpp_echo>({.start_to_close_timeout = 10s}, text);
    workflow::upsert_memo({{"cpp", chimera::make_payload("memo")}});
    workflow::wait_condition([this] { return !word.empty(); });
    return seen + "; " + word;
  }
};

int run(char** argv) {
  auto client = chimera::Client::connect(
      {.target_host = argv[1], .payload_codec = std::make_shared<Keyed>("none")});
  chimera::Worker worker(client, {.task_queue = argv[2]});
  worker
      .add(chimera::define_workflow<&CppCalls::run>("CppCalls")
               .signal<&CppCalls::say>("say")
               .update<&CppCalls::add>("add")
               .query<&CppCalls::get>("get"))
      .add(chimera::define_workflow<&CppChild::run>("CppChild").signal<&CppChild::say>("say"))
      .add_activity<&cpp_echo>()
      .add_activity<&cpp_fail>();
  worker.start();
  auto handle = client.start_workflow<std::string>(
      "PyCalls",
      {.id = argv[4], .task_queue = argv[3], .memo = {{"started", chimera::make_payload("memo")}}},
      std::string("text"), std::string(argv[2]));
  handle.signal("say", std::string("word"));
  std::printf("result: %s\n", handle.result().c_str());
  std::printf("query: %s\n", handle.query<std::string>("get").c_str());
  std::printf("memo: %s\n",
              chimera::from_payload<std::string>(handle.describe().memo.at("py")).c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  worker.shutdown();
  worker.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    return run(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "context_program: %s\n", error.what());
    return 1;
  }
}
