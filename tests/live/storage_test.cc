// External storage: what is large is kept elsewhere, wherever it stands, and comes back.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "absl/strings/str_cat.h"

#include "chimera/async_activity.h"
#include "chimera/codec.h"
#include "chimera/external_storage.h"
#include "chimera/schedule.h"
#include "tests/live/live.h"
#include "tests/support/temporary_folder.h"

namespace chimera::live {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

// A folder of its own for each test, and a driver that can fail.
class Failing final : public StorageDriver {
 public:
  explicit Failing(std::shared_ptr<StorageDriver> driver) : driver_(std::move(driver)) {}
  std::string name() const override { return driver_->name(); }
  std::vector<StorageClaim> store(const StorageTarget& target,
                                  const std::vector<Payload>& payloads) override {
    if (takes(store_failures)) throw std::runtime_error("the store is closed");
    stored += static_cast<int>(payloads.size());
    return driver_->store(target, payloads);
  }
  std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) override {
    if (takes(retrieve_failures)) throw std::runtime_error("the store is closed");
    return driver_->retrieve(claims);
  }
  std::atomic<int> store_failures{0}, retrieve_failures{0}, stored{0};

 private:
  static bool takes(std::atomic<int>& failures) {
    int left = failures.load();
    while (left > 0 && !failures.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
  }
  const std::shared_ptr<StorageDriver> driver_;
};

class StorageLive : public Live {
 protected:
  StorageLive() {
    driver_ = std::make_shared<Failing>(local_storage(folder_));
    client_options().external_storage = {.drivers = {driver_}, .payload_size_threshold = 1000};
  }

  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  const support::TemporaryFolder made_;
  const std::string folder_ = made_.path().string();
  std::shared_ptr<Failing> driver_;
};
INSTANTIATE_TEST_SUITE_P(, StorageLive, testing::Values(std::size_t{1000}, std::size_t{0}),
                         cache_name);

// "eHh4..." in histories, whatever stands before it.
std::string large(const std::string& begin) { return begin + std::string(2000, 'x'); }
void expect_small(const std::string& history) {
  EXPECT_THAT(history, Not(HasSubstr("eHh4eHh4eHh4")));
  EXPECT_THAT(history, Not(HasSubstr("xxxxxxxxxxxx")));
  EXPECT_LT(history.size(), 60'000u);
}

const ActivityOptions kOptions{
    .start_to_close_timeout = 10s,
    .heartbeat_timeout = 5s,
    .retry_policy =
        RetryPolicy{.initial_interval = 1ms, .maximum_interval = 1ms, .maximum_attempts = 3}};

std::string pack(const std::string& what) {
  const activity::Info& info = activity::info();
  if (info.attempt == 1) {
    activity::heartbeat(large("heartbeat"));
    throw ApplicationError("stumbled", {.details = details(large("details"))});
  }
  return what + " packed, " + info.heartbeat_details.get<std::string>();
}
std::string pack_here(const std::string& what) { return what + " here"; }

struct Part {
  std::string run(std::string what) { return what + " done"; }
};

struct Ships {
  std::string run(std::string what) {
    const std::string packed = workflow::execute_activity<&pack>(kOptions, what);
    const std::string here = workflow::execute_local_activity<&pack_here>(
        {.start_to_close_timeout = 10s}, std::string(what));
    const std::string part = workflow::execute_child_workflow<&Part::run>({}, what);
    workflow::upsert_memo({{"note", make_payload(large("note"))}});
    const std::string kept = workflow::side_effect([] { return large("side effect"); });
    workflow::wait_condition([this] { return !signalled.empty() && !updated.empty(); });
    if (kept != large("side effect") || here != what + " here" || part != what + " done")
      throw ApplicationError("other values");
    return packed + "|" + signalled + "|" + updated;
  }
  void hear(std::string text) { signalled = text; }
  std::string change(std::string text) {
    updated = text;
    return text + " changed";
  }
  std::string ask(std::string text) const { return text + " answered"; }
  std::string signalled, updated;
};
const auto kShips = define_workflow<&Ships::run>("Ships")
                        .signal<&Ships::hear>("hear")
                        .update<&Ships::change>("change")
                        .query<&Ships::ask>("ask");

TEST_P(StorageLive, WhatIsLargeStaysOutOfHistories) {
  registry()
      .add(kShips)
      .add(define_workflow<&Part::run>("Part"))
      .add_activity<&pack>()
      .add_activity<&pack_here>();
  start_worker();
  WorkflowOptions with = options();
  with.memo = {{"for", make_payload(large("ann"))}};

  const auto handle = client().start_workflow<&Ships::run>(with, large("order"));
  EXPECT_EQ(handle.execute_update<&Ships::change>(large("update")), large("update") + " changed");
  EXPECT_EQ(handle.query<&Ships::ask>(large("query")), large("query") + " answered");
  handle.signal<&Ships::hear>(large("signal"));
  EXPECT_EQ(handle.result(), large("order") + " packed, " + large("heartbeat") + "|" +
                                 large("signal") + "|" + large("update"));

  const Memo memo = handle.describe().memo;
  EXPECT_EQ(from_payload<std::string>(memo.at("for")), large("ann"));
  EXPECT_EQ(from_payload<std::string>(memo.at("note")), large("note"));
  const std::string history = handle.fetch_history();
  expect_small(history);
  EXPECT_THAT(history, HasSubstr("externalPayloads"));
  EXPECT_GT(files(), 8u);
  // Raw calls and histories are what the server has.
  for (const auto& event : handle.fetch_history_events()) EXPECT_LT(event.json.size(), 10'000u);
}

struct GoesOn {
  std::string run(std::string what, int rounds) {
    if (rounds > 0) workflow::continue_as_new<&GoesOn::run>(what + " again", rounds - 1);
    return what;
  }
};

TEST_P(StorageLive, SoIsWhatRunsHandOn) {
  registry().add(define_workflow<&GoesOn::run>("GoesOn"));
  start_worker();
  const auto handle = start<&GoesOn::run>(large("order"), 2);
  EXPECT_EQ(handle.result(), large("order") + " again again");
  expect_small(handle.fetch_history());
}

TEST_P(StorageLive, ACodecComesBeforeIt) {
  client_options().payload_codec = aes_gcm_codec("key", {{"key", std::string(32, 'k')}});
  registry().add(define_workflow<&Part::run>("Part"));
  start_worker();

  const auto handle = start<&Part::run>(large("order"));
  EXPECT_EQ(handle.result(), large("order") + " done");
  EXPECT_GE(files(), 2u);
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(bytes, Not(HasSubstr("xxxxxxxx")));
  }
}

struct Breaks {
  std::string run() {
    try {
      return workflow::execute_activity<&Breaks::fail>(kOptions);
    } catch (const ActivityError& error) {
      return error.find_cause<ApplicationError>()->details().get<std::string>();
    }
  }
  static std::string fail() {
    throw ApplicationError("broken", {.details = details(large("why")), .non_retryable = true});
  }
};

TEST_P(StorageLive, DetailsOfFailuresAreKept) {
  registry().add(define_workflow<&Breaks::run>("Breaks")).add_activity<&Breaks::fail>();
  start_worker();
  const auto handle = start<&Breaks::run>();
  EXPECT_EQ(handle.result(), large("why"));
  expect_small(handle.fetch_history());
}

TEST_P(StorageLive, SchedulesAreKept) {
  const auto schedule =
      client().create_schedule(queue(),
                               {.action = start_workflow_action<&Part::run>(
                                    {.id = queue(), .task_queue = queue()}, large("scheduled")),
                                .spec = {.intervals = {{.every = 24h}}}},
                               {.memo = {{"owner", make_payload(large("cid"))}}});
  const auto told = schedule.describe();
  EXPECT_EQ(from_payload<std::string>(told.schedule.action.args.at(0)), large("scheduled"));
  EXPECT_EQ(from_payload<std::string>(told.memo.at("owner")), large("cid"));
  EXPECT_EQ(files(), 1u);  // Its own memo is the server's to read.
  schedule.delete_();
}

std::string sign(const std::string&) { activity::raise_complete_async(); }
struct Waits {
  std::string run(std::string what) {
    ActivityOptions by_id{.start_to_close_timeout = 30s};
    by_id.activity_id = "sign";
    return workflow::execute_activity<&sign>(by_id, what);
  }
};

TEST_P(StorageLive, AnActivityCompletedFromOutsideIsKept) {
  registry().add(define_workflow<&Waits::run>("Waits")).add_activity<&sign>();
  start_worker();
  const auto handle = start<&Waits::run>(large("order"));
  eventually(
      [&] {
        try {
          client().get_async_activity_handle(handle.id(), "", "sign").complete(large("signed"));
          return true;
        } catch (const RpcError&) {  // It has not begun yet.
          return false;
        }
      },
      "the activity");
  EXPECT_EQ(handle.result(), large("signed"));
  expect_small(handle.fetch_history());
}

// --- What fails ---

TEST_P(StorageLive, AClientsCallFailsWithWhatTheDriverThrew) {
  registry().add(define_workflow<&Part::run>("Part"));
  do_not_replay();  // There is nothing.
  driver_->store_failures = 1;
  try {
    start<&Part::run>(large("order"));
    ADD_FAILURE() << "it started";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kInternal);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("driver 'local' could not store 1 payload"),
                                    HasSubstr("the store is closed")));
  }
}

