/*
 * title.h - what `ps` and /proc/PID/cmdline call this process. Its place is the memory of the command line.
 */
#ifndef MONITOR_PROCESS_TITLE_H
#define MONITOR_PROCESS_TITLE_H

/* At the beginning of main(). What argv points to is copied: the words stay readable. 0 or -ENOMEM. */
int title_init(int argc, char **argv);
/* Cut to the room there is. */
void title_set(const char *title);

#endif
