#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "application/gallery_log.h"
#include "application/gallery_parts.h"
#include "application/plugins.h"
#include "application/rows.h"
#include "kindred/search.h"

namespace kindred {

using application::GalleryParts;

Gallery::Gallery(int dim, std::string model)
    : parts_(std::make_unique<GalleryParts>(dim, std::move(model))) {}
Gallery::Gallery(std::unique_ptr<GalleryParts> parts) : parts_(std::move(parts)) {}
Gallery::Gallery(Gallery&& other) noexcept = default;
Gallery& Gallery::operator=(Gallery&& other) noexcept = default;
Gallery::~Gallery() = default;

Gallery Gallery::create(const std::filesystem::path& folder, int dim, const std::string& model) {
  return Gallery(GalleryParts::create(folder, dim, model));
}

Gallery Gallery::open(const std::filesystem::path& folder, const GalleryOptions& options) {
  return Gallery(GalleryParts::open(folder, options));
}

bool Gallery::exists(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::is_regular_file(folder / application::gallery_log_name, error);
}

void Gallery::add(std::span<const std::string> ids, const cv::Mat& descriptors,
                  std::span<const EntryInfo> infos) {
  parts_->add(ids, application::tensor_of(descriptors, parts_->dim(), "descriptors"), infos);
}

void Gallery::add(const std::string& id, const cv::Mat& descriptor, const EntryInfo& info) {
  add(std::span(&id, 1), descriptor, std::span(&info, 1));
}

bool Gallery::remove(const std::string& id) {
  return parts_->remove(id);
}

std::vector<std::vector<Match>> Gallery::search(const cv::Mat& queries, const SearchOptions& options) const {
  return parts_->search(application::tensor_of(queries, parts_->dim(), "queries"), options);
}

std::int64_t Gallery::size() const {
  return parts_->size();
}

int Gallery::dim() const {
  return static_cast<int>(parts_->dim());
}

const std::string& Gallery::model() const {
  return parts_->model();
}

bool Gallery::contains(const std::string& id) const {
  return parts_->contains(id);
}

std::vector<std::string> Gallery::ids(std::int64_t first, std::int64_t count) const {
  return parts_->ids(first, count);
}

EntryInfo Gallery::info(const std::string& id) const {
  return parts_->info(id);
}

cv::Mat Gallery::descriptor(const std::string& id) const {
  return application::matrix_of(parts_->descriptor(id));
}

std::vector<std::int64_t> Gallery::cameras() const {
  return parts_->cameras();
}

std::vector<std::string> Gallery::notes() const {
  return parts_->notes();
}

void Gallery::flush() {
  parts_->flush();
}

void Gallery::compact() {
  parts_->compact();
}

void Gallery::save(const std::filesystem::path& folder) const {
  parts_->save(folder);
}

IndexReport Gallery::build_index(const IndexOptions& options) {
  const auto plugins =
      std::make_shared<const plugin::LoadedPlugins>(application::load_plugins(options.plugin_folders));
  return parts_->build_index(options, std::shared_ptr<const Catalog>(plugins, &plugins->catalog));
}

void Gallery::drop_index() {
  parts_->drop_index();
}

}  // namespace kindred
