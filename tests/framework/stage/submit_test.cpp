#include "stage/submit.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <istream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "data_files.h"
#include "ranking/ranking.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// Lines "query: gallery gallery"; can be told to write something else.
class LineWriter final : public Writer {
 public:
  explicit LineWriter(std::int64_t top) : top_(top) {}
  [[nodiscard]] std::string file_name() const override { return "lines.txt"; }
  [[nodiscard]] std::int64_t top() const override { return top_; }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return path.substr(path.rfind('/') + 1);
  }
  void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const override {
    for (std::size_t q = 0; q < rankings.size(); ++q) {
      if (q == 1 && mistake == "lost query") continue;
      out << (q == 0 && mistake == "other query" ? "x" : rankings[q].query) << ':';
      for (const auto& image : rankings[q].gallery) out << ' ' << image;
      if (mistake == "more images") out << " x";
      out << '\n';
    }
  }
  [[nodiscard]] std::vector<RankedQuery> read(std::istream& in) const override {
    std::vector<RankedQuery> rankings;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string word;
      words >> word;
      rankings.push_back({word.substr(0, word.size() - 1), {}, {}});
      while (words >> word) rankings.back().gallery.push_back(word);
    }
    return rankings;
  }
  std::string mistake;

 private:
  std::int64_t top_;
};

Sample sample(const std::string& path, Split split) {
  Sample result;
  result.path = path;
  result.split = split;
  return result;
}

std::vector<Sample> samples() {
  return {sample("train/1.png", Split::train),     sample("query/1.png", Split::query),
          sample("query/2.png", Split::query),     sample("gallery/1.png", Split::gallery),
          sample("gallery/2.png", Split::gallery), sample("gallery/3.png", Split::gallery)};
}

const std::string head = "query_path,rank,gallery_path,similarity\n";

std::string ranking_of(const std::string& query, const std::vector<int>& images) {
  std::string text;
  for (std::size_t i = 0; i < images.size(); ++i) {
    text += "query/" + query + ".png," + std::to_string(i + 1) + ",gallery/" + std::to_string(images[i]) +
            ".png,0." + std::to_string(9 - i) + "\n";
  }
  return text;
}

/// Rankings, one text a file.
std::vector<std::filesystem::path> files(const TemporaryFolder& folder,
                                         const std::vector<std::string>& texts) {
  std::vector<std::filesystem::path> result;
  for (const auto& text : texts) {
    result.push_back(folder.write("ranking" + std::to_string(result.size()) + ".csv", head + text));
  }
  return result;
}

}  // namespace

TEST_CASE("rankings of several files are cut and written in the data set's order") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto outcome =
      submit(LineWriter(2), files(folder, {ranking_of("2", {3, 1, 2}), ranking_of("1", {2, 3})}), samples(),
             folder / "out", silent);
  CHECK(outcome.file == folder / "out/lines.txt");
  CHECK(outcome.queries == 2);
  CHECK(outcome.listed == 2);
  CHECK(read_bytes(outcome.file) == "1.png: 2.png 3.png\n2.png: 3.png 1.png\n");
}

TEST_CASE("a gallery that is smaller than what the format lists is listed whole") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto outcome =
      submit(LineWriter(200), files(folder, {ranking_of("1", {2, 3, 1}) + ranking_of("2", {3, 1, 2})}),
             samples(), folder / "out", silent);
  CHECK(outcome.listed == 3);
  CHECK(read_bytes(outcome.file) == "1.png: 2.png 3.png 1.png\n2.png: 3.png 1.png 2.png\n");
}

TEST_CASE("what match writes can be submitted") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto all = samples();
  const std::vector<Sample> query(all.begin() + 1, all.begin() + 3);
  std::vector<Sample> gallery(all.begin() + 3, all.end());
  gallery[0].identity = 4;  // so that columns of identities are written as well
  ranking::Ranking found{torch::tensor({{2L, 0L}, {1L, 2L}}), torch::tensor({{0.9F, 0.1F}, {1e-20F, -0.5F}})};
  ranking::write_matches(folder.path(), found, query, gallery);
  const auto outcome = submit(LineWriter(2), {folder / "matches.csv"}, all, folder / "out", silent);
  CHECK(read_bytes(outcome.file) == "1.png: 3.png 1.png\n2.png: 2.png 3.png\n");
}

