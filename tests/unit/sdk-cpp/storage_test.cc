// External storage: references, drivers, and the connection that puts them in and takes them out.
#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/external_storage.h"
#include "core/converter/aes_gcm_codec.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/storage/reference.h"
#include "sdk-cpp/src/storage/stored_payload.h"
#include "sdk-cpp/src/storage/storing_connection.h"
#include "tests/support/temporary_folder.h"

namespace chimera::sdk {
namespace {

namespace fs = std::filesystem;
namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

Payload payload(std::string data) {
  return {.metadata = {{"encoding", "binary/plain"}}, .data = std::move(data)};
}
const std::string kLarge(2000, 'x');

// --- References ---

TEST(StorageReferenceTest, AreWrittenAsTheOfficialSdksDo) {
  const ProtoPayload written =
      to_payload({.driver = "local", .claim = {{"path", "a/b"}, {"hash", "1"}}}, 12345);
  EXPECT_EQ(written.data(), R"({"claimData":{"hash":"1","path":"a/b"},"driverName":"local"})");
  EXPECT_EQ(written.metadata().at("encoding"), "json/protobuf");
  EXPECT_EQ(written.metadata().at("messageType"), "temporal.api.sdk.v1.ExternalStorageReference");
  ASSERT_EQ(written.external_payloads_size(), 1);
  EXPECT_EQ(written.external_payloads(0).size_bytes(), 12345);
  EXPECT_TRUE(core::is_reference(written));

  const auto read = read_reference(written, nullptr);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->driver, "local");
  EXPECT_THAT(read->claim, ElementsAre(Pair("hash", "1"), Pair("path", "a/b")));
}

TEST(StorageReferenceTest, TheOlderFormIsRead) {
  ProtoPayload old;
  core::set_encoding(old, "json/external-storage-reference");
  old.set_data(R"({"driver_name":"s3","driver_claim":{"claim_data":{"key":"k"}}})");
  ASSERT_TRUE(core::is_reference(old));
  const auto read = read_reference(old, nullptr);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->driver, "s3");
  EXPECT_THAT(read->claim, ElementsAre(Pair("key", "k")));
}

TEST(StorageReferenceTest, ThoseThatACodecEncodedAreDecoded) {
  const auto codec = *core::AesGcmCodec::create("key", {{"key", std::string(32, 'k')}});
  ProtoPayload encoded = to_payload({.driver = "local", .claim = {{"path", "p"}}}, 1);
  ASSERT_TRUE(core::encode_one(*codec, encoded).ok());
  (*encoded.mutable_metadata())["__temporal_external_storage_reference"] = "true";
  ASSERT_TRUE(core::is_reference(encoded));

  EXPECT_EQ(read_reference(encoded, codec)->driver, "local");
  EXPECT_THAT(std::string(read_reference(encoded, nullptr).status().message()),
              HasSubstr("[TMPRL1106]"));
}

TEST(StorageReferenceTest, WhatIsNoneOrBrokenIsSaid) {
  EXPECT_FALSE(core::is_reference(to_proto(payload("text"))));
  ProtoPayload broken = to_payload({.driver = "local", .claim = {}}, 1);
  for (const char* data :
       {"{", "[]", "{}", R"({"driverName":1})", R"({"driverName":"a","claimData":[]})",
        R"({"driverName":"a","claimData":{"x":1}})"}) {
    broken.set_data(data);
    EXPECT_THAT(std::string(read_reference(broken, nullptr).status().message()),
                HasSubstr("[TMPRL1106]"))
        << data;
  }
}

// --- Drivers ---

class LocalStorageTest : public testing::Test {
 protected:
  std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file()) files.push_back(entry.path());
    return files;
  }
  const support::TemporaryFolder made_;
  const fs::path& folder_ = made_.path();
};

TEST_F(LocalStorageTest, KeepsEachPayloadOnceUnderItsHash) {
  const auto driver = local_storage((folder_ / "made").string());
  const auto claims = driver->store({}, {payload("one"), payload("two"), payload("one")});

  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(claims[0], claims[2]);
  EXPECT_THAT(files(), SizeIs(2));
  const std::string hash = sha256_hex(stored_bytes(payload("one")));
  EXPECT_THAT(claims[0],
              UnorderedElementsAre(Pair("hash_algorithm", "sha256"), Pair("hash_value", hash),
                                   Pair("path", "sha256/" + hash.substr(0, 2) + "/" + hash)));
  const auto read = driver->retrieve({claims[1], claims[0]});
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].data, "two");
  EXPECT_EQ(read[1].data, "one");
  EXPECT_EQ(read[1].metadata.at("encoding"), "binary/plain");
}

