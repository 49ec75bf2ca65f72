// The pipeline: its steps are activities that a caller names at run time, in whatever language they
// are written. The workflow hands their values on without knowing the types.
#ifndef CHIMERA_SAMPLES_CPP_PIPELINE_PIPELINE_H_
#define CHIMERA_SAMPLES_CPP_PIPELINE_PIPELINE_H_

#include <map>
#include <string>
#include <vector>

#include "chimera/workflow.h"

namespace pipeline {

struct Step {
  std::string name;                             // Of an activity.
  std::map<std::string, std::string> settings;  // Its second argument, if there are any.
  bool local = false;  // Run inside the workflow task: for short steps of this program.
  double timeout_seconds = 10;
  int attempts = 3;
};
// Steps that run at the same time, on the same input. One step hands on its output, several a list
// of their outputs.
using Stage = std::vector<Step>;

class PipelineWorkflow {
 public:
  // A Payload is a value that nobody has read: it leaves as it came, whatever it is.
  chimera::Payload run(std::vector<Stage> stages, chimera::Payload input);
  std::string progress() const;

 private:
  chimera::Payload run_stage(const Stage& stage, const chimera::Payload& input);

  std::size_t stage_ = 0, stages_ = 0;
};

inline const auto kPipeline = chimera::define_workflow<&PipelineWorkflow::run>("Pipeline")
                                  .query<&PipelineWorkflow::progress>("progress");

}  // namespace pipeline

#endif  // CHIMERA_SAMPLES_CPP_PIPELINE_PIPELINE_H_
