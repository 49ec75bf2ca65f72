// Runs the C++ of docs/interceptors.md, which the build writes into one file.
#include <memory>

#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "interceptors_example.h"

namespace chimera {
namespace {

TEST(InterceptorsExample, CountsIsPatientCarriesAndTraces) {
  const auto audit = std::make_shared<Audit>();
  const auto tracer = std::make_shared<Names>();
  TestEnvironment env({.client = with_everything(audit, tracer)});
  Worker worker(env.client(), {.task_queue = "greetings"});
  worker.add(kGreeting).add(kGreet);
  worker.start();

  EXPECT_EQ(greet_as(env.client(), "blue"), "blue greets Ann");

  EXPECT_EQ(audit->attempts, 2);
  worker.shutdown();
  worker.wait();
  // Started, run, an activity started, twice run, completed.
  EXPECT_EQ(tracer->spans, 6);
}

}  // namespace
}  // namespace chimera