TEST_F(LocalStorageTest, DamageIsFoundAndMendedByTheNextStore) {
  const auto driver = local_storage(folder_.string());
  const auto claims = driver->store({}, {payload("one")});
  const fs::path file = files().at(0);
  std::ofstream(file) << "something else";

  EXPECT_THAT(message_of([&] { driver->retrieve(claims); }),
              AllOf(HasSubstr(file.string()), HasSubstr("is damaged")));
  EXPECT_EQ(driver->store({}, {payload("one")}), claims);
  EXPECT_EQ(driver->retrieve(claims).at(0).data, "one");
  fs::remove(file);
  EXPECT_THAT(message_of([&] { driver->retrieve(claims); }), HasSubstr("No such file"));
}

TEST_F(LocalStorageTest, ClaimsLeadNowhereElse) {
  const auto driver = local_storage((folder_ / "inside").string());
  std::ofstream(folder_ / "secret") << "secret";
  for (const std::string& path : {std::string("../secret"), std::string("sha256/../../secret"),
                                  (folder_ / "secret").string(), std::string()}) {
    const StorageClaim claim{
        {"path", path}, {"hash_algorithm", "sha256"}, {"hash_value", sha256_hex("secret")}};
    EXPECT_THAT(message_of([&] { driver->retrieve({claim}); }), HasSubstr("inside the folder"))
        << path;
  }
  EXPECT_THAT(message_of([&] { driver->retrieve({{}}); }), HasSubstr("the claim has no path"));
}

TEST_F(LocalStorageTest, ThreadsThatStoreTheSameDoNotDisturbEachOther) {
  const auto driver = local_storage(folder_.string());
  std::vector<std::thread> threads;
  std::vector<std::vector<StorageClaim>> claims(4);
  for (auto& each : claims)
    threads.emplace_back([&] { each = driver->store({}, {payload(kLarge)}); });
  for (auto& thread : threads) thread.join();
  for (const auto& each : claims) EXPECT_EQ(driver->retrieve(each).at(0).data, kLarge);
  EXPECT_THAT(files(), SizeIs(1));
}

TEST_F(LocalStorageTest, AFolderThatCannotBeUsedIsRefused) {
  std::ofstream(folder_ / "file") << "text";
  EXPECT_THAT(message_of([&] { local_storage((folder_ / "file").string()); }),
              HasSubstr("the folder cannot be made"));
  EXPECT_THAT(message_of([&] { local_storage(""); }), HasSubstr("name is empty"));
}

// A store of objects in memory.
struct Objects final : ObjectStore {
  bool exists(const std::string& bucket, const std::string& key) override {
    return kept.contains(bucket + ":" + key);
  }
  void put(const std::string& bucket, const std::string& key, std::string_view data) override {
    kept[bucket + ":" + key] = std::string(data);
    ++puts;
  }
  std::string get(const std::string& bucket, const std::string& key) override {
    const auto found = kept.find(bucket + ":" + key);
    if (found == kept.end()) throw std::out_of_range("no such object");
    return found->second;
  }
  std::map<std::string, std::string> kept;
  int puts = 0;
};

TEST(ObjectStorageTest, KeysAndClaimsAreThoseOfTheOfficialDriver) {
  const auto objects = std::make_shared<Objects>();
  const auto driver = object_storage(objects, {.bucket = "payloads"});
  EXPECT_EQ(driver->name(), "aws.s3driver");
  using Kind = StorageTarget::Kind;
  const std::string hash = "f0b2933f84ba292bdbefe6ad715e519efa0e8804a2ee8ff06bff0b59bdb87655";
  const auto key = [&](const StorageTarget& target) {
    return driver->store(target, {payload("one")}).at(0).at("key");
  };

  EXPECT_EQ(key({Kind::kWorkflow, "default", "order/17 \xc3\xa9", "run-1", "Order"}),
            "v0/ns/default/wt/Order/wi/order%2F17%20%C3%A9/ri/run-1/d/sha256/" + hash);
  EXPECT_EQ(key({Kind::kActivity, "", "1", "", "pack"}),
            "v0/ns/null/at/pack/ai/1/ri/null/d/sha256/" + hash);
  EXPECT_EQ(key({}), "v0/d/sha256/" + hash);
  EXPECT_EQ(key({Kind::kWorkflow, "default", std::string(2000, 'i'), "", ""}),
            "v0/ns/default/d/sha256/" + hash);

  EXPECT_EQ(objects->puts, 4);
  const auto claims = driver->store({}, {payload("one")});
  EXPECT_EQ(objects->puts, 4);  // It is there.
  EXPECT_THAT(claims.at(0),
              UnorderedElementsAre(Pair("bucket", "payloads"), Pair("key", "v0/d/sha256/" + hash),
                                   Pair("hash_algorithm", "sha256"), Pair("hash_value", hash)));
  EXPECT_EQ(driver->retrieve(claims).at(0).data, "one");
}

