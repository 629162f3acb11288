#include "data/open_choice.h"

#include <algorithm>
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

/// The dataset that knows the layout of `root` when that of the recipe does not; "" when none does.
std::string other_layout_of(const fs::path& root, const std::string& chosen, const Catalog& catalog) {
  const auto candidates = recognize(root, catalog);
  if (candidates.recognition < Recognition::likely) return "";
  const auto& surest = candidates.surest;
  const bool is_chosen =
      std::any_of(surest.begin(), surest.end(), [&](const Recognized& one) { return one.layout == chosen; });
  return is_chosen ? "" : surest.front().layout;
}

/// Of a dataset whose parameters may have changed hands: nothing is asked before something is wrong.
std::string advice_of(const recipe::Choice<Dataset>& choice, const Catalog& catalog) {
  for (const auto& root : recipe::locations_of(choice)) {
    const auto layout = other_layout_of(root, choice.factory->info().name, catalog);
    if (!layout.empty()) {
      return "; it is in the layout '" + layout +
             "': set dataset.type to that, as with --set dataset.type=" + layout;
    }
    const auto below = same_layout_below(choice, root);
    if (below.empty()) continue;
    return "; " + std::string(below.size() == 1 ? "this folder in it does: " : "these folders in it do: ") +
           text_of(below) + "; set dataset.root, or --data, to " + (below.size() == 1 ? "it" : "one of them");
  }
  return "";
}

class AdvisedDataset final : public Dataset {
 public:
  AdvisedDataset(const recipe::Choice<Dataset>& choice, const Catalog& catalog)
      : choice_(choice), catalog_(catalog), dataset_(choice.create({})) {}

  [[nodiscard]] std::vector<Sample> samples() const override {
    try {
      return dataset_->samples();
    } catch (const DataError& error) {
      const auto advice = advice_of(choice_, catalog_);
      if (advice.empty()) throw;
      throw with_addition(error, advice);
    }
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override { return dataset_->image(sample); }
  [[nodiscard]] Recognition recognize() const override { return dataset_->recognize(); }

 private:
  recipe::Choice<Dataset> choice_;
  const Catalog& catalog_;
  std::unique_ptr<Dataset> dataset_;
};

}  // namespace

std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice, const Catalog& catalog) {
  return std::make_unique<AdvisedDataset>(choice, catalog);
}

DataError with_addition(const DataError& error, const std::string& addition) {
  const std::string text = error.what();
  const auto prefix = error.file().string() + ": error: ";
  // A line's number is part of what is wrong.
  return text.starts_with(prefix) ? DataError(error.file(), text.substr(prefix.size()) + addition)
                                  : DataError(error.file(), text + addition);
}

}  // namespace kindred::data