TEST_P(StorageLive, AWorkflowTaskThatCannotBeReadIsTriedAgain) {
  registry().add(define_workflow<&Part::run>("Part"));
  driver_->retrieve_failures = 1;
  const auto handle = start<&Part::run>(large("order"));
  start_worker();
  EXPECT_EQ(handle.result(), large("order") + " done");
  const std::string history = handle.fetch_history();
  EXPECT_EQ(count_events(history, "WORKFLOW_TASK_FAILED"), 1);
  EXPECT_THAT(history, HasSubstr("the store is closed"));
  EXPECT_THAT(history, AnyOf(HasSubstr("EXTERNAL_STORAGE_FAILURE"), HasSubstr("38")));
}

TEST_P(StorageLive, AWorkflowTaskThatCannotBeAnsweredIsTriedAgain) {
  registry().add(define_workflow<&Part::run>("Part"));
  const auto handle = start<&Part::run>(large("order"));
  driver_->store_failures = 1;
  start_worker();
  EXPECT_EQ(handle.result(), large("order") + " done");
  EXPECT_EQ(count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED"), 1);
}

std::string make_large(int size) { return std::string(static_cast<std::size_t>(size), 'x'); }
struct Takes {
  std::size_t run(int size) {
    return workflow::execute_activity<&make_large>(kOptions, size).size();
  }
};

TEST_P(StorageLive, AnActivityWhoseResultCannotBeStoredIsTriedAgain) {
  registry().add(define_workflow<&Takes::run>("Takes")).add_activity<&make_large>();
  driver_->store_failures = 1;
  start_worker();
  const auto handle = start<&Takes::run>(2000);
  EXPECT_EQ(handle.result(), 2000u);
  EXPECT_THAT(handle.fetch_history(), HasSubstr("ExternalStorageError"));
}

// Above the server's limit of 2 MiB, which counts what it is sent.
TEST_P(StorageLive, WhatTheServerWouldRefuseIsStored) {
  registry().add(define_workflow<&Takes::run>("Takes")).add_activity<&make_large>();
  start_worker();
  EXPECT_EQ(execute<&Takes::run>(3 << 20), std::size_t{3} << 20);
}

TEST_P(StorageLive, AFileThatWasDamagedFailsTheReader) {
  registry().add(define_workflow<&Part::run>("Part"));
  start_worker();
  const auto handle = start<&Part::run>(large("order"));
  handle.result();
  do_not_replay();
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    if (entry.is_regular_file()) std::ofstream(entry.path()) << "something else";
  try {
    handle.result();
    ADD_FAILURE() << "it was read";
  } catch (const RpcError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(folder_), HasSubstr("is damaged")));
  }
}

