// What started this process among others: torchrun, mpirun or srun.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "system/ranks.h"

namespace kindred::launcher {

/// The value of a variable of the environment, if it is set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The variable that says that run_local_ranks() has started a rank, and serves its meeting point.
inline constexpr const char* local_rank_variable = "KINDRED_LOCAL_RANK";

/// From RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun sets them;
/// or OMPI_COMM_WORLD_... of Open MPI; or SLURM_... of a step that srun has started. With the latter two,
/// MASTER_ADDR is this machine where all ranks are on it, else the first of SLURM's machines, and MASTER_PORT
/// follows from the job's number, unless they are set. Where torchrun itself serves MASTER_PORT
/// (TORCHELASTIC_USE_AGENT_STORE), another port follows from it and from the number of the attempt. One
/// process where nothing of it is set. Throws Error for what cannot be.
[[nodiscard]] system::RankPlace rank_place(const Environment& environment);
[[nodiscard]] system::RankPlace rank_place();

}  // namespace kindred::launcher