TEST_CASE("nothing incomplete or doubtful is written, and an earlier file stays") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto earlier = folder.write("out/lines.txt", "earlier");
  const auto refusal = [&](const std::vector<std::string>& texts,
                           const std::vector<Sample>& all = samples()) {
    const auto message = error_of(
        [&] { static_cast<void>(submit(LineWriter(2), files(folder, texts), all, folder / "out", silent)); });
    CHECK(read_bytes(earlier) == "earlier");
    CHECK(files_in(folder / "out") == 1);
    return message;
  };
  const auto one = ranking_of("1", {1, 2});
  const auto two = ranking_of("2", {1, 2});
  CHECK(contains(refusal({one}),
                 "lines.txt: error: is not written: 1 of 2 queries have no ranking, such as 'query/2.png'; "
                 "give the rankings of all domains"));
  CHECK(contains(refusal({one, two + one}),
                 "ranking1.csv:4: error: query 'query/1.png' already has a ranking in "));
  CHECK(contains(refusal({one + two + one}),
                 "ranking0.csv:6: error: query 'query/1.png' already has a ranking"));
  CHECK(contains(refusal({one + ranking_of("3", {1, 2})}),
                 ":4: error: 'query/3.png' is not a query of the data set"));
  CHECK(contains(refusal({one + ranking_of("2", {1, 4})}),
                 ":5: error: 'gallery/4.png' is not in the gallery of the data set"));
  CHECK(contains(refusal({one + ranking_of("2", {1, 2, 1})}),
                 ":6: error: 'gallery/1.png' is listed twice for "
                 "'query/2.png'"));
  CHECK(contains(refusal({one + ranking_of("2", {1})}),
                 "ranking0.csv: error: lists 1 gallery images for the query 'query/2.png', but the format "
                 "needs 2; set [ranking] top to 2 or more"));
  CHECK(contains(refusal({one + "query/2.png,2,gallery/1.png,0.5\n"}), ":4: error: rank 2; expected 1"));
  CHECK(contains(refusal({one + "query/2.png,1,gallery/1.png,high\n"}),
                 "the similarity 'high' is not a number"));

  auto alike = samples();
  alike.push_back(sample("more/1.png", Split::gallery));
  CHECK(contains(refusal({one, two}, alike),
                 "'gallery/1.png' and 'more/1.png' would have the same name '1.png'"));
  CHECK(contains(refusal({one, two}, {sample("query/1.png", Split::query)}), "has no gallery images"));
  CHECK(contains(refusal({one, two}, {sample("gallery/1.png", Split::gallery)}), "has no query images"));
}

TEST_CASE("a writer that writes something else is found out") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto rankings = files(folder, {ranking_of("1", {1, 2}) + ranking_of("2", {1, 2})});
  LineWriter writer(2);
  const auto refusal = [&](const std::string& mistake) {
    writer.mistake = mistake;
    const auto message =
        error_of([&] { static_cast<void>(submit(writer, rankings, samples(), folder / "out", silent)); });
    CHECK_FALSE(std::filesystem::exists(folder / "out/lines.txt"));
    return message;
  };
  CHECK(contains(refusal("lost query"), "read back, it contains 1 queries instead of 2"));
  CHECK(contains(refusal("other query"), "query 0 (from 0) is 'x' instead of '1.png'"));
  CHECK(contains(refusal("more images"), "the gallery images of query '1.png' differ"));
}

TEST_CASE("a tracklet is submitted by its first frame") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  std::vector<Sample> images;
  const auto add = [&](const std::string& path, Split split, const std::string& tracklet) {
    images.push_back(sample(path, split));
    images.back().tracklet = tracklet;
  };
  add("query/2.png", Split::query, "a");
  add("query/1.png", Split::query, "a");
  add("gallery/1.png", Split::gallery, "a");
  add("gallery/2.png", Split::gallery, "a");
  add("gallery/3.png", Split::gallery, "");
  const auto outcome =
      submit(LineWriter(5), files(folder, {ranking_of("1", {3, 1})}), images, folder / "out", silent);
  CHECK(outcome.queries == 1);
  CHECK(outcome.listed == 2);
  CHECK(read_bytes(outcome.file) == "1.png: 3.png 1.png\n");
}
