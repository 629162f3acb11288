#include "peer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "bench_report.h"
#include "kindred/core/error.h"
#include "model_choice.h"
#include "speed/turns.h"

using namespace kindred;
using namespace kindred::bench;

namespace {

/// A program in place of PyTorch.
std::vector<std::string> shell(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

/// Ready at once; each answer says one second more for a step than the one before.
const std::string counting_peer =
    "read work; echo '{\"torch\": \"9.9\", \"work\": '\"$work\"'}'; n=0; "
    "while read question; do n=$((n+1)); echo '{\"seconds\": '$n'}'; done";

}  // namespace

TEST_CASE("a peer is told its work, says what it is, and does steps when asked") {
  Peer peer("other", shell(counting_peer), {{"task", "embed"}, {"batch", 4}});
  CHECK(peer.about().at("torch") == "9.9");
  CHECK(peer.about().at("work").at("batch") == 4);
  CHECK(peer.run(3) == 1);
  CHECK(peer.run(3) == 2);
}

TEST_CASE("peers take turns") {
  Peer a("a", shell(counting_peer), {{"task", "embed"}});
  Peer b("b", shell(counting_peer), {{"task", "embed"}});
  const auto times = speed::in_turns({&a, &b}, {.warm_up = 2, .turns = 3, .seconds = 6, .pause = 0});
  // Two answers each went to the warm-up, of which the last said 2 seconds: a step fills a turn.
  CHECK(times[0].steps == 1);
  CHECK(times[0].turns == std::vector<double>{3, 4, 5});
  CHECK(times[1].turns == std::vector<double>{3, 4, 5});
}

TEST_CASE("what a peer says wrong, or that it ends, is an error with its name") {
  const auto starting = [](const std::string& script) {
    return Peer("other", shell(script), {{"task", "embed"}});
  };
  CHECK_THROWS_WITH(starting("read work; echo '{\"error\": \"no such model\"}'; cat >/dev/null"),
                    "bench: error: other: no such model");
  CHECK_THROWS_WITH(starting("exit 3"), doctest::Contains("other"));
  CHECK_THROWS_WITH(starting("read work; echo nonsense; cat >/dev/null"),
                    "bench: error: other answered 'nonsense', which is not JSON");
  CHECK_THROWS_WITH(Peer("other", {"/no/such/program"}, {}),
                    doctest::Contains("cannot start '/no/such/program': No such file"));

  Peer ends("other", shell("read work; echo '{}'; read question; exit 1"), {{"task", "embed"}});
  CHECK_THROWS_WITH(static_cast<void>(ends.run(1)), doctest::Contains("other ended without an answer"));
  CHECK_THROWS_AS(static_cast<void>(ends.run(1)), Error);
  Peer vague("other", shell("read work; echo '{}'; read question; echo '{\"steps\": 1}'; cat >/dev/null"),
             {});
  CHECK_THROWS_WITH(static_cast<void>(vague.run(1)),
                    "bench: error: other answered '{\"steps\":1}' instead of seconds");
}

TEST_CASE("a Python without PyTorch is refused with what to do") {
  CHECK_THROWS_WITH(static_cast<void>(pytorch_command("/bin/false")),
                    doctest::Contains("name a Python that has PyTorch with --python"));
  CHECK(pytorch_command("/bin/true").back().ends_with("/peer.py"));
}

TEST_CASE("a network of other numbers of parameters or FLOP is refused") {
  const nlohmann::json about = {{"parameters", 100000}, {"flops", 2e9}};
  CHECK_NOTHROW(require_same_network(about, 100000, 2e9));
  CHECK_THROWS_WITH(require_same_network(about, 100001, 2e9),
                    "bench: error: PyTorch's network is another one: 100,000 parameters and 2.000 GFLOP an "
                    "image, Kindred's "
                    "100,001 and 2.000; tools/bench/networks.py does not fit the recipe");
  CHECK_THROWS_AS(require_same_network(about, 100000, 2.1e9), Error);
}

TEST_CASE("JSON has the rate of a side, its turns and the machine") {
  const auto side = side_json("Kindred", {{2, 4, 8}, 3}, 16);
  CHECK(side.at("name") == "Kindred");
  CHECK(side.at("images_per_second").at("median") == 4);
  CHECK(side.at("images_per_second").at("low") == 2);
  CHECK(side.at("images_per_second").at("high") == 8);
  CHECK(side.at("images_per_second").at("turns") == 3);
  CHECK(side.at("seconds_per_step") == nlohmann::json({2.0, 4.0, 8.0}));
  CHECK(side.at("steps_per_turn") == 3);
  const auto machine = machine_json(torch::kCPU);
  for (const auto* key : {"processor", "device", "kindred", "libtorch", "blas", "opencv"}) {
    CHECK_FALSE(machine.at(key).get<std::string>().empty());
  }
  CHECK(machine.at("threads") >= 1);
  CHECK(spread_text({1.5, 1.25, 2, 3}) == "1.50 (1.25 to 2.00)");
}
