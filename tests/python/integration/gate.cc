// gate SERVER: a gRPC proxy in front of a server, which refuses what the test tells it to. Prints
// its port; then each line of the standard input is the new rule: "CODE METHOD_PART MESSAGE"
// refuses the calls whose method contains METHOD_PART ("/" is in all), "hang METHOD_PART" never
// answers them, "open" lets all pass. Each rule is confirmed by a line once it holds, and the
// refusals under it are told: "refused METHOD".
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace {

struct Rule {
  int code = 0;  // 0: all pass; -1: no answer.
  std::string part, message;
};

std::mutex mutex;
Rule rule;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void obey(const std::string& line) {
  std::istringstream words(line);
  std::string first;
  Rule next;
  words >> first >> next.part >> std::ws;
  std::getline(words, next.message);
  next.code = first == "open" ? 0 : first == "hang" ? -1 : std::stoi(first);
  const std::lock_guard lock(mutex);
  rule = next;
  say("rule: " + line);
}

// One call through the gate. Deletes itself when gRPC is done with both sides of it.
class Passage : public grpc::ServerGenericBidiReactor {
 public:
  Passage(grpc::GenericCallbackServerContext* context, grpc::GenericStub& stub)
      : context_(context), stub_(stub), method_(context->method()) {
    Rule now;
    {
      const std::lock_guard lock(mutex);
      now = rule;
      if (now.code == 0 || method_.find(now.part) == std::string::npos) now = {};
      if (now.code > 0) say("refused " + method_);
    }
    if (now.code == 0) StartRead(&request_);
    if (now.code > 0) Finish(grpc::Status(static_cast<grpc::StatusCode>(now.code), now.message));
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "no request"));
    call_->context.set_deadline(context_->deadline());
    stub_.UnaryCall(&call_->context, method_, grpc::StubOptions(), &request_, &reply_,
                    [this, call = call_](grpc::Status status) {
                      if (!status.ok()) return Finish(status);
                      StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
                    });
  }
  void OnCancel() override {
    call_->context.TryCancel();
    const std::lock_guard lock(mutex);
    if (rule.code == -1 && method_.find(rule.part) != std::string::npos)
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "gone"));
  }
  void OnDone() override { delete this; }

 private:
  struct Call {
    grpc::ClientContext context;
  };
  grpc::GenericCallbackServerContext* const context_;
  grpc::GenericStub& stub_;
  const std::string method_;
  const std::shared_ptr<Call> call_ = std::make_shared<Call>();
  grpc::ByteBuffer request_, reply_;
};

class Service : public grpc::CallbackGenericService {
 public:
  explicit Service(const std::string& server)
      : stub_(grpc::CreateChannel(server, grpc::InsecureChannelCredentials())) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Passage(context, stub_);
  }

 private:
  grpc::GenericStub stub_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  Service service(words[1]);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  say("gate at 127.0.0.1:" + std::to_string(port));
  for (std::string line; std::getline(std::cin, line);) obey(line);
  std::fflush(stdout);
  std::_Exit(0);  // Open polls may stay open: their clients are gone with the test.
}