TEST(ObjectStorageTest, WhatFailsIsSaidWithItsPlace) {
  const auto objects = std::make_shared<Objects>();
  const auto driver = object_storage(objects, {.bucket = "payloads", .max_payload_size = 100});
  EXPECT_THAT(message_of([&] { driver->store({}, {payload(kLarge)}); }),
              HasSubstr("max_payload_size is 100"));
  const auto claims = driver->store({}, {payload("one")});
  objects->kept.begin()->second = "damaged";
  EXPECT_THAT(message_of([&] { driver->retrieve(claims); }),
              AllOf(HasSubstr("bucket=payloads"), HasSubstr("is damaged")));
  objects->kept.clear();
  EXPECT_THAT(message_of([&] { driver->retrieve(claims); }),
              AllOf(HasSubstr("bucket=payloads"), HasSubstr("no such object")));
  EXPECT_THAT(message_of([&] { object_storage(nullptr, {.bucket = "b"}); }), HasSubstr("null"));
  EXPECT_THAT(message_of([&] { object_storage(objects, {}); }), HasSubstr("bucket is empty"));
}

// --- The options ---

// Keeps payloads in memory; notes for whom. Fails while it is told to.
class Memory : public StorageDriver {
 public:
  explicit Memory(std::string name = "memory") : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::vector<StorageClaim> store(const StorageTarget& target,
                                  const std::vector<Payload>& payloads) override {
    if (before_store) before_store();
    const std::lock_guard lock(mutex_);
    std::vector<StorageClaim> claims;
    for (const Payload& each : payloads) {
      claims.push_back({{"at", std::to_string(kept_.size())}});
      kept_.push_back(each);
      targets.push_back(target);
    }
    return claims;
  }
  std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) override {
    if (before_retrieve) before_retrieve();
    const std::lock_guard lock(mutex_);
    std::vector<Payload> payloads;
    for (const auto& claim : claims) payloads.push_back(kept_.at(std::stoul(claim.at("at"))));
    return payloads;
  }
  std::size_t kept() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

  std::function<void()> before_store, before_retrieve;
  std::vector<StorageTarget> targets;

 private:
  const std::string name_;
  std::mutex mutex_;
  std::deque<Payload> kept_;
};

[[noreturn]] void break_down() { throw std::runtime_error("the disk is full"); }

TEST(PayloadStoreTest, OptionsThatCannotWorkAreRefused) {
  const auto make = [](const ExternalStorage& storage) {
    return message_of([&] { PayloadStore::make(storage, nullptr, "external_storage"); });
  };
  const auto one = std::make_shared<Memory>("a"), two = std::make_shared<Memory>("b");
  const auto select = [](const StorageTarget&, const Payload&) {
    return std::shared_ptr<StorageDriver>();
  };
  EXPECT_EQ(PayloadStore::make({}, nullptr, ""), nullptr);
  EXPECT_THAT(make({.driver_selector = select}), HasSubstr("and no drivers"));
  EXPECT_THAT(make({.drivers = {nullptr}}), HasSubstr("a null one"));
  EXPECT_THAT(make({.drivers = {std::make_shared<Memory>("")}}), HasSubstr("without a name"));
  EXPECT_THAT(make({.drivers = {one, std::make_shared<Memory>("a")}, .driver_selector = select}),
              HasSubstr("two of the name 'a'"));
  EXPECT_THAT(make({.drivers = {one, two}}), HasSubstr("no driver_selector"));
}

