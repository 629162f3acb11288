#include "training/plan_check.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "file/safetensors.h"
#include "kindred/core/error.h"
#include "kindred/image/standardize.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

class SquareResize : public Augmentation {
 public:
  struct Params {
    std::int64_t side = 16;
    double prob = 1;
    bool refuses = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Makes images square.");
    s.add("side", &Params::side, "height and width").at_least(1);
    s.add("prob", &Params::prob, "for show").range(0, 1).idle_at(0);
    s.add("refuses", &Params::refuses, "does not work on any image");
    return s;
  }
  SquareResize(const Params& params, const Context&) : params_(params) {}
  void apply(cv::Mat& image, RandomStream&) override {
    if (params_.refuses) throw ComponentError("augmentation/square", "must stand before 'normalize'");
    const auto side = static_cast<int>(params_.side);
    cv::resize(image, image, {side, side});
  }
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  Params params_;
};

class Standardize : public Augmentation {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Standardizes images."); }
  Standardize(const Params&, const Context&) {}
  void apply(cv::Mat& image, RandomStream&) override {
    try {
      standardize(image, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225});
    } catch (const std::invalid_argument& error) {
      throw ComponentError("augmentation/standardize", error.what());
    }
  }
  [[nodiscard]] bool at_test_time() const override { return true; }
};

/// Starts from a file.
class Prototypes : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Distance to prototypes."); }
  static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "prototypes", .required = {"prototypes"}, .rules = {{"prototypes", "prototypes"}}}};
  }
  Prototypes(const Params&, const Context& context)
      : prototypes_(register_buffer("prototypes", torch::zeros({context.identities, context.dim}))) {}
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    return (output - prototypes_.index_select(0, labels)).pow(2).mean();
  }

 private:
  torch::Tensor prototypes_;
};

/// Refuses all images, by itself or by an operation of LibTorch.
class Picky : public TinyBackbone {
 public:
  struct Params {
    std::string fault = "of the component";
  };
  static Schema<Params> schema() {
    Schema<Params> s("Refuses all images.");
    s.add("fault", &Params::fault, "who says so");
    return s;
  }
  Picky(const Params& params, const Context& context)
      : TinyBackbone({}, context), trunk_(std::make_shared<Trunk>(params.fault)) {}
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }

 private:
  class Trunk : public TensorModule {
   public:
    explicit Trunk(std::string fault) : fault_(std::move(fault)) {}
    torch::Tensor forward(const torch::Tensor& input) override {
      if (fault_ == "of the component") throw ComponentError("backbone/picky", "wants other images");
      return torch::ones({2, 3}).mm(input.flatten(1).narrow(1, 0, 2));
    }

   private:
    std::string fault_;
  };
  std::shared_ptr<Trunk> trunk_;
};

/// Of the tiny recipe with images of a size of their own.
std::string tiny_checked(const std::vector<std::string>& overrides, const std::string& more_tables = "") {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog more;
    more.add<SquareResize>("square");
    more.add<Standardize>("standardize");
    more.add<Prototypes>("prototypes");
    more.add<Picky>("picky");
    whole.merge(std::move(more), "more", "more.so");
    return whole;
  }();
  std::string text = tiny_recipe + more_tables;
  const std::string before = "[[augmentation]]\n";
  text.insert(text.find(before), before + "type = \"square\"\n");
  return check_plan(recipe::make_plan(recipe::parse_recipe(text, "tiny.toml", overrides), catalog));
}

}  // namespace

TEST_CASE("images that are too small for the network are found without data") {
  CHECK(tiny_checked({}).find("16 x 16 pixels (height x width)") != std::string::npos);
  const auto message =
      message_of<RecipeError>([] { static_cast<void>(tiny_checked({"augmentation.square.side=4"})); });
  CAPTURE(message);
  CHECK(message.starts_with(
      "tiny.toml:12:1: error: backbone 'tiny' of plugin 'tiny' takes images of at least "));
  CHECK(
      message.find(" pixels (height x width), and these have 4 x 4; choose larger images in the augmentation "
                   "that sets their size") != std::string::npos);
}

