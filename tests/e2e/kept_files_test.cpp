// What a command reads, and what lies where it writes, is not lost.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A run and its test images on disk, once for all cases.
struct Prepared {
  TemporaryFolder folder;
  std::string run = (folder / "run").string();
  std::string model = run + "/model/model.safetensors";
  fs::path data = folder / "data";
  std::vector<std::string> queries;
  std::vector<std::string> gallery;

  Prepared() {
    const auto trained =
        kindred({"run", tiny, "--run-dir", run, "--set", "train.epochs=1", "--set", "schedule.milestones=[]"},
                folder.path());
    REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
    const auto converted =
        kindred({"data", "convert", tiny, "--layout", "market1501", "--out", data.string()}, folder.path());
    REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
    queries = images_in("query");
    gallery = images_in("bounding_box_test");
  }

  [[nodiscard]] std::vector<std::string> images_in(const std::string& name) const {
    std::vector<std::string> images;
    for (const auto& entry : fs::directory_iterator(data / name)) {
      if (entry.path().extension() != ".db") images.push_back(entry.path().string());
    }
    std::sort(images.begin(), images.end());
    return images;
  }

  /// @param words with what must be as before at the end
  void check_refused(const std::vector<std::string>& words, const std::string& kept,
                     const std::string& reason = "which this command reads; give another path") const {
    CAPTURE(words[0]);
    CAPTURE(kept);
    const auto before = read_bytes(kept);
    REQUIRE_FALSE(before.empty());
    const auto outcome = kindred(words, folder.path());
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 2);
    CHECK(holds(outcome.err, reason));
    // At most as what the data are read.
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') <= 1);
    const bool is_as_before = read_bytes(kept) == before;
    CHECK(is_as_before);
  }
};

const Prepared& prepared() {
  static const Prepared made;
  return made;
}

}  // namespace

TEST_CASE("no result replaces the features that it is computed from") {
  const auto& made = prepared();
  const auto features = made.run + "/features";
  made.check_refused({"evaluate", features, "--json", features + "/gallery.npy"}, features + "/gallery.npy");
  made.check_refused({"evaluate", made.run, "--per-query", features + "/query.csv"}, features + "/query.csv");
  made.check_refused({"match", features, "--distances", features + "/query.npy"}, features + "/query.npy");
  // Nor what a post-processor reads beside them.
  const auto other = made.folder / "other";
  fs::copy(features, other);
  const auto ensemble =
      made.folder
          .write("ensemble.toml",
                 "[[post_processor]]\ntype = \"feature_ensemble\"\nfeatures = [\"" + other.string() + "\"]\n")
          .string();
  made.check_refused(
      {"match", features, "--recipe", ensemble, "--distances", (other / "gallery.npy").string()},
      (other / "gallery.npy").string());
  const auto copied = [&](const std::string& from, const std::string& to) {
    for (const auto* ending : {".npy", ".csv"}) {
      fs::copy_file(features + "/" + from + ending, made.folder / (to + ending));
    }
    return (made.folder / (to + ".npy")).string();
  };
  const auto here = made.folder.path().string();
  const auto query = copied("query", "per_query");
  const auto gallery = copied("gallery", "matches");
  made.check_refused({"evaluate", "--query", query, "--gallery", gallery, "--out", here},
                     here + "/per_query.csv");
  made.check_refused({"match", "--query", query, "--gallery", gallery, "--out", here}, here + "/matches.csv");
  const auto domains = made.folder.write("labels.csv", "path,domain\n").string();
  made.check_refused(
      {"label", features, "--labeler", "dbscan_jaccard", "--domain-list", domains, "--out", here}, domains);
}

TEST_CASE("no result replaces a model, a weight file, a recipe or a file of a run") {
  const auto& made = prepared();
  made.check_refused({"weights", "inspect", made.model, "--json", made.model}, made.model);
  made.check_refused({"weights", "import", made.model, "--recipe", tiny, "--out", made.model}, made.model);
  const auto recipe = made.folder.write("mine/pipeline.toml", "extends = '" + tiny + "'\n").string();
  made.check_refused({"weights", "import", made.model, "--recipe", recipe, "--out", recipe}, recipe);
  made.check_refused({"run", recipe, "--run-dir", (made.folder / "mine").string()}, recipe);
  made.check_refused({"report", made.run, "--out", made.run + "/pipeline.toml"}, made.run + "/pipeline.toml",
                     "would replace a file of the run");
}

