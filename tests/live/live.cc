#include "tests/live/live.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "chimera/replayer.h"

namespace chimera::live {
namespace {

std::string unique_queue() {
  std::random_device random;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = absl::StrCat(test->test_suite_name(), ".", test->name());
  for (char& letter : name) letter = letter == '/' ? '.' : letter;
  return absl::StrCat(name, "-", absl::Hex(random()));
}

}  // namespace

Live::Live() : queue_(unique_queue()) {
  client_options_.target_host = target().address;
  options_.task_queue = queue_;
  options_.max_cached_workflows = GetParam();
}

Live::~Live() = default;

void Live::TearDown() {
  if (!replays_ || HasFailure()) return;
  auto interceptors = client_options_.interceptors;
  for (const auto& each : options_.interceptors) interceptors.push_back(each);
  Replayer replayer({.namespace_ = "default",
                     .task_queue = queue_,
                     .payload_codec = client_options_.payload_codec,
                     .failure_converter = client_options_.failure_converter,
                     .external_storage = client_options_.external_storage,
                     .workflow_failure_exceptions = options_.workflow_failure_exceptions,
                     .interceptors = std::move(interceptors)});
  for (const auto& type : registry_.workflows()) replayer.add_workflow_type(type);
  int replayed = 0;
  for (const std::string& id : ids_) {
    try {
      const auto history = client().get_workflow_handle<void>(id).fetch_history();
      replayer.replay(WorkflowHistory::from_json(history));
      ++replayed;
    } catch (const RpcError&) {  // The test made an id that it did not start.
    } catch (const ReplayError& error) {
      ADD_FAILURE() << id << ": " << error.what();
    }
  }
  EXPECT_TRUE(ids_.empty() || replayed > 0);
}

Client& Live::client() {
  if (!client_) client_ = Client::connect(client_options_);
  return *client_;
}

void Live::start_worker() {
  worker_ = std::make_unique<Worker>(client(), options_);
  for (const auto& type : registry_.workflows()) worker_->add_workflow_type(type);
  for (const auto& type : registry_.activities()) worker_->add_activity_type(type);
  for (const auto& type : registry_.nexus_services()) worker_->add_nexus_service_type(type);
  worker_->start();
}

void Live::stop_worker() {
  worker_->shutdown();
  worker_->wait();
  worker_.reset();
}

WorkflowOptions Live::options() {
  ids_.push_back(absl::StrCat(queue_, "-", ids_.size() + 1));
  return {.id = ids_.back(), .task_queue = queue_, .execution_timeout = 60s};
}

void Live::eventually(const std::function<bool()>& condition, const char* what) {
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    ASSERT_LT(absl::Now(), end) << "not within 30 s: " << what;
    absl::SleepFor(absl::Milliseconds(20));
  }
}

int Live::count_events(const std::string& history, const std::string& kind) {
  const std::string wanted = absl::StrCat("\"EVENT_TYPE_", kind, "\"");
  int found = 0;
  for (std::size_t at = 0; (at = history.find(wanted, at)) != std::string::npos; ++at) ++found;
  return found;
}

}  // namespace chimera::live
