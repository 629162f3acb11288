#include "search.h"

#include <pybind11/stl.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "inference/equal_descriptors.h"
#include "kindred/core/sample.h"
#include "plugins.h"
#include "progress/meter.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "ranking/post_processing.h"
#include "ranking/ranking.h"
#include "ranking/same_images.h"
#include "recipe/plan.h"
#include "results/evaluation.h"
#include "results/evaluation_text.h"
#include "system/device.h"
#include "values.h"
#include "work.h"

namespace kindred::python {
namespace {

namespace py = pybind11;

/// 64 MB of distances, between which the user can interrupt.
constexpr std::int64_t block_elements = std::int64_t{16} << 20;

constexpr const char* query_name = "query_features";
constexpr const char* gallery_name = "gallery_features";

/// What Python says of the images of one side: "identities", and maybe "cameras", "clothes" and "names".
class Labels {
 public:
  /// @param side "query" or "gallery", which errors call images without a name
  Labels(const py::dict& columns, const std::string& side)
      : side_(side), identities_(column(columns, "identities").value()) {
    cameras_ = column(columns, "cameras");
    clothes_ = column(columns, "clothes");
    if (columns.contains("names")) names_ = columns["names"].cast<std::vector<std::string>>();
  }

  [[nodiscard]] std::vector<Sample> samples(Split split) const {
    std::vector<Sample> samples(identities_.values().size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      auto& sample = samples[i];
      sample.path = names_ ? names_->at(i) : side_ + "[" + std::to_string(i) + "]";
      sample.identity = identities_.values()[i];
      if (cameras_) sample.camera = std::max(cameras_->values()[i], unknown_camera);
      if (clothes_) sample.clothes = std::max(clothes_->values()[i], unknown_clothes);
      sample.split = split;
    }
    return samples;
  }

 private:
  static std::optional<Numbers> column(const py::dict& columns, const char* name) {
    if (!columns.contains(name)) return std::nullopt;
    return std::optional<Numbers>(std::in_place, columns[name].cast<py::buffer>(), name);
  }

