// Commands and stages that ranks carry out together leave the bytes that one process leaves.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "file/feature_files.h"
#include "program.h"
#include "started_ranks.h"
#include "system/precision.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string tiny_recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";

/// Of all files below a folder but those that hold times.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = fs::relative(entry.path(), folder).string();
    if (entry.is_regular_file() && !name.ends_with("stage.json")) files[name] = read_bytes(entry.path());
  }
  return files;
}

void check_same(const fs::path& expected, const fs::path& found) {
  const auto wanted = contents(expected);
  const auto there = contents(found);
  CHECK(!wanted.empty());
  CHECK(there.size() == wanted.size());
  for (const auto& file : wanted) {
    CAPTURE(file.first);
    REQUIRE(there.contains(file.first));
    const bool equal = there.at(file.first) == file.second;
    CHECK(equal);
  }
}

/// What rank 0, or the only process, has printed.
Outcome run_on(int ranks, std::vector<std::string> arguments, const TemporaryFolder& folder) {
  arguments.insert(arguments.begin(), launcher);
  if (ranks == 1) {
    auto outcome = Program(arguments, folder.path()).wait();
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    return outcome;
  }
  const auto programs = start(arguments, ranks, folder);
  Outcome of_first;
  for (const auto& program : programs) {
    auto outcome = program->wait();
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    if (program == programs.front()) {
      of_first = std::move(outcome);
    } else {
      CHECK(outcome.out.empty());
    }
  }
  return of_first;
}

/// Runs a command that writes to the folder after its last argument, once alone and then with ranks.
void check_equal(const std::vector<std::string>& arguments, const std::vector<int>& ranks,
                 const TemporaryFolder& folder, const std::string& name) {
  const auto to = [&](int count) { return folder / (name + std::to_string(count)); };
  const auto command = [&](int count) {
    auto whole = arguments;
    whole.push_back(to(count).string());
    // Products are the same to the last bit by as many threads only.
    whole.insert(whole.end(), {"--threads", "1"});
    return whole;
  };
  const auto alone = run_on(1, command(1), folder);
  for (const int count : ranks) {
    CAPTURE(name);
    CAPTURE(count);
    const auto together = run_on(count, command(count), folder);
    check_same(to(1), to(count));
    CHECK(std::count(together.out.begin(), together.out.end(), '\n') ==
          std::count(alone.out.begin(), alone.out.end(), '\n'));
  }
}

/// Descriptors that lie around one direction for each identity.
void write_people(const fs::path& stem, std::int64_t images, std::int64_t identities, std::int64_t dim,
                  std::int64_t seed) {
  torch::manual_seed(5);
  const auto centers = torch::randn({identities, dim});
  torch::manual_seed(seed);
  file::Features features;
  features.descriptors = torch::randn({images, dim}) * 1.5;
  for (std::int64_t i = 0; i < images; ++i) {
    Sample sample;
    sample.path = stem.filename().string() + std::to_string(i) + ".png";
    sample.identity = (i * 11 + seed) % identities;
    sample.camera = i % 5;
    features.descriptors[i] += centers[sample.identity];
    features.samples.push_back(std::move(sample));
  }
  file::write_features(stem, features);
}

void train_tiny(const TemporaryFolder& folder) {
  static_cast<void>(
      run_on(1,
             {"train", tiny_recipe, "--run-dir", (folder / "run").string(), "--set", "train.epochs=1",
              "--set", "schedule={type=\"warmup_multistep\",warmup_epochs=0,milestones=[1]}"},
             folder));
}

}  // namespace

TEST_CASE("ranks extract the same features, also of images that some of them cannot read") {
  const TemporaryFolder folder;
  train_tiny(folder);
  const auto model = (folder / "run/model/model.safetensors").string();
  const auto data = folder / "data";
  // As many images as a graph is made for.
  const auto recipe =
      folder.write("more.toml", "extends = '" + tiny_recipe + "'\n[dataset]\ntest_identities = 20\n");
  static_cast<void>(run_on(
      1, {"data", "convert", recipe.string(), "--layout", "market1501", "--out", data.string()}, folder));
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(data / "bounding_box_test")) images.push_back(entry.path());
  std::sort(images.begin(), images.end());
  for (const auto at : {std::size_t{0}, images.size() - 2}) write_bytes(images[at], "no image");

  const std::vector<std::string> embed{
      "embed",       "--weights",         model,   "--data",
      data.string(), "--quiet",           "--set", "loader.skip_bad_images=true",
      "--set",       "embed.batch_size=8"};
  const auto with = [&](std::vector<std::string> more) {
    auto command = embed;
    command.insert(command.end(), more.begin(), more.end());
    command.emplace_back("--out");
    return command;
  };
  check_equal(with({}), {2, 3}, folder, "plain");
  // Not every processor computes in bf16.
  const std::string precision = system::can_compute(torch::kCPU, system::Precision::bf16) ? "bf16" : "fp32";
  check_equal(with({"--set", "embed.flip_test=true", "--set", "embed.precision='" + precision + "'",
                    "--storage", "float16"}),
              {2}, folder, "flipped");
  check_equal(with({"--set", "embed.shard_images=24"}), {3}, folder, "shards");
  CHECK(fs::exists(folder / "shards3/gallery.0001.npy"));

  // All ranks' images are counted, and the first bad one is named.
  auto loud = with({});
  std::erase(loud, "--quiet");
  loud.push_back((folder / "loud").string());
  const auto outcome = run_on(3, loud, folder);
  CHECK(outcome.err.find("2 of " + std::to_string(images.size()) +
                         " gallery images cannot be read and are skipped") != std::string::npos);
  CHECK(outcome.err.find(images.front().filename().string()) != std::string::npos);

  // What lies in several files is evaluated as if it were in one, and searched by ranks as by one process.
  for (const std::string features : {"plain1", "shards1"}) {
    static_cast<void>(run_on(1,
                             {"evaluate", (folder / features).string(), "--quiet", "--out",
                              (folder / (features + "_scores")).string()},
                             folder));
  }
  check_same(folder / "plain1_scores", folder / "shards1_scores");
  check_equal({"match", (folder / "shards1").string(), "--quiet", "--out"}, {2}, folder, "matches");
}

