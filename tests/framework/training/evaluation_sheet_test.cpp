#include "training/evaluation_sheet.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "made_dataset.h"
#include "results/sheet_drawing.h"

namespace kindred::test {
namespace {

constexpr int row_height = 172;

/// The color of the frame of an image of a sheet; 0: the query.
cv::Scalar frame_of(const cv::Mat& sheet, int row, int rank) {
  const auto pixel = sheet.at<cv::Vec3b>(8 + row * row_height + 67, (rank == 0 ? 8 : 16 + 98 * rank) + 1);
  return {static_cast<double>(pixel[0]), static_cast<double>(pixel[1]), static_cast<double>(pixel[2])};
}

/// Queries 0, 1, ... of their identity, on camera 1; the gallery has of each an image on both cameras.
struct Searched {
  MadeDataset dataset;
  file::Features query;
  file::Features gallery;
  results::Evaluation evaluation;

  explicit Searched(int identities) {
    evaluation.cameras_known = true;
    std::vector<torch::Tensor> of_query;
    std::vector<torch::Tensor> of_gallery;
    for (int i = 0; i < identities; ++i) {
      const auto direction = torch::one_hot(torch::tensor(i), identities).to(torch::kFloat32);
      add(query, of_query, "q" + std::to_string(i), i, 1, Split::query, direction);
      add(gallery, of_gallery, "same" + std::to_string(i), i, 1, Split::gallery, direction);
      add(gallery, of_gallery, "other" + std::to_string(i), i, 2, Split::gallery, direction + 0.1);
      evaluation.per_query.queries.push_back({"q" + std::to_string(i), i, 1, i == 0 ? 0 : 1});
    }
    query.descriptors = torch::stack(of_query);
    gallery.descriptors = torch::stack(of_gallery);
  }

  void add(file::Features& features, std::vector<torch::Tensor>& rows, const std::string& path,
           std::int64_t identity, std::int64_t camera, Split split, const torch::Tensor& row) {
    dataset.add(path, identity, camera, split);
    features.samples.push_back(dataset.samples().back());
    rows.push_back(row);
  }

  [[nodiscard]] cv::Mat draw() const {
    return training::draw_evaluation_sheet(query, gallery, evaluation, dataset);
  }
};

TEST_CASE("the sheet has six judged queries, and what the evaluation counts") {
  const auto sheet = Searched(20).draw();
  CHECK(sheet.rows == 8 + 6 * row_height);
  for (int row = 0; row < 6; ++row) {
    CHECK(frame_of(sheet, row, 0) == results::sheet_blue);
    // The image of the query's own camera would be first.
    CHECK(frame_of(sheet, row, 1) == results::sheet_green);
    for (int rank = 2; rank <= 10; ++rank) CHECK(frame_of(sheet, row, rank) == results::sheet_red);
  }
}

TEST_CASE("queries that were not judged are not shown, and none gives no sheet") {
  CHECK(Searched(3).draw().rows == 8 + 2 * row_height);
  CHECK(Searched(1).draw().empty());
}

TEST_CASE("an image that cannot be read is a gray box") {
  Searched searched(2);
  auto& sample = searched.gallery.samples[3];  // the right one of the judged query
  REQUIRE(sample.identity == 1);
  sample.path = "gone";
  const auto sheet = searched.draw();
  CHECK(frame_of(sheet, 0, 1) == results::sheet_green);
  CHECK(sheet.at<cv::Vec3b>(20, 16 + 98 + 30) == cv::Vec3b(225, 225, 225));
}

}  // namespace
}  // namespace kindred::test
