// How a worker may be used, and what it does with answers that are too large to send.
#include "absl/strings/str_cat.h"

#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

std::string swell_failure() {
  throw ApplicationError(std::string(3'000'000, 'm'),
                         {.type = "Swollen", .details = details(std::string(3'000'000, 'd'))});
}

struct Swollen {
  std::string run() {
    try {
      return workflow::execute_activity<&swell_failure>(
          {.start_to_close_timeout = 60s, .retry_policy = RetryPolicy{.maximum_attempts = 1}});
    } catch (const ActivityError& error) {
      const auto* cause = error.find_cause<ApplicationError>();
      if (cause == nullptr) return describe(error);
      return cause->type() + cause->message().substr(cause->message().find("..."));
    }
  }
};
const auto kSwollen = define_workflow<&Swollen::run>("Swollen");

class WorkerUseTest : public World {};

TEST_F(WorkerUseTest, AFailureThatIsTooLargeArrivesShortened) {
  Worker worker(client_, options());
  worker.add(kSwollen).add_activity<&swell_failure>();
  worker.start();

  EXPECT_EQ(client_.execute_workflow<&Swollen::run>(start("swollen")),
            "Swollen... (cut: it had 3000000 bytes) (its details were left out: they had 3000036 "
            "bytes)");
}

TEST_F(WorkerUseTest, AStartedWorkerTakesNothingMore) {
  Worker worker(client_, options());
  worker.add(kSwollen);
  worker.start();
  try {
    worker.add_activity<&swell_failure>();
    ADD_FAILURE() << "accepted";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(),
                 "'swell_failure' was added to a worker that has been started: add first, then "
                 "start");
  }
  EXPECT_THROW(worker.add(kSwollen), std::logic_error);
}

TEST_F(WorkerUseTest, AStackOfNoUsefulSizeIsRefusedByName) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4096}, std::size_t{1} << 40}) {
    WorkerOptions options = this->options();
    options.workflow_stack_bytes = bytes;
    try {
      Worker worker(client_, options);
      ADD_FAILURE() << bytes;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(absl::StrCat("workflow_stack_bytes is ", bytes)));
    }
  }
}

// As many bytes as it asks for, in a worker that has set them.
int dig(int kib) {
  volatile char frame[1024] = {};
  frame[kib % 1024] = 1;
  return kib <= 1 ? 1 : dig(kib - 1) + frame[kib % 1024];
}
struct Digs {
  int run(int kib) { return dig(kib); }
};
const auto kDigs = define_workflow<&Digs::run>("Digs");

TEST_F(WorkerUseTest, AStackIsAsLargeAsTheOptionSays) {
  WorkerOptions options = this->options();
  options.workflow_stack_bytes = std::size_t{4} << 20;
  Worker worker(client_, options);
  worker.add(kDigs);
  worker.start();
  EXPECT_EQ(client_.execute_workflow<&Digs::run>(start("digs"), 3000), 3000);
}

}  // namespace
}  // namespace chimera::integration
