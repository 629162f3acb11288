// `kindred doctor` as a user starts it.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "program.h"
#include "temporary_folder.h"

namespace kindred::test {
namespace {

TEST_CASE("doctor checks every backbone and head, the precisions, the searches and the speed of the CPU") {
  const TemporaryFolder folder;
  const auto file = (folder / "doctor.json").string();
  const auto outcome = kindred({"doctor", "--quick", "--device", "cpu", "--json", file}, folder.path());
  INFO(outcome.out << outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out.find("; nothing failed\n") != std::string::npos);
  std::ifstream in(file);
  const auto json = nlohmann::json::parse(in);
  CHECK(json["passed"] == true);
  std::set<std::string> networks;
  std::set<std::string> others;
  for (const auto& check : json["checks"]) {
    const auto name = check["name"].get<std::string>();
    CHECK(check["result"] != "FAILED");
    if (name.rfind("network ", 0) != 0) {
      others.insert(name);
      continue;
    }
    const auto plus = name.find(" + ");
    networks.insert(name.substr(8, plus - 8));
    networks.insert(name.substr(plus + 3, name.find(',') - plus - 3));
  }
  const auto list = kindred({"list"}, folder.path());
  for (const std::string component : {"osnet", "resnet", "se_resnext", "vit", "swin", "convnext", "clip_vit",
                                      "clip_resnet", "mgn", "bnneck", "fc", "transreid", "clip_reid"}) {
    CAPTURE(component);
    CHECK(networks.contains(component));
  }
  for (const std::string check :
       {"k_reciprocal", "gnn_rerank", "dbscan_jaccard", "evaluation", "neighbors", "precision = \"auto\"",
        "50 steps of training, fp32", "5 + 5 steps are 10, fp32", "k_reciprocal, size of market"}) {
    CAPTURE(check);
    CHECK(others.contains(check));
  }
}

TEST_CASE("doctor says where data are checked, and what is wrong with a device") {
  const TemporaryFolder folder;
  const auto data = kindred({"doctor", "mine.toml"}, folder.path());
  CHECK(data.exit_code == 2);
  CHECK(data.err ==
        "error: kindred doctor checks the machine and takes no recipe and no data; to check those: kindred "
        "data doctor mine.toml\n");
  const auto device = kindred({"doctor", "--device", "cuda:77"}, folder.path());
  CHECK(device.exit_code == 1);
  CHECK(device.err.find("device: error: there is no device 'cuda:77'") != std::string::npos);
}

}  // namespace
}  // namespace kindred::test
