// Galleries on disk.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "application/gallery_log.h"
#include "kindred/search.h"
#include "target/targets.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t head_size = 12;  // of a record: mark, size of the content, checksum

/// NaN is none.
void require_cosines(const std::vector<std::vector<Match>>& matches) {
  constexpr float most = 1 + 1e-5F;
  for (const auto& of_query : matches) {
    for (const auto& match : of_query) {
      require(match.similarity >= -most && match.similarity <= most, "a similarity is no cosine");
    }
  }
}

/// All that a gallery holds, in its order.
std::string text_of(const Gallery& gallery) {
  std::string text;
  for (const auto& id : gallery.ids()) {
    const auto info = gallery.info(id);
    const auto row = gallery.descriptor(id);
    require(row.cols == gallery.dim(), "a descriptor is of another length");
    text += id + '\0' + std::to_string(info.camera) + ' ' + (info.time ? std::to_string(*info.time) : "") +
            ' ' + info.label + '\0' + info.image + '\0' + std::string(row.datastart, row.dataend);
  }
  return text;
}

bool accepts_log(const std::string& bytes) {
  const FilesOnDisk disk({{application::gallery_log_name, bytes}});
  bool accepted = false;
  for (const bool skip_damaged : {false, true}) {
    std::optional<std::string> held;
    for (const bool in_memory : {true, false}) {
      const bool opened = passes([&] {
        const auto gallery = Gallery::open(
            disk.folder(), {.read_only = true, .in_memory = in_memory, .skip_damaged = skip_damaged});
        const auto ids = gallery.ids();
        require(static_cast<std::int64_t>(ids.size()) == gallery.size(),
                "a gallery has other ids than entries");
        for (const auto& id : ids) {
          require(gallery.contains(id), "a gallery does not contain one of its ids");
        }
        const auto text = text_of(gallery);
        require(!held || *held == text, "a gallery holds something else in memory than on disk");
        held = text;
        static_cast<void>(gallery.cameras());
        const cv::Mat query(1, gallery.dim(), CV_32F, cv::Scalar(1));
        require_cosines(gallery.search(query, {.top = 3}));
        require_cosines(gallery.search(query, {.top = 3, .cameras = {1}, .from = 0}));
      });
      accepted |= opened && !skip_damaged;
    }
  }
  // For changes: what was never finished is cut off, and what is added afterwards is there.
  const bool changed = passes([&] {
    std::string held;
    {
      auto gallery = Gallery::open(disk.folder());
      const auto before = text_of(gallery);
      const bool known = gallery.contains("a new id");
      gallery.add("a new id", cv::Mat(1, gallery.dim(), CV_32F, cv::Scalar(1)));
      require(!known, "an id is added twice");
      held = text_of(gallery);
      require(held.starts_with(before), "what is added changes what was there");
      gallery.compact();
    }
    require(text_of(Gallery::open(disk.folder(), {.read_only = true})) == held,
            "a gallery that was written again is another one");
  });
  return accepted && changed;
}

/// The same with the checksums of all records set right.
bool accepts_records(const std::string& bytes) {
  auto log = bytes;
  for (std::size_t at = 0; at + head_size <= log.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, log.data() + at + 4, sizeof size);
    size = static_cast<std::uint32_t>(std::min<std::size_t>(size, log.size() - at - head_size));
    std::memcpy(log.data() + at, "KGR1", 4);
    std::memcpy(log.data() + at + 4, &size, sizeof size);
    auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(&size), sizeof size);
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(log.data() + at + head_size), size);
    const auto checksum = static_cast<std::uint32_t>(sum);
    std::memcpy(log.data() + at + 8, &checksum, sizeof checksum);
    at += head_size + size;
  }
  return accepts_log(log);
}

std::vector<std::string> log_seeds() {
  constexpr std::int64_t dim = 3;
  const float rows[][dim] = {{1, 0, 0}, {0, 1, 0}, {0.6F, 0.8F, 0}};
  auto log = application::begin_record(dim, "a model");
  application::append_add_record(log, "a", {.camera = 1, .time = 5, .label = "Bea", .image = "a.png"},
                                 rows[0], dim);
  application::append_add_record(log, "b", {}, rows[1], dim);
  log += application::remove_record("a");
  application::append_add_record(log, "a", {.camera = 2}, rows[2], dim);
  return {application::begin_record(1, ""), log};
}

}  // namespace

void add_gallery_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"gallery_log", accepts_log, log_seeds});
  targets.push_back({"gallery_records", accepts_records, log_seeds});
}

}  // namespace kindred::fuzz
