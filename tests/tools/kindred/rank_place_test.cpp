#include "rank_place.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::test {
using launcher::rank_place;
namespace {

launcher::Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string refusal(std::map<std::string, std::string> variables) {
  try {
    static_cast<void>(rank_place(environment(std::move(variables))));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("without variables, or as one of one, a process is alone") {
  CHECK(rank_place(environment({})).count == 1);
  CHECK(rank_place(environment({{"RANK", "0"}, {"WORLD_SIZE", "1"}})).count == 1);
  // A batch script of SLURM, outside of srun.
  CHECK(
      rank_place(environment({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "3"}})).count ==
      1);
}

TEST_CASE("torchrun says everything") {
  const auto place = rank_place(environment({{"RANK", "5"},
                                             {"WORLD_SIZE", "8"},
                                             {"LOCAL_RANK", "1"},
                                             {"LOCAL_WORLD_SIZE", "4"},
                                             {"MASTER_ADDR", "gpu1"},
                                             {"MASTER_PORT", "29400"},
                                             {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                             {"TORCHELASTIC_RUN_ID", "job"},
                                             {"TORCHELASTIC_RESTART_COUNT", "2"}}));
  CHECK(place.rank == 5);
  CHECK(place.count == 8);
  CHECK(place.local_rank == 1);
  CHECK(place.local_count == 4);
  CHECK(place.address == "gpu1");
  CHECK(place.attempt == "job/2");
  CHECK_FALSE(place.is_served);
  CHECK_FALSE(place.may_be_bound);
  // torchrun itself listens there, in the protocol of its own LibTorch.
  CHECK(place.port != 29400);
}

TEST_CASE(
    "ranks of one attempt of torchrun meet at one port, those of the next at another, our own where they are "
    "told") {
  const auto port = [](const char* rank, const char* restarts) {
    return rank_place(environment({{"RANK", rank},
                                   {"WORLD_SIZE", "8"},
                                   {"MASTER_ADDR", "gpu1"},
                                   {"MASTER_PORT", "29400"},
                                   {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                   {"TORCHELASTIC_RESTART_COUNT", restarts}}))
        .port;
  };
  CHECK(port("0", "0") == port("7", "0"));
  CHECK(port("0", "0") != port("0", "1"));
  const auto own = rank_place(environment({{"RANK", "1"},
                                           {"WORLD_SIZE", "2"},
                                           {"MASTER_ADDR", "127.0.0.1"},
                                           {"MASTER_PORT", "29400"},
                                           {"TORCHELASTIC_USE_AGENT_STORE", "False"},
                                           {"KINDRED_LOCAL_RANK", "1"}}));
  CHECK(own.is_served);
  CHECK_FALSE(own.may_be_bound);
  CHECK(own.port == 29400);
}

TEST_CASE("mpirun on one machine and srun on several name a place to meet") {
  const auto of_mpi = rank_place(environment({{"OMPI_COMM_WORLD_RANK", "1"},
                                              {"OMPI_COMM_WORLD_SIZE", "2"},
                                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                                              {"PMIX_NAMESPACE", "prterun-7"}}));
  CHECK(of_mpi.address == "127.0.0.1");
  CHECK(of_mpi.port >= 20000);
  CHECK_FALSE(of_mpi.is_served);
  CHECK(of_mpi.may_be_bound);
  const auto of_slurm = rank_place(environment({{"SLURM_PROCID", "3"},
                                                {"SLURM_STEP_NUM_TASKS", "6"},
                                                {"SLURM_LOCALID", "1"},
                                                {"SLURM_STEP_TASKS_PER_NODE", "2(x3)"},
                                                {"SLURM_STEP_NODELIST", "gpu[03-04,7].site,other"},
                                                {"SLURM_JOB_ID", "4711"}}));
  CHECK(of_slurm.rank == 3);
  CHECK(of_slurm.count == 6);
  CHECK(of_slurm.local_count == 2);
  CHECK(of_slurm.may_be_bound);
  CHECK(of_slurm.address == "gpu03.site");
}

TEST_CASE("machines of a job of SLURM have as many ranks as it says of each") {
  const auto local_count = [](const char* machine) {
    return rank_place(environment({{"SLURM_PROCID", "0"},
                                   {"SLURM_STEP_NUM_TASKS", "8"},
                                   {"SLURM_STEP_TASKS_PER_NODE", "2(x3),1"},
                                   {"SLURM_NODEID", machine},
                                   {"SLURM_STEP_NODELIST", "gpu[1-4]"},
                                   {"SLURM_JOB_ID", "4711"}}))
        .local_count;
  };
  CHECK(local_count("0") == 2);
  CHECK(local_count("2") == 2);
  CHECK(local_count("3") == 1);
  CHECK_THROWS_WITH_AS(
      local_count("4"),
      doctest::Contains("SLURM_STEP_TASKS_PER_NODE = '2(x3),1': error: must say from 1 to 8 tasks "
                        "for machine 4 (from 0)"),
      Error);
}

TEST_CASE("what cannot be is refused with the variable's name") {
  CHECK(refusal({{"RANK", "2"}, {"WORLD_SIZE", "2"}})
            .find("RANK = '2': error: must be a whole number from 0 to 1") != std::string::npos);
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "two"}}).find("WORLD_SIZE") != std::string::npos);
  CHECK(refusal({{"RANK", "0,1"}, {"WORLD_SIZE", "2"}}).find("RANK = '0,1': error: must be") !=
        std::string::npos);
  CHECK(refusal({{"RANK", "0"}}).find("WORLD_SIZE: error: is not set") != std::string::npos);
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_WORLD_SIZE", "1"}})
            .find("MASTER_ADDR: error: is not set") != std::string::npos);
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}})
            .find("MASTER_PORT: error: is not set") != std::string::npos);
}

}  // namespace
}  // namespace kindred::test