TEST(PayloadStoreTest, ThreeOperationsAtATime) {
  const auto driver = std::make_shared<Memory>();
  int entered = 0;
  std::mutex mutex;
  driver->before_retrieve = [&] {
    const std::lock_guard lock(mutex);
    ++entered;
  };
  const auto store = PayloadStore::make({.drivers = {driver}}, nullptr, "");
  wf::QueryWorkflowResponse reply;
  for (const auto& claim : driver->store({}, std::vector<Payload>(7, payload("x"))))
    *reply.mutable_query_result()->add_payloads() = to_payload({"memory", claim}, 1);

  ASSERT_TRUE(store->retrieve_all(reply).ok());

  EXPECT_EQ(entered, 3);
  for (const auto& each : reply.query_result().payloads()) EXPECT_EQ(each.data(), "x");
}

// --- The connection ---

// A connection whose calls the test answers.
class FakeConnection final : public core::Connection {
 public:
  struct Call {
    std::string method;
    const google::protobuf::MessageLite* request;
    google::protobuf::MessageLite* response;
    absl::AnyInvocable<void(absl::Status) &&> done;

    template <class Message>
    const Message& as() const {
      return dynamic_cast<const Message&>(*request);
    }
    void answer(const google::protobuf::MessageLite& reply) {
      response->CheckTypeAndMergeFrom(reply);
      std::move(done)(absl::OkStatus());
    }
  };
  struct InFlight final : base::RpcInFlight {
    void cancel() override { cancelled = true; }
    bool cancelled = false;
  };

  std::shared_ptr<base::RpcInFlight> call(
      std::string_view method,
      std::variant<const google::protobuf::MessageLite*, std::string> request,
      std::variant<google::protobuf::MessageLite*, std::string*> response, core::CallOptions,
      absl::AnyInvocable<void(absl::Status) &&> done) override {
    const std::string name(method.substr(method.rfind('/') + 1));
    const std::lock_guard lock(mutex_);
    const auto* bytes = std::get_if<std::string>(&request);
    calls_.push_back({name, bytes ? nullptr : std::get<0>(request),
                      bytes ? nullptr : std::get<0>(response), std::move(done)});
    return in_flight;
  }
  // The next call, once it has come.
  Call take() {
    const absl::Time end = absl::Now() + absl::Seconds(20);
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (!calls_.empty()) {
          Call call = std::move(calls_.front());
          calls_.pop_front();
          return call;
        }
      }
      if (absl::Now() > end) throw std::runtime_error("no call came");
      std::this_thread::yield();
    }
  }
  bool idle() {
    const std::lock_guard lock(mutex_);
    return calls_.empty();
  }

  const core::ConnectionOptions& options() const override { return options_; }
  const wf::GetSystemInfoResponse::Capabilities& capabilities() const override {
    return capabilities_;
  }
  std::shared_ptr<core::EagerStarts> eager_starts() override { return nullptr; }
  void set_api_key(std::string) override {}
  void set_metadata(base::RpcMetadata) override {}
  void set_client_name(std::string, std::string) override {}

  std::shared_ptr<InFlight> in_flight = std::make_shared<InFlight>();

 private:
  core::ConnectionOptions options_;
  wf::GetSystemInfoResponse::Capabilities capabilities_;
  std::mutex mutex_;
  std::deque<Call> calls_;
};

// One call through a connection that stores from 1000 bytes on.
template <class Request, class Reply>
struct Sent {
  Request request;
  Reply reply;
  absl::Status status;
  absl::Notification ended;
  std::shared_ptr<base::RpcInFlight> call;

  absl::Status wait() {
    ended.WaitForNotification();
    return status;
  }
};

class StoringConnectionTest : public testing::Test {
 protected:
  template <class Request, class Reply>
  void send(Sent<Request, Reply>& sent, std::size_t value_bytes_max = 0) {
    sent.call = connection_->call(
        "/temporal.api.workflowservice.v1.WorkflowService/Method", &sent.request, &sent.reply,
        core::CallOptions{.namespace_ = "default", .value_bytes_max = value_bytes_max},
        [&sent](absl::Status status) {
          sent.status = std::move(status);
          sent.ended.Notify();
        });
  }
  // What a poll has brought, with references in it.
  ProtoPayload stored(const std::string& data) {
    return to_payload({"memory", memory_->store({}, {payload(data)}).at(0)}, data.size());
  }