TEST_CASE("what a backbone finds wrong with images is said at its own table") {
  const auto message =
      message_of<RecipeError>([] { static_cast<void>(tiny_checked({"backbone={type='picky'}"})); });
  CAPTURE(message);
  CHECK(message.ends_with(": error: backbone 'picky': wants other images"));
}

TEST_CASE("no larger images are advised where they do not help") {
  const auto message = message_of<RecipeError>(
      [] { static_cast<void>(tiny_checked({"backbone={type='picky',fault='of sizes'}"})); });
  CAPTURE(message);
  CHECK(message.find(
            "cannot take images of 16 x 16 pixels: backbone 'picky' of plugin 'more' failed: LibTorch: ") !=
        std::string::npos);
  CHECK(message.find("in one of your own, compare what it computes with the sizes that it states") !=
        std::string::npos);
  CHECK(message.find("larger") == std::string::npos);
}

TEST_CASE("an augmentation that refuses the images of its place is found without data") {
  CHECK(message_of<RecipeError>([] {
          static_cast<void>(tiny_checked({"augmentation.square.refuses=true"}));
        }) == "tiny.toml:6:1: error: augmentation 'square': must stand before 'normalize'");
}

TEST_CASE("images that are normalized twice are found without data, and the second time is named") {
  const std::string once = "[[augmentation]]\ntype = \"standardize\"\n";
  CHECK_NOTHROW(static_cast<void>(tiny_checked({}, once)));
  const auto message = message_of<RecipeError>(
      [&] { static_cast<void>(tiny_checked({}, once + once + "name = \"again\"\n")); });
  CAPTURE(message);
  CHECK(message.starts_with(
      "tiny.toml:40:1: error: augmentation 'standardize': cannot standardize floats from -2.12 to "));
}

TEST_CASE("a component that does nothing by its parameter is warned of") {
  CHECK(tiny_checked({}).find("warning") == std::string::npos);
  CHECK(tiny_checked({"augmentation.square.prob=0"})
            .find("\ntiny.toml:6:1: warning: augmentation 'square': with prob = 0.0 it does nothing; choose "
                  "another value, or remove it by enabled = false\n") != std::string::npos);
}

TEST_CASE("a file that a loss starts from is read without data, where it is there") {
  const TemporaryFolder folder;
  const auto file = folder / "prototypes.safetensors";
  const auto checked = [&](const std::string& key) {
    return tiny_checked({}, "[[loss]]\ntype = \"prototypes\"\non = [\"descriptor\"]\nweights_file = \"" +
                                file.string() + "\"\n" + key);
  };
  /// What the summary says of the file; lines are broken where they are too long.
  const auto said = [&] {
    const auto text = checked("");
    const auto begin = text.find("\nloss weights ");
    REQUIRE(begin != std::string::npos);
    std::istringstream words(text.substr(begin, text.find("\noptimizer", begin) - begin));
    std::string line;
    for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
    return line;
  };
  CHECK(said() == "loss weights prototypes: " + file.string() + " (does not exist)");

  file::TensorFile content;
  content.tensors.emplace_back("prototypes", torch::ones({751, 8}));
  file::write_safetensors(file, content);
  CHECK(said() == "loss weights prototypes: " + file.string() +
                      " (1 tensor; compared when the identities of the data are known)");
  const auto other = "weights_sha256 = \"" + std::string(64, '0') + "\"\n";
  CHECK(message_of<DataError>([&] {
          static_cast<void>(checked(other));
        }).find("is not the file of the recipe") != std::string::npos);
  folder.write("prototypes.safetensors", "torn");
  CHECK(message_of<DataError>([&] { static_cast<void>(checked("")); }).find(file.string()) !=
        std::string::npos);
}
