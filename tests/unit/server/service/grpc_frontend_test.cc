// The TCP listener, with raw bytes over a real socket: what the local transport does not have.
#include "google/protobuf/unknown_field_set.h"
#include "grpc/health/v1/health.pb.h"
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "core/base/api.h"
#include "server/server.h"
#include "server/service/grpc_streams.h"

namespace chimera::server {
namespace {

namespace wf = api::workflowservice::v1;
using google::protobuf::UnknownFieldSet;
using testing::Contains;
using testing::HasSubstr;

constexpr char kGetSystemInfo[] = "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo";

// One call of any kind, step by step.
class RawCall {
 public:
  RawCall(grpc::GenericStub& stub, const std::string& method) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    call_ = stub.PrepareCall(&context_, method, &queue_);
    call_->StartCall(this);
    next();
  }
  void write(const google::protobuf::MessageLite& message) {
    call_->Write(serialize(message), this);
    next();
  }
  void write_bytes(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    call_->Write(grpc::ByteBuffer(&slice, 1), this);
    next();
  }
  // False: there is no further message.
  bool read(std::string& bytes) {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    if (!next()) return false;
    grpc::Slice slice;
    buffer.DumpToSingleSlice(&slice);
    bytes.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return true;
  }
  grpc::Status finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    next();
    return status;
  }
  void cancel() { context_.TryCancel(); }

