// Whole histories as a judge: what each case made of its workflows, every attribute of every event,
// beside what the genuine servers made of the same case. Times and ids are masked.
#ifndef CHIMERA_TESTS_CONFORMANCE_RECORDING_H_
#define CHIMERA_TESTS_CONFORMANCE_RECORDING_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/api.h"

namespace chimera::conformance {

// A line for each event of a case's runs, one before each run and some behind it, of its answer to
// describe; the words that `own` gives are
// masked first.
class Masked {
 public:
  explicit Masked(std::vector<std::pair<std::string, std::string>> own) : own_(std::move(own)) {}
  void add(const std::string& workflow_id, const api::history::v1::History& history);
  // And what describes its run.
  void add(const api::workflowservice::v1::DescribeWorkflowExecutionResponse& described);
  // Of very many, the first and the last.
  std::vector<std::string> lines() const;

 private:
  std::string mask(std::string text);

  std::vector<std::pair<std::string, std::string>> own_;
  std::vector<std::string> ids_;  // By their numbers.
  std::vector<std::string> lines_;
};

// What is kept of the genuine servers: by server and case the ways in which it went. A case that
// goes several ways has several. CHIMERA_RECORD_HISTORIES in the environment names the file to
// which they are added instead of being compared.
//
// Empty: as one of them, or nothing is known of the case, or what differs is known to differ.
std::string difference_from_genuine(const std::string& test, const std::vector<std::string>& lines);
bool records();
void record(const std::string& test, const std::vector<std::string>& lines);

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_RECORDING_H_