  std::shared_ptr<Memory> memory_ = std::make_shared<Memory>();
  std::shared_ptr<FakeConnection> inner_ = std::make_shared<FakeConnection>();
  std::shared_ptr<core::Connection> connection_ = storing_connection(
      inner_, PayloadStore::make({.drivers = {memory_}, .payload_size_threshold = 1000}, nullptr,
                                 "external_storage"));
};

TEST_F(StoringConnectionTest, SmallRequestsPassAsTheyAre) {
  Sent<wf::StartWorkflowExecutionRequest, wf::StartWorkflowExecutionResponse> start;
  *start.request.mutable_input()->add_payloads() = to_proto(payload("small"));
  send(start);
  auto call = inner_->take();
  EXPECT_EQ(call.request, &start.request);
  call.answer(wf::StartWorkflowExecutionResponse());
  EXPECT_TRUE(start.wait().ok());
  EXPECT_EQ(memory_->kept(), 0u);
}

TEST_F(StoringConnectionTest, LargeValuesLeaveAsReferencesForTheWorkflow) {
  Sent<wf::StartWorkflowExecutionRequest, wf::StartWorkflowExecutionResponse> start;
  start.request.set_namespace_("default");
  start.request.set_workflow_id("order");
  start.request.mutable_workflow_type()->set_name("Order");
  *start.request.mutable_input()->add_payloads() = to_proto(payload("small"));
  *start.request.mutable_input()->add_payloads() = to_proto(payload(kLarge));
  (*start.request.mutable_memo()->mutable_fields())["note"] = to_proto(payload(kLarge));
  send(start);
  auto call = inner_->take();

  const auto& sent = call.as<wf::StartWorkflowExecutionRequest>();
  EXPECT_EQ(sent.input().payloads(0).data(), "small");
  EXPECT_TRUE(core::is_reference(sent.input().payloads(1)));
  EXPECT_TRUE(core::is_reference(sent.memo().fields().at("note")));
  EXPECT_EQ(start.request.input().payloads(1).data(), kLarge);  // The caller's stays.
  const StorageTarget order{StorageTarget::Kind::kWorkflow, "default", "order", "", "Order"};
  EXPECT_THAT(memory_->targets, ElementsAre(order, order));
  call.answer(wf::StartWorkflowExecutionResponse());
  EXPECT_TRUE(start.wait().ok());
}

TEST_F(StoringConnectionTest, RepliesComeWithTheirValues) {
  Sent<wf::QueryWorkflowRequest, wf::QueryWorkflowResponse> query;
  send(query);
  wf::QueryWorkflowResponse reply;
  *reply.mutable_query_result()->add_payloads() = stored("kept elsewhere");
  inner_->take().answer(reply);
  ASSERT_TRUE(query.wait().ok());
  EXPECT_EQ(query.reply.query_result().payloads(0).data(), "kept elsewhere");
}

TEST_F(StoringConnectionTest, WhatCannotBeStoredFailsTheCall) {
  memory_->before_store = &break_down;
  Sent<wf::SignalWorkflowExecutionRequest, wf::SignalWorkflowExecutionResponse> signal;
  *signal.request.mutable_input()->add_payloads() = to_proto(payload(kLarge));
  send(signal);
  const absl::Status status = signal.wait();
  EXPECT_TRUE(status.GetPayload(core::kNotStored).has_value());
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("driver 'memory' could not store 1 payload"), HasSubstr("the disk is full")));
  EXPECT_TRUE(inner_->idle());
}

TEST_F(StoringConnectionTest, AQuerysAnswerThatCannotBeStoredSaysSo) {
  memory_->before_store = &break_down;
  Sent<wf::RespondQueryTaskCompletedRequest, wf::RespondQueryTaskCompletedResponse> answer;
  answer.request.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  *answer.request.mutable_query_result()->add_payloads() = to_proto(payload(kLarge));
  send(answer);
  auto call = inner_->take();
  const auto& sent = call.as<wf::RespondQueryTaskCompletedRequest>();
  EXPECT_EQ(sent.completed_type(), enums::QUERY_RESULT_TYPE_FAILED);
  EXPECT_THAT(sent.error_message(), HasSubstr("the disk is full"));
  call.answer(wf::RespondQueryTaskCompletedResponse());
  EXPECT_TRUE(answer.wait().ok());

  Sent<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse> task;
  *(*task.request.mutable_query_results())["q"].mutable_answer()->add_payloads() =
      to_proto(payload(kLarge));
  send(task);
  call = inner_->take();
  EXPECT_THAT(
      call.as<wf::RespondWorkflowTaskCompletedRequest>().query_results().at("q").error_message(),
      HasSubstr("the disk is full"));
  call.answer(wf::RespondWorkflowTaskCompletedResponse());
  EXPECT_TRUE(task.wait().ok());
}

