#include "data/open_choice.h"

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "data/recognition.h"
#include "kindred/core/value.h"
#include "recipe/affects.h"
#include "recipe/guarded.h"

namespace kindred::data {
namespace {

namespace fs = std::filesystem;

/// The folders in `root` that the dataset would rather have, with its other parameters as they are.
std::vector<Below> same_layout_below(const recipe::Choice<Dataset>& choice, const fs::path& root) {
  std::vector<Below> found;
  for (const auto& folder : folders_in(root)) {
    auto table = choice.factory->write(choice.params.get());
    table.as<Table>()->set("root", Value(folder.string()));
    Diagnostics diagnostics;
    const auto params = choice.factory->parse(table, diagnostics, {});
    if (!diagnostics.empty()) return {};
    const auto& info = choice.factory->info();
    const auto dataset = recipe::guard(
        recipe::guarded(info.subject(), [&] { return choice.factory->create(params.get(), {}); }), info);
    if (dataset->recognize() >= Recognition::likely) found.push_back({folder, info.name});
  }
  return found;
}

/// Of a dataset whose parameters may have changed hands: nothing is asked before something is wrong.
std::string advice_of(const recipe::Choice<Dataset>& choice) {
  for (const auto& root : recipe::locations_of(choice)) {
    const auto below = same_layout_below(choice, root);
    if (below.empty()) continue;
    return "; " + std::string(below.size() == 1 ? "this folder in it does: " : "these folders in it do: ") +
           text_of(below) + "; set dataset.root, or --data, to " + (below.size() == 1 ? "it" : "one of them");
  }
  return "";
}

class AdvisedDataset final : public Dataset {
 public:
  explicit AdvisedDataset(const recipe::Choice<Dataset>& choice)
      : choice_(choice), dataset_(choice.create({})) {}

  [[nodiscard]] std::vector<Sample> samples() const override {
    try {
      return dataset_->samples();
    } catch (const DataError& error) {
      const auto advice = advice_of(choice_);
      if (advice.empty()) throw;
      throw with_addition(error, advice);
    }
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override { return dataset_->image(sample); }
  [[nodiscard]] Recognition recognize() const override { return dataset_->recognize(); }

 private:
  recipe::Choice<Dataset> choice_;
  std::unique_ptr<Dataset> dataset_;
};

}  // namespace

std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice) {
  return std::make_unique<AdvisedDataset>(choice);
}

DataError with_addition(const DataError& error, const std::string& addition) {
  const std::string text = error.what();
  const auto prefix = error.file().string() + ": error: ";
  // A line's number is part of what is wrong.
  return text.starts_with(prefix) ? DataError(error.file(), text.substr(prefix.size()) + addition)
                                  : DataError(error.file(), text + addition);
}

}  // namespace kindred::data
