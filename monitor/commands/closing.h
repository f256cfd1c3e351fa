/*
 * closing.h - a person closes a finding, or opens it again: who and why goes on record. Also beside a
 * recorder that is running, which learns of it at its next commit.
 */
#ifndef MONITOR_COMMANDS_CLOSING_H
#define MONITOR_COMMANDS_CLOSING_H

#include <stdbool.h>

/* The whole command of that name. */
int close_or_reopen(const char *command, const char *help, bool open, int argc, char **argv);

#endif
