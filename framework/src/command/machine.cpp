#include "command/machine.h"

#include "system/device.h"
#include "system/gpu_arithmetic.h"
#include "system/rank_machine.h"

namespace kindred::command {

void prepare_machine(const recipe::MachineSettings& machine, progress::ProgressSink& progress,
                     const system::RankPlace& place) {
  system::set_threads(system::threads_of_rank(machine.threads, place));
  system::set_gpu_arithmetic(machine.tf32, machine.cudnn_benchmark);
  if (!system::blas_is_slow()) return;
  progress.note("matrices are multiplied by " + system::blas_name() +
                ", about 30 times slower than OpenBLAS; install OpenBLAS (Debian: libopenblas0-openmp)");
}

}  // namespace kindred::command
