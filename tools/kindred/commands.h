// The launcher's commands. Each prints its result to stdout and returns the exit code; errors are thrown.
#pragma once

#include "options.h"

namespace kindred::launcher {

int list_command(const Options& options);
int describe_command(const Options& options);
int check_command(const Options& options);
int train_command(const Options& options);
int run_command(const Options& options);
int folds_command(const Options& options);
int study_command(const Options& options);
int embed_command(const Options& options);
int evaluate_command(const Options& options);
int match_command(const Options& options);
int partition_command(const Options& options);
int label_command(const Options& options);
int submit_command(const Options& options);
int doctor_command(const Options& options);
int convert_command(const Options& options);
int inspect_weights_command(const Options& options);
int import_weights_command(const Options& options);
int report_command(const Options& options);

}  // namespace kindred::launcher