TEST_P(StorageLive, WithoutItsDriverAReferenceSaysSo) {
  registry().add(define_workflow<&Part::run>("Part"));
  start_worker();
  const auto handle = start<&Part::run>(large("order"));
  handle.result();
  const auto message = [&](const ClientOptions& options) -> std::string {
    try {
      Client::connect(options).get_workflow_handle<&Part::run>(handle.id()).result();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "it was read";
  };
  EXPECT_THAT(message({.target_host = target().address}), HasSubstr("[TMPRL1105]"));
  EXPECT_THAT(message({.target_host = target().address,
                       .external_storage = {.drivers = {local_storage(folder_, "other")}}}),
              HasSubstr("was stored by driver 'local', which is none of "
                        "ExternalStorage::drivers: 'other'"));
}

// A worker without storage fails the task, and one that has it goes on.
TEST_P(StorageLive, AWorkersTaskWithoutStorageFailsAndSaysSo) {
  registry().add(define_workflow<&Part::run>("Part"));
  const auto handle = start<&Part::run>(large("order"));
  {
    Worker plain(Client::connect({.target_host = target().address}), {.task_queue = queue()});
    for (const auto& type : registry().workflows()) plain.add_workflow_type(type);
    plain.start();
    eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
               "a failed workflow task");
    plain.shutdown();
    plain.wait();
  }
  EXPECT_THAT(handle.fetch_history(), HasSubstr("[TMPRL1105]"));
  handle.terminate();
  do_not_replay();
}

// --- Warnings ---

struct Sends {
  std::size_t run(std::string what) {
    return workflow::execute_activity<&make_large>(kOptions, 10).size() +
           workflow::execute_activity<&pack_here>(kOptions, what).size();
  }
};

// Of what is sent, and not of what is kept elsewhere.
TEST_P(StorageLive, WhatIsLargeForAHistoryIsWarnedAbout) {
  auto said = std::make_shared<std::vector<std::string>>();
  const auto mutex = std::make_shared<std::mutex>();
  client_options().runtime = std::make_shared<const Runtime>(TelemetryConfig{
      .logging = LoggingConfig{.forwarding = [said, mutex](const LogRecord& record) {
        const std::lock_guard lock(*mutex);
        if (record.message.find("TMPRL1103") != std::string::npos) said->push_back(record.message);
      }}});
  client_options().external_storage.payload_size_threshold = 5000;
  client_options().payload_limits.payload_warning_bytes = 1500;
  registry()
      .add(define_workflow<&Sends::run>("Sends"))
      .add_activity<&make_large>()
      .add_activity<&pack_here>();
  start_worker();
  start<&Sends::run>(large("a")).result();
  start<&Sends::run>(std::string(6000, 'x')).result();
  const Runtime to_stderr(TelemetryConfig{.logging = LoggingConfig{}});

  const std::lock_guard lock(*mutex);
  EXPECT_THAT(*said,
              testing::ElementsAre(HasSubstr("[TMPRL1103] the arguments of workflow Sends: 20"),
                                   HasSubstr("[TMPRL1103] the arguments of activity pack_here: 20"),
                                   HasSubstr("[TMPRL1103] the activity's result: 20")));
}

}  // namespace
}  // namespace chimera::live
