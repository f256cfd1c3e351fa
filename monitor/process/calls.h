/*
 * calls.h - THE LIST of system calls that a role may make once it has locked itself in. Whatever is
 * not here kills the process. A row: the call, who may make it (S sensor, I inspector, R recorder,
 * E exporter), and with which arguments alone.
 *
 * Nobody may make a socket, start a process or a program, trace or signal another, or make memory
 * executable. Only recorder and exporter may name a file; Landlock says which.
 */
#ifndef MONITOR_PROCESS_CALLS_H
#define MONITOR_PROCESS_CALLS_H

/* clang-format off */
#define CALLS(X) \
	/* What the process has open */ \
	X(read,             "S.RE", ANY) \
	X(pread64,          "S.RE", ANY) \
	X(lseek,            "S.RE", ANY) \
	X(close,            "SIRE", ANY) \
	X(fstat,            "SIRE", ANY) \
	X(newfstatat,       "SI..", OPEN_FILE)  /* glibc's fstat() */ \
	X(write,            "SIR.", STDERR)     /* assert(), sanitizers */ \
	X(writev,           "SIR.", STDERR)     /* glibc: "malloc(): corrupted" */ \
	X(write,            "...E", ANY) \
	X(writev,           "...E", ANY) \
	/* Packets: a capture is read, and closed when its interface has gone */ \
	X(poll,             "S..E", ANY) \
	X(ppoll,            "S..E", ANY) \
	X(epoll_wait,       "S...", ANY) \
	X(epoll_pwait,      "S...", ANY) \
	X(epoll_ctl,        "S...", EPOLL_DEL) \
	X(dup,              "S...", ANY)        /* a file is looked at first, read later */ \
	X(fcntl,            "S...", GET_FLAGS)  /* fdopen() */ \
	X(recvfrom,         "S...", ANY)        /* libpcap: what was wrong with the socket */ \
	X(getsockopt,       "S...", ANY)        /* PACKET_STATISTICS */ \
	X(getsockname,      "S...", ANY)        /* libpcap: has the interface gone, ... */ \
	X(setsockopt,       "S...", RX_RING)    /* libpcap gives its ring back */ \
	X(ioctl,            "S...", TERMINAL)   /* stdio, of a capture that is a device */ \
	X(ioctl,            "S...", LINK_FLAGS) /* ... or is it down? */ \
	/* A database (SQLite, journal in WAL mode) */ \
	X(openat,           "..RE", ANY) \
	X(open,             "..RE", ANY) \
	X(newfstatat,       "..RE", ANY) \
	X(stat,             "..RE", ANY) \
	X(lstat,            "..RE", ANY) \
	X(statx,            "..RE", ANY) \
	X(access,           "..RE", ANY) \
	X(faccessat,        "..RE", ANY) \
	X(faccessat2,       "..RE", ANY) \
	X(readlink,         "..RE", ANY) \
	X(readlinkat,       "..RE", ANY) \
	X(getcwd,           "..RE", ANY) \
	X(geteuid,          "..RE", ANY) \
	X(fcntl,            "..RE", LOCK)       /* of readers and writers */ \
	X(fcntl,            "..RE", LOCK_ASK) \
	X(fcntl,            "..RE", LOCK_WAIT) \
	X(fcntl,            "..RE", GET_FLAGS) \
	X(fcntl,            "..RE", CLOSE_FLAG) /* where open() does not set it */ \
	X(fsync,            "..RE", ANY) \
	X(fdatasync,        "..RE", ANY) \
	X(pwrite64,         "..R.", ANY) \
	X(ftruncate,        "..R.", ANY) \
	X(fallocate,        "..R.", ANY) \
	X(fchmod,           "..R.", ANY)        /* -wal and -shm get the mode ... */ \
	X(fchown,           "..R.", ANY)        /* ... and owner of the database */ \
	X(flock,            "..R.", ANY)        /* one writer a directory */ \
	X(unlink,           "..R.", ANY) \
	X(unlinkat,         "..R.", ANY) \
	/* Memory */ \
	X(brk,              "SIRE", ANY) \
	X(mmap,             "SIRE", NOT_EXECUTABLE) \
	X(mprotect,         "SIRE", NOT_EXECUTABLE) \
	X(munmap,           "SIRE", ANY) \
	X(mremap,           "SIRE", ANY) \
	X(madvise,          "SIRE", ANY) \
	/* Time, and waiting */ \
	X(futex,            "SIRE", ANY) \
	X(clock_gettime,    "SIRE", ANY)        /* these three where the vDSO cannot answer */ \
	X(gettimeofday,     "SIRE", ANY) \
	X(time,             "SIRE", ANY) \
	X(nanosleep,        "SIRE", ANY) \
	X(clock_nanosleep,  "SIRE", ANY) \
	X(restart_syscall,  "SIRE", ANY) \
	X(sched_yield,      "SIRE", ANY) \
	/* Itself; tgkill for abort() */ \
	X(getpid,           "SIRE", ANY) \
	X(getppid,          "SIRE", ANY) \
	X(gettid,           "SIRE", ANY) \
	X(tgkill,           "SIRE", ITSELF) \
	X(getrandom,        "SIRE", ANY) \
	X(sysinfo,          "SIRE", ANY)        /* glibc's qsort(): how much memory there is */ \
	X(rt_sigaction,     "SIRE", ANY) \
	X(rt_sigprocmask,   "SIRE", ANY) \
	X(rt_sigpending,    "SIRE", ANY) \
	X(rt_sigtimedwait,  "SIRE", ANY) \
	X(rt_sigsuspend,    "SIRE", ANY) \
	X(rt_sigreturn,     "SIRE", ANY) \
	X(sigaltstack,      "SIRE", ANY) \
	X(exit,             "SIRE", ANY) \
	X(exit_group,       "SIRE", ANY)

/*
 * A sanitizer reads /proc and starts a program to print where it happened. Refused, not killed, so that
 * its report comes out, if without the names of functions.
 */
#define CALLS_OF_SANITIZERS(X) \
	X(open,              ANY) \
	X(openat,            ANY) \
	X(readlink,          ANY) \
	X(stat,              ANY) \
	X(getrlimit,         ANY) \
	X(prlimit64,         ANY) \
	X(prctl,             ANY) \
	X(pipe,              ANY) \
	X(pipe2,             ANY) \
	X(ioctl,             TERMINAL)          /* is it to be in colour? */
/* clang-format on */

#endif
