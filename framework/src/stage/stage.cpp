#include "stage/stage.h"

namespace kindred::stage {

Stage::~Stage() = default;

void Stage::link(const std::function<const Stage&(const std::string&)>&) {}

std::optional<StageData> Stage::data() const {
  return std::nullopt;
}

std::vector<std::filesystem::path> Stage::files() const {
  return {};
}

}  // namespace kindred::stage
