// That no language forgets an option: the list has the fields of the core's struct, and what the
// C++ SDK offers the core has, too.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "chimera/reflect.h"
#include "chimera/worker.h"
#include "core/worker/options.h"

namespace chimera {
namespace {

template <class Options>
std::set<std::string> fields() {
  std::set<std::string> names;
  for (const auto& name : reflect::kMemberNames<Options>) {
    std::string text(name);
    if (text.ends_with('_')) text.pop_back();
    names.insert(std::move(text));
  }
  return names;
}

TEST(WorkerOptionsTest, TheListHasEachField) {
  std::set<std::string> listed;
  core::WorkerOptions options;
  core::for_each_option(options, [&](const char* name, auto&) { listed.insert(name); });
  EXPECT_EQ(listed, fields<core::WorkerOptions>());
}

TEST(WorkerOptionsTest, WhatTheSdkOffersTheCoreHas) {
  const std::set<std::string> core = fields<core::WorkerOptions>();
  std::set<std::string> offered = fields<WorkerOptions>();
  // What belongs together here is side by side in the core.
  offered.erase("deployment");
  offered.merge(fields<WorkerDeploymentConfig>());
  offered.erase("version");
  offered.merge(fields<WorkerDeploymentVersion>());
  for (const std::string& name : offered) {
    if (name == "workflow_stack_bytes") continue;  // Of fibers, which are the SDK's.
    if (name == "interceptors") continue;          // Of its chains.
    EXPECT_TRUE(core.contains(name)) << name;
  }
}

}  // namespace
}  // namespace chimera
