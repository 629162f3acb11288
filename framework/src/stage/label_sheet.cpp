#include "stage/label_sheet.h"

#include <algorithm>
#include <cstdint>
#include <ios>
#include <map>
#include <opencv2/imgproc.hpp>
#include <ostream>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/image/pixel_limit_scope.h"
#include "data/each_image.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "ranking/label_quality.h"
#include "results/sheet_drawing.h"

namespace kindred::stage {
namespace {

constexpr std::size_t largest_rows = 6;
constexpr std::size_t other_rows = 6;
constexpr std::size_t images_a_row = 10;
constexpr std::size_t largest_file = 1000000;       // bytes
constexpr std::int64_t largest_image = 1073000000;  // pixels: what loader.max_megapixels can be

constexpr int margin = 8;
constexpr int frame = 3;
constexpr int text_width = 150;  // of the text in front of each row
constexpr int head_height = 50;
constexpr int caption_height = 16;

using results::draw_image;
using results::png_of;
using results::write_text;
const auto& black = results::sheet_black;
const auto& blue = results::sheet_blue;
const auto& gray = results::sheet_gray;
const auto& red = results::sheet_red;
const auto& white = results::sheet_white;

struct Shown {
  Sample sample;  ///< of the data set
  bool query = false;
  bool wrong = false;
  cv::Mat image;
};

struct Row {
  std::int64_t identity = 0;
  std::size_t images = 0;
  std::size_t wrong = 0;
  bool judged = false;  ///< somebody has said who is on some of the images
  std::vector<Shown> shown;
};

/// The labels of each identity, by identity.
using Groups = std::map<std::int64_t, std::vector<const Sample*>>;

/// Elements of a list, evenly spread from the first to the last; all when there are no more than `count`.
template <class T>
std::vector<T> spread(const std::vector<T>& all, std::size_t count) {
  if (all.size() <= count) return all;
  std::vector<T> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(all[count == 1 ? 0 : i * (all.size() - 1) / (count - 1)]);
  }
  return result;
}

/// The identities that are shown, in order.
std::vector<std::int64_t> chosen(const Groups& groups) {
  std::vector<std::int64_t> all;
  for (const auto& [identity, images] : groups) {
    if (images.size() > 1) all.push_back(identity);
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](std::int64_t a, std::int64_t b) { return groups.at(a).size() > groups.at(b).size(); });
  const auto largest = std::min(largest_rows, all.size());
  const auto others = spread(
      std::vector<std::int64_t>(all.begin() + static_cast<std::ptrdiff_t>(largest), all.end()), other_rows);
  all.resize(largest);
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

/// The person on most images, the lowest number of equally frequent ones; unknown_person when nobody is
/// known.
std::int64_t most_frequent(const std::vector<std::int64_t>& persons) {
  std::map<std::int64_t, std::int64_t> images;
  for (const auto person : persons) {
    if (person != ranking::unknown_person) ++images[person];
  }
  if (images.empty()) return ranking::unknown_person;
  return std::max_element(images.begin(), images.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

/// What the data set says of its images, by path.
class KnownImages {
 public:
  explicit KnownImages(const Dataset& dataset)
      : samples_(dataset.samples()), persons_(ranking::true_persons(samples_)) {
    for (std::size_t i = 0; i < samples_.size(); ++i) places_.emplace(samples_[i].path, i);
  }
  [[nodiscard]] const Sample& sample(const Sample& label) const { return samples_[place(label)]; }
  [[nodiscard]] std::int64_t person(const Sample& label) const { return persons_[place(label)]; }

 private:
  [[nodiscard]] std::size_t place(const Sample& label) const {
    const auto at = places_.find(label.path);
    if (at != places_.end()) return at->second;
    throw DataError(label.path,
                    "has a pseudo label, but is not in the data set; give the data set that was labeled");
  }
  std::vector<Sample> samples_;
  std::vector<std::int64_t> persons_;
  std::unordered_map<std::string, std::size_t> places_;
};

Row row_of(std::int64_t identity, const std::vector<const Sample*>& labels, const KnownImages& known) {
  std::vector<std::int64_t> persons;
  for (const auto* label : labels) persons.push_back(known.person(*label));
  const auto person = most_frequent(persons);
  Row row;
  row.identity = identity;
  row.images = labels.size();
  row.judged = person != ranking::unknown_person;
  std::vector<Shown> queries;
  std::vector<Shown> others;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool query = labels[i]->split == Split::query;
    const bool wrong = persons[i] != ranking::unknown_person && persons[i] != person;
    row.wrong += wrong ? 1 : 0;
    (query ? queries : others).push_back({known.sample(*labels[i]), query, wrong, {}});
  }
  // Of many queries half a row, when there are others to be seen.
  const auto room = others.empty()
                        ? images_a_row
                        : std::max(images_a_row / 2, images_a_row - std::min(images_a_row, others.size()));
  row.shown = spread(queries, room);
  for (auto& shown : spread(others, images_a_row - row.shown.size())) row.shown.push_back(std::move(shown));
  return row;
}

/// Short, as it must fit below a narrow picture.
std::string caption(const Shown& shown) {
  std::string text = shown.query ? "q" : "";
  if (shown.sample.camera == unknown_camera) return text;
  return text + (text.empty() ? "c" : " c") + std::to_string(shown.sample.camera);
}

cv::Mat draw(const std::vector<Row>& rows, std::size_t identities, int image_height) {
  const int image_width = image_height / 2;
  const int column = image_width + 2 * frame + margin;
  const int line = image_height + 2 * frame + caption_height + margin;
  const bool judged = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.judged; });
  cv::Mat sheet(head_height + static_cast<int>(rows.size()) * line,
                margin + text_width + static_cast<int>(images_a_row) * column, CV_8UC3, white);
  write_text(sheet,
             std::to_string(rows.size()) + " of " + std::to_string(identities) +
                 " pseudo identities: the largest, then a sample of the others",
             margin, 20, black, 0.5);
  write_text(sheet, "q, blue: query", margin, 40, blue, 0.4);
  if (judged) {
    write_text(sheet, "red: not the most frequent person of the row", margin + 120, 40, red, 0.4);
  } else {
    write_text(sheet, "the true identities are unknown", margin + 120, 40, gray, 0.4);
  }
  write_text(sheet, "c1: camera 1", margin + 440, 40, gray, 0.4);
  int y = head_height;
  for (const auto& row : rows) {
    const int middle = y + image_height / 2;
    write_text(sheet, "identity " + std::to_string(row.identity), margin, middle - 14, black, 0.45);
    write_text(sheet,
               std::to_string(row.images) + " images" +
                   (row.shown.size() < row.images ? ", " + std::to_string(row.shown.size()) + " shown" : ""),
               margin, middle + 4, gray, 0.4);
    if (row.judged) {
      write_text(sheet, row.wrong == 0 ? "all of one person" : std::to_string(row.wrong) + " of other people",
                 margin, middle + 22, row.wrong == 0 ? gray : red, 0.4);
    }
    int x = margin + text_width;
    for (const auto& shown : row.shown) {
      const cv::Rect outer(x, y, image_width + 2 * frame, image_height + 2 * frame);
      if (shown.wrong || shown.query) cv::rectangle(sheet, outer, shown.wrong ? red : blue, cv::FILLED);
      draw_image(sheet, shown.image, {x + frame, y + frame, image_width, image_height});
      write_text(sheet, caption(shown), x, outer.br().y + caption_height - 4, shown.query ? blue : gray,
                 0.35);
      x += column;
    }
    y += line;
  }
  return sheet;
}

}  // namespace

