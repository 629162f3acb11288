// A program that adds to a gallery on disk, for tools/faults.py: it goes on where it was stopped, and
// whatever it has been through, the gallery is the same in the end.
//   gallery_additions FOLDER
// Exit code: 0 done, 1 an error, 4 the gallery was not as the error left it to be.
#include <cmath>
#include <cstdint>
#include <iostream>
#include <opencv2/core/mat.hpp>
#include <string>

#include "kindred/core/error.h"
#include "kindred/search.h"

namespace {

constexpr int dim = 32;
constexpr std::int64_t entries = 24;
/// Is added and removed again.
const std::string passing = "passing";

cv::Mat descriptor_of(std::int64_t number) {
  cv::Mat row(1, dim, CV_32F);
  for (int i = 0; i < dim; ++i) row.at<float>(i) = std::sin(static_cast<float>(number * dim + i + 1));
  return row;
}

kindred::Gallery opened(const std::string& folder) {
  return kindred::Gallery::exists(folder) ? kindred::Gallery::open(folder)
                                          : kindred::Gallery::create(folder, dim, "model");
}

void add(kindred::Gallery& gallery, const std::string& id, const cv::Mat& descriptor) {
  if (gallery.contains(id)) return;
  const auto before = gallery.size();
  try {
    gallery.add(id, descriptor, {});
  } catch (const kindred::Error&) {
    if (gallery.contains(id) || gallery.size() != before)
      throw std::string("it has '" + id + "' although that failed");
    throw;
  }
  if (gallery.search(descriptor, {}).at(0).at(0).id != id) throw std::string("it does not find '" + id + "'");
}

void fill(const std::string& folder) {
  auto gallery = opened(folder);
  for (std::int64_t i = 0; i < entries; ++i) {
    if (i == entries / 2) {
      add(gallery, passing, descriptor_of(-1));
      gallery.remove(passing);
    }
    add(gallery, "entry " + std::to_string(i), descriptor_of(i));
    if (i % 8 == 7) gallery.flush();
  }
  gallery.remove(passing);
  gallery.compact();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: gallery_additions FOLDER\n";
    return 2;
  }
  try {
    fill(argv[1]);
  } catch (const kindred::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  } catch (const std::string& broken) {
    std::cerr << "broken: " << broken << '\n';
    return 4;
  }
  return 0;
}