 private:
  bool next() {
    void* tag;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

class GrpcFrontendTest : public testing::Test {
 protected:
  GrpcFrontendTest() {
    auto started = Server::start({.port = 0});
    if (started.ok()) server_ = *std::move(started);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateChannel(
        absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials()));
  }

  grpc::Status unary(const std::string& method, const google::protobuf::MessageLite& request) {
    RawCall call(*stub_, method);
    call.write(request);
    std::string reply;
    call.read(reply);
    return call.finish();
  }

  // Field `number` of each of `bytes`' length-delimited fields of that number.
  static std::vector<std::string> fields(const std::string& bytes, int number) {
    UnknownFieldSet set;
    EXPECT_TRUE(set.ParseFromString(bytes));
    std::vector<std::string> found;
    for (int i = 0; i < set.field_count(); ++i) {
      if (set.field(i).number() == number) found.push_back(set.field(i).length_delimited());
    }
    return found;
  }

  std::string reflect(int field, const std::string& text) {
    UnknownFieldSet request;
    request.AddLengthDelimited(field, text);
    std::string bytes, reply;
    request.SerializeToString(&bytes);
    RawCall call(*stub_, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    call.write_bytes(bytes);
    EXPECT_TRUE(call.read(reply));
    return reply;
  }

  std::unique_ptr<Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

// Deeper than protobuf reads by default, on the way in; not on the way out.
TEST_F(GrpcFrontendTest, ADeepChainOfFailuresIsTakenAndCanBeRead) {
  wf::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("deep");
  start.mutable_workflow_type()->set_name("Case");
  start.mutable_task_queue()->set_name("queue");
  auto* failure = start.mutable_continued_failure();
  for (int i = 1; i < 500; ++i) failure = failure->mutable_cause();
  failure->set_message("what began it");
  const std::string service = "/temporal.api.workflowservice.v1.WorkflowService/";
  ASSERT_TRUE(unary(service + "StartWorkflowExecution", start).ok());

  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("deep");
  RawCall call(*stub_, service + "GetWorkflowExecutionHistory");
  call.write(request);
  std::string bytes;
  ASSERT_TRUE(call.read(bytes));
  wf::GetWorkflowExecutionHistoryResponse reply;

  ASSERT_TRUE(reply.ParseFromString(bytes));
  const auto* read =
      &reply.history().events(0).workflow_execution_started_event_attributes().continued_failure();
  while (read->has_cause()) read = &read->cause();
  EXPECT_EQ(read->message(), "what began it");
  EXPECT_TRUE(call.finish().ok());
}

TEST_F(GrpcFrontendTest, AMessageOverTheLimitIsRefusedWithBothSizesAndTheServerGoesOn) {
  wf::StartWorkflowExecutionRequest request;
  request.mutable_input()->add_payloads()->set_data(std::string(5 << 20, 'x'));

  const grpc::Status refused =
      unary("/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution", request);

  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("larger than max"));
  EXPECT_TRUE(unary(kGetSystemInfo, wf::GetSystemInfoRequest()).ok());
}

TEST_F(GrpcFrontendTest, ACallThatIsCancelledBeforeItsRequestCameDoesNoHarm) {
  for (int i = 0; i < 20; ++i) {
    RawCall call(*stub_, kGetSystemInfo);
    call.cancel();
    EXPECT_EQ(call.finish().error_code(), grpc::StatusCode::CANCELLED);
  }

  EXPECT_TRUE(unary(kGetSystemInfo, wf::GetSystemInfoRequest()).ok());
}

TEST_F(GrpcFrontendTest, BytesThatAreNoMessageAreRefused) {
  RawCall call(*stub_, kGetSystemInfo);
  call.write_bytes("\xff\xff\xff");
  std::string reply;
  call.read(reply);

  EXPECT_EQ(call.finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcFrontendTest, AnUnknownMethodIsNamed) {
  const grpc::Status status = unary("/nobody.Service/Does", wf::GetSystemInfoRequest());

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status.error_message(), "unknown method Does for service nobody.Service");
}

TEST_F(GrpcFrontendTest, HealthWatchTellsAndStaysOpenUntilTheServerGoes) {
  using grpc::health::v1::HealthCheckResponse;
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("temporal.api.workflowservice.v1.WorkflowService");
  RawCall call(*stub_, kHealthWatchPath);
  call.write(request);
  std::string bytes;

  ASSERT_TRUE(call.read(bytes));
  HealthCheckResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_.reset();

  EXPECT_FALSE(call.read(bytes));
  EXPECT_EQ(call.finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcFrontendTest, ReflectionListsTheServices) {
  const std::string reply = reflect(/*list_services*/ 7, "*");

  std::vector<std::string> names;
  for (const std::string& service : fields(fields(reply, 6).at(0), 1))
    names.push_back(fields(service, 1).at(0));
  EXPECT_THAT(names, Contains("temporal.api.workflowservice.v1.WorkflowService"));
  EXPECT_THAT(names, Contains("temporal.api.operatorservice.v1.OperatorService"));
  EXPECT_THAT(names, Contains("grpc.health.v1.Health"));
}

TEST_F(GrpcFrontendTest, ReflectionGivesASymbolsFileWithItsImports) {
  const std::string reply =
      reflect(/*file_containing_symbol*/ 4, "temporal.api.workflowservice.v1.WorkflowService");

  std::vector<std::string> names;
  for (const std::string& file : fields(fields(reply, 4).at(0), 1))
    names.push_back(fields(file, 1).at(0));
  EXPECT_THAT(names, Contains("temporal/api/workflowservice/v1/service.proto"));
  EXPECT_THAT(names, Contains("temporal/api/common/v1/message.proto"));
}

TEST_F(GrpcFrontendTest, ReflectionRefusesAnUnknownSymbol) {
  const std::string reply = reflect(/*file_containing_symbol*/ 4, "no.such.Thing");

  EXPECT_THAT(fields(fields(reply, 7).at(0), 2).at(0), HasSubstr("no.such.Thing"));
}

TEST(GrpcFrontendListenTest, APortInUseIsOneClearErrorWithoutNoise) {
  auto first = Server::start({.port = 0});
  ASSERT_TRUE(first.ok()) << first.status();
  testing::internal::CaptureStderr();

  auto second = Server::start({.port = (*first)->port()});

  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot listen on 127.0.0.1:", (*first)->port(),
                         ": the port is in use. Choose another port (0 takes any free one), or "
                         "stop the program that has it."));
}

TEST(GrpcFrontendListenTest, AnAddressOfAnotherMachineIsNamed) {
  auto server = Server::start({.ip = "192.0.2.1", .port = 0});

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("not of this machine"));
}

}  // namespace
}  // namespace chimera::server
