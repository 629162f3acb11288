#include "pipeline/pipeline_stage.h"

namespace kindred::pipeline {

PipelineStage::~PipelineStage() = default;

void PipelineStage::link(const std::function<const PipelineStage&(const std::string&)>&) {}

std::optional<StageData> PipelineStage::data() const {
  return std::nullopt;
}

std::vector<std::filesystem::path> PipelineStage::files() const {
  return {};
}

}  // namespace kindred::pipeline
