// The C++ half of codec_test.py: every way in which a C++ workflow or activity sends a payload.
// Values that must not be readable on the server hold the word SECRET.
#include <chrono>
#include <string>

#include "chimera/activity.h"
#include "chimera/errors.h"
#include "chimera/library.h"
#include "chimera/workflow.h"

namespace {

namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

std::string upper_native(const std::string& text) { return "native SECRET " + text; }

// Fails once, with details; the second attempt tells the first one's heartbeat.
std::string beat_native(const std::string& text) {
  if (chimera::activity::info().attempt == 1) {
    chimera::activity::heartbeat("beat SECRET " + text);
    throw chimera::ApplicationError("once SECRET", {.details = chimera::details("lost SECRET")});
  }
  return chimera::activity::info().heartbeat_details.get<std::string>();
}

void fail_native(const std::string& text) {
  throw chimera::ApplicationError(
      "no " + text,
      {.type = "Native", .details = chimera::details("detail SECRET", 7), .non_retryable = true});
}

std::string describe(const chimera::ActivityError& error) {
  const auto* cause = error.find_cause<chimera::ApplicationError>();
  if (cause == nullptr) return "no cause";
  return cause->type() + ": " + cause->message() + ", " + cause->details().get<std::string>() +
         ", " + std::to_string(cause->details().get<int>(1));
}

class Native {
 public:
  std::string run(std::string text) {
    workflow::upsert_memo({{"native", chimera::make_payload("memo SECRET")}});
    workflow::upsert_search_attributes({{"City", std::string("Bremen")}});
    const chimera::ActivityOptions options{.start_to_close_timeout = 10s};
    seen_ += workflow::execute_activity<std::string>("upper_python", options, text);
    try {
      workflow::execute_activity<void>("fail_python", options, text);
    } catch (const chimera::ActivityError& error) {
      seen_ += "; " + describe(error);
    }
    workflow::wait_condition([this] { return !word_.empty(); });
    if (word_ == "fail") {
      throw chimera::ApplicationError(
          "the end", {.type = "End", .details = chimera::details("last SECRET", 1)});
    }
    return seen_ + "; " + word_;
  }
  void say(std::string word) { word_ = std::move(word); }
  std::string seen(std::string prefix) const { return prefix + seen_; }
  std::string add(std::string word) {
    seen_ += "; " + word;
    return seen_;
  }
  void validate_add(const std::string& word) const {
    if (word == "bad SECRET")
      throw chimera::ApplicationError("refused", {.details = chimera::details("why SECRET", 2)});
  }

 private:
  std::string seen_, word_;
};

const auto kNative = chimera::define_workflow<&Native::run>("Native")
                         .signal<&Native::say>("say")
                         .query<&Native::seen>("seen")
                         .update<&Native::add, &Native::validate_add>("add");

// Runs activities of both languages without leaving the process.
class NativeLocally {
 public:
  std::string run(std::string text) {
    const chimera::LocalActivityOptions options{.start_to_close_timeout = 10s};
    auto python = workflow::start_local_activity<std::string>("upper_python", options, text);
    auto native = workflow::start_local_activity<&upper_native>(options, text);
    std::string seen = python.get() + "; " + native.get();
    try {
      workflow::execute_local_activity<void>("fail_python", options, text);
    } catch (const chimera::ApplicationError& error) {
      seen += "; " + error.type() + ": " + error.message() + ", " +
              error.details().get<std::string>() + ", " +
              std::to_string(error.details().get<int>(1));
    }
    return seen;
  }
};

const auto kNativeLocally = chimera::define_workflow<&NativeLocally::run>("NativeLocally");

}  // namespace

CHIMERA_LIBRARY(library) {
  library.add(kNative)
      .add(kNativeLocally)
      .add_activity<&upper_native>("upper_native")
      .add_activity<&beat_native>("beat_native")
      .add_activity<&fail_native>("fail_native");
}
