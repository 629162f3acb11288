// A program of its own, as it has another operator new.
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "kindred/search.h"
#include "made_entries.h"
#include "temporary_folder.h"

namespace {

/// Memory of just this size is refused.
std::atomic<std::size_t> refused_bytes = 0;

}  // namespace

void* operator new(std::size_t bytes) {
  void* memory = bytes != 0 && bytes == refused_bytes ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}

using namespace kindred;
using namespace kindred::test;

namespace {

constexpr int dim = 1 << 20;
/// In which descriptors are held (memory_rows.cpp): four of these.
constexpr std::size_t piece_bytes = 16 << 20;

/// Unit vectors.
cv::Mat rows_from(int first, int count) {
  cv::Mat rows = cv::Mat::zeros(count, dim, CV_32F);
  for (int i = 0; i < count; ++i) rows.at<float>(i, first + i) = 1;
  return rows;
}

}  // namespace

TEST_CASE("an addition for which there is no memory leaves the gallery as it was, and its log") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    const TemporaryFolder folder;
    const auto log = folder / "gallery/gallery.log";
    auto gallery = on_disk ? Gallery::create(folder / "gallery", dim) : Gallery(dim);
    gallery.add(made_ids(0, 3), rows_from(0, 3));
    const auto size = on_disk ? std::filesystem::file_size(log) : 0;
    // The first of three more has room beside those that are there.
    refused_bytes = piece_bytes;
    CHECK_THROWS_AS(gallery.add(made_ids(3, 3), rows_from(3, 3)), std::bad_alloc);
    refused_bytes = 0;
    CHECK(gallery.ids() == made_ids(0, 3));
    CHECK(!gallery.contains("id3"));
    if (on_disk) CHECK(std::filesystem::file_size(log) == size);
    gallery.add(made_ids(3, 3), rows_from(3, 3));
    CHECK(gallery.size() == 6);
    for (int i = 0; i < 6; ++i) {
      CHECK(gallery.search(rows_from(i, 1), {.top = 1})[0][0].id == "id" + std::to_string(i));
    }
  }
}

TEST_CASE("compacting a gallery needs no memory for its descriptors once more") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    const TemporaryFolder folder;
    auto gallery = on_disk ? Gallery::create(folder / "gallery", dim) : Gallery(dim);
    gallery.add(made_ids(0, 6), rows_from(0, 6));
    for (const auto* id : {"id0", "id2"}) CHECK(gallery.remove(id));
    refused_bytes = piece_bytes;
    CHECK_NOTHROW(gallery.compact());
    refused_bytes = 0;
    CHECK(gallery.ids() == std::vector<std::string>{"id1", "id3", "id4", "id5"});
    gallery.add("id6", rows_from(6, 1));
    for (const int i : {1, 3, 4, 5, 6}) {
      const auto id = "id" + std::to_string(i);
      CHECK(gallery.search(rows_from(i, 1), {.top = 1})[0][0].id == id);
      CHECK(cv::norm(gallery.descriptor(id), rows_from(i, 1), cv::NORM_INF) == 0);
    }
    CHECK_FALSE(gallery.contains("id2"));
    if (on_disk) {
      gallery = Gallery(dim);
      CHECK(Gallery::open(folder / "gallery").ids() ==
            std::vector<std::string>{"id1", "id3", "id4", "id5", "id6"});
    }
  }
}
