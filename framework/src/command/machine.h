// What a command does with a recipe's [machine] before it computes.
#pragma once

#include "progress/progress.h"
#include "recipe/settings.h"
#include "system/ranks.h"

namespace kindred::command {

/// Sets the threads of this process and how GPUs compute, and notes when a slow library multiplies matrices.
/// @param place of this process among those that share the work of the command, and so the machine
void prepare_machine(const recipe::MachineSettings& machine, progress::ProgressSink& progress,
                     const system::RankPlace& place = {});

}  // namespace kindred::command
