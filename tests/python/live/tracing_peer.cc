// The C++ half of tracing_across_test.py, where a trace crosses the languages:
//   tracing_peer worker ADDRESS TASK_QUEUE        serves CppTraced and cpp_shout until SIGTERM
//   tracing_peer start ADDRESS TASK_QUEUE ID      as a client, runs PythonTraced
//
// Prints a line for each span that has ended: NAME TRACE_ID SPAN_ID PARENT_ID LINKED_ID, - for none
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "chimera/client.h"
#include "chimera/opentelemetry.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace {

using namespace std::chrono_literals;
namespace workflow = chimera::workflow;

// Any thread.
class Printer : public chimera::Tracer {
 public:
  std::shared_ptr<chimera::Span> start_span(std::string_view name,
                                            const chimera::SpanOptions& options) override {
    chimera::SpanContext context{.trace_id = options.parent ? options.parent->trace_id : digits(32),
                                 .span_id = digits(16)};
    return std::make_shared<One>(std::string(name), std::move(context), options);
  }

 private:
  struct One : chimera::Span {
    One(std::string name, chimera::SpanContext context, const chimera::SpanOptions& options)
        : name(std::move(name)), own(std::move(context)), options(options) {}
    chimera::SpanContext context() const override { return own; }
    void add_event(std::string_view, const chimera::SpanAttributes&) override {}
    void set_error(std::string_view) override {}
    void end(std::optional<chimera::Time>) override {
      std::printf("%s %s %s %s %s\n", name.c_str(), own.trace_id.c_str(), own.span_id.c_str(),
                  options.parent ? options.parent->span_id.c_str() : "-",
                  options.links.empty() ? "-" : options.links[0].span_id.c_str());
      std::fflush(stdout);
    }
    const std::string name;
    const chimera::SpanContext own;
    const chimera::SpanOptions options;
  };

  // Not all 0: the first is of this program, the others count.
  std::string digits(int count) {
    char text[33];
    std::snprintf(text, sizeof text, "%08x%024llx", program_,
                  static_cast<unsigned long long>(++spans_));
    return count == 32 ? text : std::string(text, 8) + std::string(text + 24, 8);
  }
  const unsigned program_ = std::random_device{}() | 1u;
  std::atomic<unsigned> spans_{0};
};

std::string cpp_shout(const std::string& text) { return text + "!"; }

class CppTraced {
 public:
  std::string run(std::string python_queue) {
    workflow::wait_condition([this] { return !word_.empty(); });
    const std::string said = workflow::execute_activity<std::string>(
        "python_say", {.task_queue = python_queue, .start_to_close_timeout = 10s}, word_);
    return workflow::execute_activity<std::string>("cpp_shout", {.start_to_close_timeout = 10s},
                                                   said);
  }
  void tell(const std::string& word) { word_ = word; }

 private:
  std::string word_;
};
inline const auto kCppTraced =
    chimera::define_workflow<&CppTraced::run>("CppTraced").signal<&CppTraced::tell>("tell");

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 3 ? argv[1] : "";
  try {
    auto client = chimera::Client::connect(
        {.target_host = argc > 2 ? argv[2] : "",
         .interceptors = {chimera::tracing_interceptor(std::make_shared<Printer>())}});
    if (what == "worker" && argc == 4) {
      chimera::Worker worker(client, {.task_queue = argv[3]});
      worker.add(kCppTraced).add(chimera::define_activity<&cpp_shout>("cpp_shout"));
      worker.run();
      return 0;
    }
    if (what == "start" && argc == 5) {
      const auto handle = client.start_workflow<std::string>(
          "PythonTraced", {.id = argv[4], .task_queue = argv[3]});
      handle.signal("tell", std::string("hello"));
      std::printf("result %s\n", handle.result().c_str());
      return 0;
    }
    std::fprintf(stderr, "tracing_peer worker ADDRESS TASK_QUEUE | start ADDRESS TASK_QUEUE ID\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tracing_peer: %s\n", error.what());
    return 1;
  }
}