TEST_F(StoringConnectionTest, SizesCountOnceTheLargeIsStored) {
  const auto task_with = [](std::string data) {
    wf::RespondWorkflowTaskCompletedRequest request;
    auto& command = *request.add_commands();
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    *command.mutable_complete_workflow_execution_command_attributes()
         ->mutable_result()
         ->add_payloads() = to_proto(payload(std::move(data)));
    return request;
  };
  Sent<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse> large;
  large.request = task_with(std::string(5000, 'x'));
  send(large, /*value_bytes_max=*/2000);
  inner_->take().answer(wf::RespondWorkflowTaskCompletedResponse());
  EXPECT_TRUE(large.wait().ok());

  Sent<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse> inline_;
  inline_.request = task_with(std::string(900, 'x'));
  send(inline_, /*value_bytes_max=*/500);
  const absl::Status status = inline_.wait();
  EXPECT_TRUE(status.GetPayload(core::kTooLarge).has_value());
  EXPECT_THAT(std::string(status.message()), HasSubstr("[TMPRL1103] the workflow's result"));
}

wf::PollWorkflowTaskQueueResponse workflow_task(ProtoPayload input, int attempt = 1) {
  wf::PollWorkflowTaskQueueResponse task;
  task.set_task_token("token");
  task.set_attempt(attempt);
  task.mutable_workflow_execution()->set_workflow_id("order");
  task.mutable_workflow_execution()->set_run_id("run");
  task.mutable_workflow_type()->set_name("Order");
  *task.mutable_history()
       ->add_events()
       ->mutable_workflow_execution_started_event_attributes()
       ->mutable_input()
       ->add_payloads() = std::move(input);
  task.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(3);
  return task;
}

TEST_F(StoringConnectionTest, AWorkflowTaskThatCannotBeReadFailsAndNobodySeesIt) {
  memory_->before_retrieve = &break_down;
  Sent<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse> poll;
  poll.request.set_identity("me");
  send(poll);
  inner_->take().answer(workflow_task(stored(kLarge)));

  auto told = inner_->take();
  EXPECT_EQ(told.method, "RespondWorkflowTaskFailed");
  const auto& failed = told.as<wf::RespondWorkflowTaskFailedRequest>();
  EXPECT_EQ(failed.task_token(), "token");
  EXPECT_EQ(failed.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_EXTERNAL_STORAGE_FAILURE);
  EXPECT_EQ(failed.namespace_(), "default");
  EXPECT_EQ(failed.identity(), "me");
  EXPECT_THAT(failed.failure().message(), HasSubstr("the disk is full"));
  EXPECT_FALSE(poll.ended.HasBeenNotified());  // A worker that ends waits for the answer.
  told.answer(wf::RespondWorkflowTaskFailedResponse());
  ASSERT_TRUE(poll.wait().ok());
  EXPECT_EQ(poll.reply.task_token(), "");
  EXPECT_EQ(poll.reply.poller_scaling_decision().poll_request_delta_suggestion(), 3);
}

TEST_F(StoringConnectionTest, ALaterAttemptIsLeftToItsTimeout) {
  memory_->before_retrieve = &break_down;
  Sent<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse> poll;
  send(poll);
  inner_->take().answer(workflow_task(stored(kLarge), /*attempt=*/2));
  ASSERT_TRUE(poll.wait().ok());
  EXPECT_EQ(poll.reply.task_token(), "");
  EXPECT_TRUE(inner_->idle());
}

