// What a command does with a recipe's [machine] before it computes.
#pragma once

#include "progress/progress.h"
#include "recipe/settings.h"

namespace kindred::command {

/// Sets the threads of this process and how GPUs compute, and notes when a slow library multiplies matrices.
void prepare_machine(const recipe::MachineSettings& machine, progress::ProgressSink& progress);

}  // namespace kindred::command