TEST_CASE("no result replaces images or the lists of them") {
  const auto& made = prepared();
  const auto search = [&](const std::string& gallery, const std::string& sheet) {
    return std::vector<std::string>{"search",  "--weights",          made.model, "--gallery", gallery,
                                    "--image", made.queries.front(), "--sheet",  sheet};
  };
  const auto& image = made.gallery.back();
  made.check_refused(search(made.data.string(), made.queries.front()), made.queries.front());
  made.check_refused(search(made.data.string(), image), image);
  const auto kept = (made.folder / "kept").string();
  auto keeping = search(made.data.string(), (made.folder / "sheet.png").string());
  keeping.insert(keeping.end(), {"--keep", kept});
  const auto searched = kindred(keeping, made.folder.path());
  REQUIRE_MESSAGE(searched.exit_code == 0, searched.err);
  made.check_refused(search(kept, image), image);

  made.check_refused({"data", "doctor", made.data.string(), "--json", image}, image);
  made.folder.write("lists/image.jpg", read_bytes(image));
  const auto list_called = [&](const std::string& name) {
    return made.folder.write("lists/" + name, "path,split\nimage.jpg,gallery\n").string();
  };
  const auto lists = (made.folder / "lists").string();
  const auto gallery = list_called("gallery.csv");
  made.check_refused({"data", "doctor", gallery, "--json", gallery}, gallery);
  made.check_refused({"embed", "--weights", made.model, "--data", gallery, "--out", lists}, gallery);
  const auto domains = list_called("domains.csv");
  made.check_refused({"partition", domains, "--partitioner", "camera", "--out", lists}, domains);
  // Nor the list that a recipe names.
  const auto naming = [&](const std::string& list) {
    return made.folder.write("naming.toml", "dataset = {type = 'manifest', root = '" + list + "'}\n")
        .string();
  };
  made.check_refused({"partition", naming(domains), "--partitioner", "camera", "--out", lists}, domains);
  const auto labels = list_called("labels.csv");
  made.check_refused({"label", made.run + "/features", "--labeler", "dbscan_jaccard", "--data",
                      naming(labels), "--out", lists},
                     labels);
  const auto submission = list_called("submission.csv");
  made.check_refused({"submit", "--writer", "ranking_csv", "--rankings", gallery, "--data",
                      naming(submission), "--out", lists},
                     submission);
  // Nor one of those that a recipe of several data sets names.
  const auto naming_several = [&](const std::string& list) {
    return made.folder
        .write("several.toml", "[[dataset]]\nname = 'other'\ntype = 'market1501'\nroot = '" +
                                   made.data.string() +
                                   "'\n[[dataset]]\nname = 'listed'\ntype = 'manifest'\n"
                                   "root = '" +
                                   list + "'\n")
        .string();
  };
  made.check_refused({"label", made.run + "/features", "--labeler", "dbscan_jaccard", "--data",
                      naming_several(labels), "--out", lists},
                     labels);
  const auto refused_with_several = [&](const std::string& list, std::vector<std::string> words) {
    const auto before = read_bytes(list);
    const auto outcome = kindred(words, made.folder.path());
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 2);
    CHECK(holds(outcome.err, "would replace '" + list + "', which this command reads"));
    CHECK(read_bytes(list) == before);
  };
  refused_with_several(domains,
                       {"partition", naming_several(domains), "--partitioner", "camera", "--out", lists});
  refused_with_several(submission, {"submit", "--writer", "ranking_csv", "--rankings", gallery, "--data",
                                    naming_several(submission), "--out", lists});
  refused_with_several(labels, {"data", "doctor", naming_several(labels), "--json", labels});
  const auto rankings = list_called("submission.csv");
  made.check_refused({"submit", "--writer", "ranking_csv", "--rankings", rankings, "--data",
                      made.data.string(), "--out", lists},
                     rankings);
}

TEST_CASE(
    "neither maps nor a converted data set are written among the images, which they would replace or be read "
    "as") {
  const auto& made = prepared();
  for (const auto& maps : {made.data, made.data / "query", made.data / "maps"}) {
    made.check_refused({"embed", "--weights", made.model, "--data", made.data.string(), "--out",
                        (made.folder / "none").string(), "--maps", maps.string()},
                       made.queries.front(), "lies among the images of '" + made.data.string() + "'");
  }
  made.check_refused({"data", "convert", made.data.string(), "--layout", "manifest", "--out",
                      (made.data / "converted").string()},
                     made.queries.front(), "lies among the images of '" + made.data.string() + "'");
  const auto several =
      made.folder.write("among.toml",
                        "[[dataset]]\nname = 'made'\ntype = 'synthetic'\n[[dataset]]\nname = 'drawn'\n"
                        "type = 'market1501'\nroot = '" +
                            made.data.string() + "'\n");
  const auto among = kindred({"data", "convert", several.string(), "--layout", "manifest", "--out",
                              (made.data / "converted").string()},
                             made.folder.path());
  CAPTURE(among.err);
  CHECK(among.exit_code == 2);
  CHECK(holds(among.err, "lies among the images of '" + made.data.string() + "'"));
  CHECK_FALSE(fs::exists(made.data / "converted"));
  CHECK_FALSE(fs::exists(made.folder / "none"));
  CHECK_FALSE(fs::exists(made.data / "maps"));
}

TEST_CASE("embed does not remove the features of splits that it has no images of") {
  const auto& made = prepared();
  const auto out = made.folder / "features";
  const auto embed = [&](const std::string& data, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"embed", "--weights", made.model, "--data", data, "--out", out.string()};
    words.insert(words.end(), more.begin(), more.end());
    return kindred(words, made.folder.path());
  };
  const auto refused = [&](const Outcome& outcome, const std::string& held) {
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(holds(outcome.err, "features: error: holds " + held +
                                 " of an earlier call, which this one would remove; "
                                 "name another folder with --out, or remove them"));
  };
  const auto first = embed(made.data.string(), {"--train-split"});
  REQUIRE_MESSAGE(first.exit_code == 0, first.err);
  const auto train = read_bytes(out / "train.npy");
  const auto query = read_bytes(out / "query.npy");
  refused(embed(made.queries.front()), "'query.npy' and 'train.npy'");
  refused(embed(made.data.string()), "'train.npy'");
  CHECK(read_bytes(out / "train.npy") == train);
  CHECK(read_bytes(out / "query.npy") == query);
  // The same splits again replace the earlier ones, in one file or several.
  const auto sharded = embed(made.data.string(), {"--train-split", "--set", "embed.shard_images=5"});
  REQUIRE_MESSAGE(sharded.exit_code == 0, sharded.err);
  CHECK_FALSE(fs::exists(out / "train.npy"));
  refused(embed(made.data.string()), "'train.shards.csv'");
  CHECK(fs::exists(out / "train.0000.npy"));
}

}  // namespace kindred::test