TEST_F(StoringConnectionTest, AnActivityTaskThatCannotBeReadFailsForNow) {
  Sent<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse> poll;
  send(poll);
  wf::PollActivityTaskQueueResponse task;
  task.set_task_token("token");
  *task.mutable_input()->add_payloads() = to_payload({"unknown", {}}, 1);
  inner_->take().answer(task);
  auto told = inner_->take();
  const auto& failed = told.as<wf::RespondActivityTaskFailedRequest>();
  EXPECT_THAT(failed.failure().message(), AllOf(HasSubstr("'unknown'"), HasSubstr("'memory'")));
  EXPECT_FALSE(failed.failure().application_failure_info().non_retryable());
  told.answer(wf::RespondActivityTaskFailedResponse());
  ASSERT_TRUE(poll.wait().ok());
  EXPECT_EQ(poll.reply.task_token(), "");
}

TEST_F(StoringConnectionTest, TasksInRepliesFailByThemselves) {
  Sent<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse> sent;
  send(sent);
  wf::RespondWorkflowTaskCompletedResponse reply;
  *reply.mutable_workflow_task() = workflow_task(to_payload({"unknown", {}}, 1));
  for (const char* token : {"good", "bad"}) {
    auto& activity = *reply.add_activity_tasks();
    activity.set_task_token(token);
    *activity.mutable_input()->add_payloads() =
        token == std::string("good") ? stored("kept") : to_payload({"unknown", {}}, 1);
  }
  inner_->take().answer(reply);
  auto first = inner_->take(), second = inner_->take();
  EXPECT_EQ(first.method, "RespondWorkflowTaskFailed");
  EXPECT_EQ(second.as<wf::RespondActivityTaskFailedRequest>().task_token(), "bad");
  first.answer(wf::RespondWorkflowTaskFailedResponse());
  second.answer(wf::RespondActivityTaskFailedResponse());

  ASSERT_TRUE(sent.wait().ok());
  EXPECT_FALSE(sent.reply.has_workflow_task());
  ASSERT_EQ(sent.reply.activity_tasks_size(), 1);
  EXPECT_EQ(sent.reply.activity_tasks(0).input().payloads(0).data(), "kept");
}

TEST_F(StoringConnectionTest, AnswersAreStoredForTheWorkflowThatTheirTaskNamed) {
  Sent<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse> poll;
  send(poll);
  inner_->take().answer(workflow_task(to_proto(payload("small"))));
  ASSERT_TRUE(poll.wait().ok());

  Sent<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse> sent;
  sent.request.set_task_token("token");
  sent.request.set_namespace_("default");
  sent.request.set_resource_id("workflow:order");
  auto& activity =
      *sent.request.add_commands()->mutable_schedule_activity_task_command_attributes();
  activity.set_activity_id("1");
  *activity.mutable_input()->add_payloads() = to_proto(payload(kLarge));
  auto& child =
      *sent.request.add_commands()->mutable_start_child_workflow_execution_command_attributes();
  child.set_workflow_id("child");
  child.mutable_workflow_type()->set_name("Child");
  *child.mutable_input()->add_payloads() = to_proto(payload(kLarge));
  send(sent);
  inner_->take().answer(wf::RespondWorkflowTaskCompletedResponse());
  ASSERT_TRUE(sent.wait().ok());
  using Kind = StorageTarget::Kind;
  EXPECT_THAT(
      memory_->targets,
      UnorderedElementsAre(StorageTarget{Kind::kWorkflow, "default", "order", "run", "Order"},
                           StorageTarget{Kind::kWorkflow, "default", "child", "", "Child"}));
}

TEST_F(StoringConnectionTest, ACallMayBeCancelledWhileItsValuesAreStored) {
  absl::Notification storing, go_on;
  memory_->before_store = [&] {
    storing.Notify();
    go_on.WaitForNotification();
  };
  Sent<wf::SignalWorkflowExecutionRequest, wf::SignalWorkflowExecutionResponse> signal;
  *signal.request.mutable_input()->add_payloads() = to_proto(payload(kLarge));
  send(signal);
  storing.WaitForNotification();
  signal.call->cancel();
  go_on.Notify();
  EXPECT_TRUE(absl::IsCancelled(signal.wait()));
  EXPECT_TRUE(inner_->idle());

  Sent<wf::SignalWorkflowExecutionRequest, wf::SignalWorkflowExecutionResponse> under_way;
  send(under_way);
  under_way.call->cancel();
  EXPECT_TRUE(inner_->in_flight->cancelled);
  inner_->take().answer(wf::SignalWorkflowExecutionResponse());
  EXPECT_TRUE(under_way.wait().ok());
}

}  // namespace
}  // namespace chimera::sdk
