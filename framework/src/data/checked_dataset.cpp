#include "data/checked_dataset.h"

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <utility>
#include <vector>

#include "data/recognition.h"
#include "kindred/core/value.h"
#include "kindred/text/text_file.h"
#include "recipe/affects.h"

namespace kindred::data {
namespace {

namespace fs = std::filesystem;

class CheckedDataset final : public Dataset {
 public:
  CheckedDataset(std::unique_ptr<Dataset> dataset, std::string component, std::function<std::string()> advice)
      : dataset_(std::move(dataset)), component_(std::move(component)), advice_(std::move(advice)) {}

  [[nodiscard]] std::vector<Sample> samples() const override {
    auto samples = listed();
    for (const auto& sample : samples) {
      const auto problem = problem_of(sample);
      if (!problem.empty())
        throw ComponentError(component_, "image '" + escaped(sample.path) + "' " + problem);
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override { return dataset_->image(sample); }
  [[nodiscard]] Recognition recognize() const override { return dataset_->recognize(); }

 private:
  [[nodiscard]] std::vector<Sample> listed() const {
    try {
      return dataset_->samples();
    } catch (const DataError& error) {
      const auto advice = advice_ ? advice_() : "";
      if (advice.empty()) throw;
      throw with_addition(error, advice);
    }
  }

  [[nodiscard]] static std::string problem_of(const Sample& sample) {
    const auto is_text = [](const std::string& text) {
      return is_utf8(text) && text.find('\0') == std::string::npos;
    };
    if (sample.path.empty()) return "has no path";
    if (!is_text(sample.path)) return "has a name that is not UTF-8; rename the file";
    if (!is_text(sample.domain)) return "has a domain that is not UTF-8: '" + escaped(sample.domain) + "'";
    if (sample.identity < unlabelled_identity) {
      return "has the identity " + std::to_string(sample.identity) +
             "; allowed are numbers from 0, -1 for junk and -2 for unlabeled";
    }
    if (sample.camera < unknown_camera) {
      return "has the camera " + std::to_string(sample.camera) +
             "; allowed are numbers from 0, and -1 for unknown";
    }
    return "";
  }

  std::unique_ptr<Dataset> dataset_;
  std::string component_;
  std::function<std::string()> advice_;
};

/// The folders in `root` that the dataset would rather have, with its other parameters as they are.
std::vector<Below> same_layout_below(const recipe::Choice<Dataset>& choice, const fs::path& root) {
  std::vector<Below> found;
  for (const auto& folder : folders_in(root)) {
    auto table = choice.factory->write(choice.params.get());
    table.as<Table>()->set("root", Value(folder.string()));
    Diagnostics diagnostics;
    const auto params = choice.factory->parse(table, diagnostics, {});
    if (!diagnostics.empty()) return {};
    if (choice.factory->create(params.get(), {})->recognize() < Recognition::likely) continue;
    found.push_back({folder, choice.factory->info().name});
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

}  // namespace

std::unique_ptr<Dataset> checked(std::unique_ptr<Dataset> dataset, std::string component,
                                 std::function<std::string()> advice) {
  return std::make_unique<CheckedDataset>(std::move(dataset), std::move(component), std::move(advice));
}

std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice) {
  return checked(choice.create({}), choice.factory->info().id(), [choice] { return advice_of(choice); });
}

DataError with_addition(const DataError& error, const std::string& addition) {
  const std::string text = error.what();
  const auto prefix = error.file().string() + ": error: ";
  // A line's number is part of what is wrong.
  return text.starts_with(prefix) ? DataError(error.file(), text.substr(prefix.size()) + addition)
                                  : DataError(error.file(), text + addition);
}

}  // namespace kindred::data
