#include "kindred/extract.h"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "application/extractor_parts.h"
#include "application/plugins.h"
#include "system/version.h"

namespace kindred {
namespace {

std::unique_ptr<application::ExtractorParts> parts_of(const ExtractorOptions& options) {
  auto plugins =
      std::make_shared<const plugin::LoadedPlugins>(application::load_plugins(options.plugin_folders));
  auto notes = application::refusals(*plugins);
  return std::make_unique<application::ExtractorParts>(
      options, std::shared_ptr<const Catalog>(plugins, &plugins->catalog), std::move(notes));
}

}  // namespace

std::string version() {
  return system::kindred_version;
}

Extractor::Extractor(const ExtractorOptions& options) : parts_(parts_of(options)) {}
Extractor::Extractor(std::unique_ptr<application::ExtractorParts> parts) : parts_(std::move(parts)) {}
Extractor::Extractor(Extractor&& other) noexcept = default;
Extractor& Extractor::operator=(Extractor&& other) noexcept = default;
Extractor::~Extractor() = default;

cv::Mat Extractor::extract(std::span<const cv::Mat> crops, std::span<const CropOrigin> origins) const {
  return parts_->extract(crops, origins);
}

int Extractor::dim() const {
  return static_cast<int>(parts_->dim());
}

cv::Size Extractor::image_size() const {
  return parts_->image_size();
}

bool Extractor::needs_cameras() const {
  return parts_->model().side_information().cameras && parts_->model().side_information().refuses_unknown;
}

bool Extractor::needs_views() const {
  return parts_->model().side_information().views && parts_->model().side_information().refuses_unknown;
}

const std::string& Extractor::model_id() const {
  return parts_->model_id();
}

const std::vector<std::string>& Extractor::notes() const {
  return parts_->notes();
}

}  // namespace kindred