  std::string side_;
  Numbers identities_;
  std::optional<Numbers> cameras_;
  std::optional<Numbers> clothes_;
  std::optional<std::vector<std::string>> names_;
};

std::vector<Sample> unlabeled(std::int64_t count, Split split) {
  std::vector<Sample> samples(static_cast<std::size_t>(count));
  for (auto& sample : samples) sample.split = split;
  return samples;
}

py::dict columns_of(std::vector<MetricColumn>&& columns) {
  py::dict result;
  for (auto& column : columns) result[py::str(column.name)] = Array(std::move(column.values));
  return result;
}

/// What `kindred.Evaluation` is made from.
py::dict evaluation_of(results::Evaluation&& evaluation) {
  // First: what follows moves the values out.
  py::dict result;
  result["text"] = results::evaluation_text(evaluation);
  py::dict figures;
  py::dict cautions;
  for (const auto& figure : evaluation.figures) {
    figures[py::str(figure.info.name)] = figure.value;
    if (!figure.caution.empty()) cautions[py::str(figure.info.name)] = figure.caution;
  }
  py::dict tables;
  for (auto& table : evaluation.tables) tables[py::str(table.name)] = columns_of(std::move(table.columns));
  result["figures"] = figures;
  result["cautions"] = cautions;
  result["tables"] = tables;
  std::vector<double> matches;
  for (const auto& query : evaluation.per_query.queries) {
    matches.push_back(static_cast<double>(query.matches));
  }
  auto per_query = columns_of(std::move(evaluation.per_query.columns));
  per_query["matches"] = Array(std::move(matches));
  result["per_query"] = per_query;
  result["queries"] = evaluation.queries;
  result["valid_queries"] = evaluation.valid_queries;
  result["gallery"] = evaluation.gallery;
  result["distractors"] = evaluation.distractors;
  result["junk"] = evaluation.junk;
  result["positive_pairs"] = evaluation.positive_pairs;
  result["negative_pairs"] = evaluation.negative_pairs;
  result["cameras_known"] = evaluation.cameras_known;
  result["note"] = evaluation.note;
  return result;
}

/// Descriptors of both sides as one search: a copy, because post-processors change them.
ranking::SearchInput search_input(const torch::Tensor& query, const torch::Tensor& gallery,
                                  std::vector<Sample> query_samples, std::vector<Sample> gallery_samples) {
  ranking::SearchInput input{torch::cat({query, gallery}), std::move(query_samples),
                             std::move(gallery_samples), query_name, gallery_name};
  input.same_images = ranking::same_images(input.query, query, input.gallery, gallery);
  return input;
}

void warn_of_equal_descriptors(const Matrix& queries, const Matrix& images,
                               progress::ProgressSink& progress) {
  inference::warn_of_equal_descriptors(queries.tensor(), "query", progress);
  inference::warn_of_equal_descriptors(images.tensor(), "gallery", progress);
}

/// What everybody is told who evaluates.
results::Evaluation told(results::Evaluation evaluation, progress::ProgressSink& progress) {
  ranking::warn_of_nobody_else(evaluation, progress);
  return evaluation;
}

py::dict evaluate(const py::buffer& query, const py::buffer& gallery, const py::dict& query_labels,
                  const py::dict& gallery_labels, const py::dict& settings) {
  const Matrix queries(query, query_name);
  const Matrix images(gallery, gallery_name);
  const Labels of_query(query_labels, "query");
  const Labels of_gallery(gallery_labels, "gallery");
  const auto recipe = recipe_value(settings, "kindred.evaluate()");
  return evaluation_of(carry_out([&](progress::ProgressSink& progress) {
    const Alone alone;
    const torch::NoGradGuard no_gradients;
    const auto plan = recipe::choose_ranking(recipe, catalog());
    const auto device = system::resolve_device(plan.machine.device);
    auto query_samples = of_query.samples(Split::query);
    auto gallery_samples = of_gallery.samples(Split::gallery);
    warn_of_equal_descriptors(queries, images, progress);
    if (plan.post_processed()) {
      return told(ranking::evaluate_search(search_input(queries.tensor(), images.tensor(),
                                                        std::move(query_samples), std::move(gallery_samples)),
                                           plan, device, progress),
                  progress);
    }
    return told(ranking::evaluate_features({queries.tensor(), std::move(query_samples)},
                                           {images.tensor(), std::move(gallery_samples)}, plan, progress,
                                           query_name, gallery_name, device),
                progress);
  }));
}

py::dict evaluate_distances(const py::buffer& distances, const py::dict& query_labels,
                            const py::dict& gallery_labels, const py::dict& settings) {
  const Matrix rows(distances, "distances");
  const Labels of_query(query_labels, "query");
  const Labels of_gallery(gallery_labels, "gallery");
  const auto recipe = recipe_value(settings, "kindred.evaluate_distances()");
  return evaluation_of(carry_out([&](progress::ProgressSink& progress) {
    const Alone alone;
    const auto plan = recipe::choose_ranking(recipe, catalog());
    ranking::SearchInput input;
    input.query = of_query.samples(Split::query);
    input.gallery = of_gallery.samples(Split::gallery);
    input.query_file = "distances";
    return told(
        ranking::evaluate_distances(
            input, [&](std::int64_t first, std::int64_t last) { return rows.tensor().slice(0, first, last); },
            plan, progress),
        progress);
  }));
}

void post_process(const py::buffer& query, const py::buffer& gallery, const py::buffer& out,
                  const py::dict& settings, const std::string& origin) {
  const Matrix queries(query, query_name);
  const Matrix images(gallery, gallery_name);
  OutputMatrix result(out, "out");
  if (result.tensor().size(0) != queries.tensor().size(0) ||
      result.tensor().size(1) != images.tensor().size(0)) {
    throw py::value_error("out must have a row for each query and a column for each gallery image");
  }
  const auto recipe = recipe_value(settings, origin);
  carry_out([&](progress::ProgressSink& progress) {
    const Alone alone;
    const torch::NoGradGuard no_gradients;
    const auto plan = recipe::choose_ranking(recipe, catalog());
    const auto count = queries.tensor().size(0);
    const auto size = images.tensor().size(0);
    auto input = search_input(queries.tensor(), images.tensor(), unlabeled(count, Split::query),
                              unlabeled(size, Split::gallery));
    const auto distances =
        ranking::post_process(plan, input, system::resolve_device(plan.machine.device), progress);
    progress::Meter meter(progress, "distances", count);
    const auto rows = std::max<std::int64_t>(1, block_elements / size);
    for (std::int64_t first = 0; first < count; first += rows) {
      const auto last = std::min(first + rows, count);
      result.tensor().slice(0, first, last).copy_(distances(first, last));
      meter.update(last);
    }
    return true;
  });
}

std::pair<Array, Array> match(const py::buffer& query, const py::buffer& gallery, std::int64_t top,
                              const py::dict& settings) {
  const Matrix queries(query, query_name);
  const Matrix images(gallery, gallery_name);
  const auto recipe = recipe_value(settings, "kindred.match()");
  auto found = carry_out([&](progress::ProgressSink& progress) {
    const Alone alone;
    const torch::NoGradGuard no_gradients;
    const auto plan = recipe::choose_ranking(recipe, catalog());
    const auto device = system::resolve_device(plan.machine.device);
    const auto count = queries.tensor().size(0);
    const auto size = images.tensor().size(0);
    warn_of_equal_descriptors(queries, images, progress);
    ranking::RankingOptions options;
    options.top = top;
    options.query_name = query_name;
    options.gallery_name = gallery_name;
    progress::Meter meter(progress, "match", plan.post_processed() || !device.is_cpu() ? count : size);
    options.progress = [&](std::int64_t done) { meter.update(done); };
    auto ranking = [&] {
      if (plan.post_processed()) {
        auto input = search_input(queries.tensor(), images.tensor(), unlabeled(count, Split::query),
                                  unlabeled(size, Split::gallery));
        const auto distances = ranking::post_process(plan, input, device, progress);
        return ranking::rank_by_distances(distances, count, size, options);
      }
      if (device.is_cpu()) return ranking::rank_gallery(queries.tensor(), images.tensor(), options);
      return ranking::rank_by_distances(
          ranking::cosine_distances(queries.tensor(), images.tensor(), query_name, gallery_name, device),
          count, size, options);
    }();
    ranking.similarities = ranking.similarities.neg_().add_(1);
    return ranking;
  });
  return {Array(found.images), Array(found.similarities)};
}

}  // namespace

void add_search(py::module_& module) {
  module.def("evaluate", &evaluate, py::arg("query"), py::arg("gallery"), py::arg("query_labels"),
             py::arg("gallery_labels"), py::arg("settings"));
  module.def("evaluate_distances", &evaluate_distances, py::arg("distances"), py::arg("query_labels"),
             py::arg("gallery_labels"), py::arg("settings"));
  module.def("post_process", &post_process, py::arg("query"), py::arg("gallery"), py::arg("out"),
             py::arg("settings"), py::arg("origin"));
  module.def("match", &match, py::arg("query"), py::arg("gallery"), py::arg("top"), py::arg("settings"));
}

}  // namespace kindred::python
