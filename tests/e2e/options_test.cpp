// Options that are refused, and what is said of them.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE(
    "an option or argument that is empty, as an unset variable leaves it, is refused and not left out") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& message) {
    CAPTURE(arguments);
    const auto outcome = kindred(arguments, folder.path());
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.err == message + "\n");
    CHECK(outcome.out.empty());
  };
  const std::string study = std::string(source_directory) + "/configs/studies/center_loss_small.toml";
  const auto out = (folder / "out").string();
  refused({"study", study, "--dry-run", "--only", ""},
          "--only: error: is empty; give RUN, or leave the option out");
  refused({"study", study, "--dry-run", "--only="},
          "--only: error: is empty; give RUN, or leave the option out");
  refused({"study", "--only=", study}, "--only: error: is empty; give RUN, or leave the option out");
  refused({"embed", "--weights", "m.safetensors", "--data", ""},
          "--data: error: is empty; give PATH, or leave the option out");
  refused({"embed", "--weights", ""}, "--weights: error: is empty; give FILE");
  refused({"data", "convert", "", "--layout", "manifest", "--out", out},
          "RECIPE|FOLDER: error: is empty; give PATH, or leave it out");
  refused({"check", ""}, "RECIPE: error: is empty; give FILE");
  refused({"run", tiny, "--from", ""}, "--from: error: is empty; give STAGE, or leave the option out");
  refused({"run", tiny, "--threads", ""}, "--threads: error: is empty; give N, or leave the option out");
  refused({"check", tiny, "--set", ""}, "--set: error: is empty; give KEY=VALUE, or leave the option out");
  CHECK_FALSE(std::filesystem::exists(out));
  // A value that is set to an empty text is one.
  CHECK(kindred({"check", tiny, "--set", "backbone.weights="}, folder.path()).exit_code == 0);
}

TEST_CASE("a command that computes nothing, or not on a GPU, has no options for it") {
  const TemporaryFolder folder;
  const auto has = [&](std::vector<std::string> command, const std::string& option) {
    command.emplace_back("-h");
    return holds(kindred(command, folder.path()).out, "  " + option + " ");
  };
  CHECK(has({"embed"}, "--device"));
  CHECK(has({"embed"}, "--threads"));
  CHECK_FALSE(has({"export"}, "--device"));
  CHECK(has({"export"}, "--threads"));
  for (const std::string command : {"import", "inspect"}) {
    CHECK_FALSE(has({"weights", command}, "--device"));
    CHECK_FALSE(has({"weights", command}, "--threads"));
  }
  CHECK(has({"weights", "import"}, "--set"));
  CHECK(kindred({"export", "--weights", "m", "--to", "onnx", "--out", "o", "--device", "cuda:99"},
                folder.path())
            .exit_code == 2);
}

TEST_CASE("an option that may be repeated takes one value and leaves the argument after it alone") {
  const TemporaryFolder folder;
  const auto features = (folder / "none").string();
  const auto outcome =
      kindred({"evaluate", "--set", "evaluate.multi_query=true", "--fpr", "0.1", features}, folder.path());
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err == features + ": error: does not exist\n");
}

TEST_CASE("what is wrong with an option is said at the option, as it was typed") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> arguments, const std::vector<std::string>& option,
                           const std::string& message) {
    arguments.insert(arguments.end(), option.begin(), option.end());
    CAPTURE(arguments);
    const auto outcome = kindred(arguments, folder.path());
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.err.starts_with(option[0] + " " + option[1] + ": error: "));
    CHECK(holds(outcome.err, message));
    CHECK_FALSE(holds(outcome.err, "--set"));
  };
  const std::vector<std::string> evaluate = {"evaluate", "--query", "q.npy", "--gallery", "g.npy"};
  refused(evaluate, {"--metric", "foo"}, "unknown metric 'foo'");
  refused(evaluate, {"--post", "foo"}, "unknown post_processor 'foo'");
  refused(evaluate, {"--rank", "0"}, "ranks");
  refused(evaluate, {"--fpr", "2"}, "false_positive_rates");
  refused(evaluate, {"--map-depth", "-3"}, "depth");
  refused(evaluate, {"--device", "nonsense"}, "device = \"nonsense\"");
  refused({"check", tiny}, {"--device", "nonsense"}, "device = \"nonsense\"");
  refused({"check", tiny}, {"--data", "x"}, "has no parameter 'root'");
  const auto run = folder.write("run/pipeline.toml", "[dataset]\ntype = \"synthetic\"\n").parent_path();
  refused({"report", run.string()}, {"--data", "x"}, "has no parameter 'root'");
  refused({"report", run.string()}, {"--data", "a=x"}, "has no parameter 'a'");
  refused({"partition", "none", "--out", "x"}, {"--partitioner", "nope"}, "unknown partitioner 'nope'");
  refused({"label", "none", "--out", "x"}, {"--labeler", "nope"}, "unknown labeler 'nope'");
  refused({"submit", "--rankings", "r", "--data", "d", "--out", "x"}, {"--writer", "nope"},
          "unknown writer 'nope'");
  refused({"data", "convert", "--out", "x"}, {"--layout", "nope"}, "unknown layout 'nope'");
  refused({"export", "--weights", "m", "--out", "x"}, {"--to", "nope"}, "unknown exporter 'nope'");
}

TEST_CASE("an override that the command has no use for is refused") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> arguments, const std::string& setting) {
    arguments.insert(arguments.end(), {"--set", setting});
    const auto outcome = kindred(arguments, folder.path());
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.err.starts_with("--set " + setting + ": error: has no effect here"));
  };
  refused({"evaluate", "--query", "q.npy", "--gallery", "g.npy"}, "embed.flip_test=true");
  refused({"match", "--query", "q.npy", "--gallery", "g.npy"}, "train.epochs=3");
  refused({"doctor"}, "train.epochs=3");
}

TEST_CASE("the reference, which is written as markdown, takes no other format") {
  const TemporaryFolder folder;
  const auto outcome = kindred({"describe", "--reference", "out", "--format", "json"}, folder.path());
  CHECK(outcome.exit_code == 2);
  CHECK(holds(outcome.err, "--format excludes --reference"));
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_CASE("an option that is a real number takes no other text, such as nan") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& command, const std::string& option, const std::string& text) {
    const auto outcome = kindred({command, "--weights", "m", "--gallery", "g", option, text}, folder.path());
    CHECK(outcome.exit_code == 2);
    CHECK(holds(outcome.err, option + ": Value " + text + " not in range"));
  };
  for (const std::string text : {"nan", "-nan", "-2", "much", "1e9"}) {
    CAPTURE(text);
    refused("search", "--threshold", text);
    refused("serve", "--max-seconds", text);
    refused("serve", "--max-megapixels", text);
  }
}
}  // namespace
}  // namespace kindred::test