TEST_CASE("ranks extract the same features of tracklets that lie in the batches of two") {
  const TemporaryFolder folder;
  train_tiny(folder);
  check_equal({"embed", "--weights", (folder / "run/model/model.safetensors").string(), "--quiet", "--set",
               "dataset.frames=4", "--set", "embed.frames=3", "--set", "embed.batch_size=8", "--out"},
              {2, 3}, folder, "tracklets");
}

TEST_CASE("ranks search and evaluate a gallery of several blocks to the same files") {
  const TemporaryFolder folder;
  // Two blocks of queries at evaluation, three of the gallery in a search.
  write_people(folder / "people/query", 900, 700, 512, 1);
  write_people(folder / "people/gallery", 20'000, 700, 512, 2);
  const auto people = (folder / "people").string();
  check_equal({"match", people, "--quiet", "--top", "50", "--out"}, {2, 3}, folder, "matches");
  check_equal({"evaluate", people, "--quiet", "--out"}, {2, 3}, folder, "scores");
}

TEST_CASE("ranks post-process and label to the same files") {
  const TemporaryFolder folder;
  write_people(folder / "people/query", 300, 90, 64, 1);
  write_people(folder / "people/gallery", 1'500, 90, 64, 2);
  const auto people = (folder / "people").string();
  check_equal({"match", people, "--quiet", "--post", "database_augmentation", "--post", "query_expansion",
               "--post", "k_reciprocal", "--out"},
              {2}, folder, "reranked");
  check_equal({"evaluate", people, "--quiet", "--post", "gnn_rerank", "--out"}, {3}, folder, "graph");
  check_equal({"evaluate", people, "--quiet", "--post", "k_reciprocal", "--set",
               "post_processor.k_reciprocal.mode='chunked'", "--set",
               "post_processor.k_reciprocal.chunk_queries=64", "--out"},
              {2}, folder, "chunked");
  check_equal({"label", people, "--quiet", "--labeler", "dbscan_jaccard", "--out"}, {3}, folder, "clusters");
  check_equal({"label", people, "--quiet", "--labeler", "agglomerative_search", "--set",
               "labeler.threshold=0.4", "--out"},
              {2}, folder, "labels");

  const auto distances = [&](int ranks) {
    const auto file = folder / ("distances" + std::to_string(ranks) + ".npy");
    static_cast<void>(run_on(ranks,
                             {"match", people, "--quiet", "--threads", "1", "--post", "k_reciprocal",
                              "--distances", file.string(), "--out", (folder / "ignored").string()},
                             folder));
    return read_bytes(file);
  };
  CHECK(distances(2) == distances(1));
}

TEST_CASE("ranks share the stages of a pipeline that extract, rank and label") {
  const TemporaryFolder folder;
  const auto recipe = std::string(source_directory) + "/tests/e2e/tiny_pipeline.toml";
  const auto alone = folder / "alone";
  static_cast<void>(run_on(1, {"run", recipe, "--quiet", "--run-dir", alone.string()}, folder));
  const auto together = folder / "together";
  fs::copy(alone, together, fs::copy_options::recursive);
  for (const std::string stage : {"final_features", "ranking"}) {
    static_cast<void>(
        run_on(2, {"run", recipe, "--quiet", "--run-dir", together.string(), "--from", stage}, folder));
    check_same(alone / "final_features", together / "final_features");
    check_same(alone / "ranking", together / "ranking");
    check_same(alone / "submission", together / "submission");
  }
  static_cast<void>(run_on(
      3, {"run", recipe, "--quiet", "--run-dir", together.string(), "--from", "labels", "--only", "labels"},
      folder));
  check_same(alone / "labels", together / "labels");
}

}  // namespace kindred::test