std::optional<std::filesystem::path> draw_label_sheet(const std::vector<Sample>& labels,
                                                      const Dataset& dataset,
                                                      const std::filesystem::path& file,
                                                      progress::ProgressSink& progress) {
  Groups groups;
  for (const auto& label : labels) groups[label.identity].push_back(&label);
  const auto identities = chosen(groups);
  if (identities.empty()) return std::nullopt;

  const KnownImages known(dataset);
  std::vector<Row> rows;
  std::vector<Shown*> shown;
  for (const auto identity : identities) rows.push_back(row_of(identity, groups.at(identity), known));
  for (auto& row : rows) {
    for (auto& image : row.shown) shown.push_back(&image);
  }
  data::for_each_image(shown.size(), "draw pseudo labels", &progress, [&](std::size_t i) {
    // They were decoded when their features were extracted, with the limit of another recipe.
    const PixelLimitScope limit(largest_image);
    shown[i]->image = dataset.image(shown[i]->sample);
  });

  std::vector<std::uint8_t> bytes;
  for (const int height : {128, 112, 96, 80, 64}) {
    bytes = png_of(draw(rows, groups.size(), height), file);
    if (bytes.size() <= largest_file) break;
  }
  file::write_atomically(file, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  });
  return file;
}

}  // namespace kindred::stage
