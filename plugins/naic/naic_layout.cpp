#include "naic_layout.h"

#include <cstdint>
#include <map>
#include <sstream>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/text/sample_table.h"

namespace kindred::naic {

Schema<NaicLayout::Params> NaicLayout::schema() {
  return Schema<Params>(
      "Folders and training list of the NAIC competition, without cameras; labels of test images go into "
      "answers.csv.",
      "NAIC 2019, person re-identification");
}

NaicLayout::NaicLayout(const Params& /*params*/, const Context& /*context*/) {}

LayoutFiles NaicLayout::files(const std::vector<Sample>& samples, const std::string& ending) const {
  LayoutFiles files;
  std::string list;
  std::map<Split, std::int64_t> numbers;
  std::vector<Sample> test;
  bool labeled = false;
  for (const auto& sample : samples) {
    const auto name = zero_padded(++numbers[sample.split], 9) + '.' + ending;
    if (sample.split != Split::train) {
      files.images.push_back(std::string(split_name(sample.split)) + "_a/" + name);
      labeled = labeled || sample.identity != unlabeled_identity;
      test.push_back(sample);
      test.back().path = files.images.back();
      continue;
    }
    if (sample.identity < 0) {
      throw DataError(
          sample.path,
          "has no identity, but the training list of the layout 'naic' needs one; use the layout 'manifest'");
    }
    files.images.push_back("train/image/" + name);
    list += "train/" + name + ' ' + std::to_string(sample.identity) + '\n';
  }
  if (numbers.contains(Split::query) != numbers.contains(Split::gallery)) {
    throw DataError("layout 'naic'",
                    std::string("needs both queries and gallery or neither, but the data set has no ") +
                        (numbers.contains(Split::query) ? "gallery" : "queries"));
  }
  if (!list.empty()) files.lists.push_back({"train/label/train_list.txt", std::move(list)});
  if (labeled) {
    std::ostringstream answers;
    write_sample_table(answers, test);
    files.lists.push_back({"answers.csv", answers.str()});
  }
  return files;
}

}  // namespace kindred::naic
