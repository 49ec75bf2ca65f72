// A session on a server of its own, which the test may kill and start again on its file.
#ifndef CHIMERA_TESTS_CONFORMANCE_OWN_SERVER_H_
#define CHIMERA_TESTS_CONFORMANCE_OWN_SERVER_H_

#include <memory>

#include "absl/time/clock.h"
#include <gtest/gtest.h>

#include "tests/conformance/target.h"

namespace chimera::conformance {

// Of a session's class. A server of --address is not ours to kill; 1.32 finds no matching service
// for minutes when it starts again on its file.
template <class Base>
class OnOwnServer : public Base {
 protected:
  void SetUp() override {
    if (target().foreign) GTEST_SKIP() << "a server of --address is not ours to kill";
    if (this->server_is("1.32"))
      GTEST_SKIP() << "started again on its file, it finds no matching service for minutes";
    server_ = std::make_unique<OwnServer>();
  }
  void TearDown() override {
    Base::TearDown();
    server_ = nullptr;
  }
  void die_and_come_back(absl::Duration gone = absl::ZeroDuration()) {
    server_->kill();
    absl::SleepFor(gone);
    server_->restart();
  }

 private:
  std::unique_ptr<OwnServer> server_;
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_OWN_SERVER_H_
