#include "stage/stage.h"

namespace kindred::stage {

Stage::~Stage() = default;

void Stage::link(const std::function<const Stage&(const std::string&)>&) {}

std::vector<StageData> Stage::data() const {
  return {};
}

std::vector<recipe::NamedFile> Stage::files() const {
  return {};
}

void Stage::check_on(torch::Device) const {}

std::optional<training::Extension> Stage::extension(const Value&, const std::filesystem::path&) const {
  return std::nullopt;
}

bool Stage::is_worth_keeping(const std::filesystem::path&) const {
  return false;
}

}  // namespace kindred::stage
