/*
 * run.h - one run, from packets to rows, as a command asks for it: in processes of their own
 * (monitor/process/), or all roles in this one (pipeline.c). Same functions, same events, same database.
 */
#ifndef MONITOR_RUN_H
#define MONITOR_RUN_H

#include "monitor/capture/capture.h"
#include "monitor/capture/flowtab.h"
#include "monitor/memory.h"
#include "monitor/process/roles.h"
#include "monitor/recorder.h"

/* Where it stands. */
struct run_state {
	int64_t now_us; /* the run's clock */
	int permille;   /* of the files; -1: unknown, or live */
	bool live;
	uint64_t seen, dropped; /* packets */
	uint64_t flows, findings, units;
};

/* A finding that opens. */
struct run_found {
	int64_t time_us, id;
	uint8_t kind, severity;
	bool waived;
	const char *unit, *reason;
};

/* An interval in which not all is seen: it begins, or is over. */
struct run_blind {
	int64_t since_us, until_us; /* until 0: it goes on */
	uint64_t count;             /* so far, of what the cause counts */
	uint8_t cause;              /* enum blind_cause */
	const char *detail;         /* the unit or the interface, what a process died of; "" */
};

/* For tests (--test): what is done on purpose. */
struct run_test {
	bool ndpi_dtls;        /* DTLS goes to nDPI, which dies of it */
	uint64_t delay;        /* each role sleeps at times drawn from this seed; 0: none does */
	unsigned pace_us;      /* the sensor sleeps so long before every 32nd packet */
	bool plain;            /* no shorter way for flows that are alike, none for those of one packet */
	int64_t commit_us;     /* commits are so far apart; 0: as ever */
	const char *die, *hang; /* the sensor does so on a UDP payload that begins with it; NULL */
	enum process_role try_role;
	const char *try_what; /* sandbox_try(), from inside that role; NULL */
};

struct mirror;
struct run_options {
	struct capture_options capture;
	struct flowtab_limits limits;
	struct memory memory; /* how large the other tables may become */
	const struct policy *policy;
	const char *dir; /* of the database; NULL: a private one */
	const char *eve; /* the file that findings go to as EVE lines, appended; NULL */
	int64_t for_us;  /* live: ends after that; 0: never by itself */
	struct retention_limits keep; /* of the database */
	bool again;      /* files that the database holds already are read all the same */
	bool in_process;
	bool scope; /* what cannot matter to the units is not looked into (scoping.h); never with a mirror */
	const int *apart; /* descriptors of the caller's that no role is to have */
	size_t apart_count;
	struct mirror *mirror; /* the sensor writes down there what the mirror shows; NULL */
	struct run_test test;
	/* Live; may be NULL; `context` for all. */
	void (*found)(void *context, const struct run_found *found);
	void (*blind)(void *context, const struct run_blind *blind);
	/*
	 * How a row of a unit stands, when that changes. With it a live run is told sooner of answers, and of requests
	 * that are asked again; and when it ends by itself it waits for those that have no answer yet (RUN_PATIENCE_US).
	 */
	void (*exercised)(void *context, const char *unit, const struct exercised *exercised);
	/* Some ten times a second: where the run stands. */
	void (*progress)(void *context, const struct run_state *state);
	/* Live, as often: all that was wanted is there. Then the run ends as after for_us. */
	bool (*enough)(void *context);
	void *context;
};

/*
 * A live run that ends by itself goes on until every request of a unit that was made by then is answered, or has
 * had the time after which its silence says something (sensor_waits()); this long at the most.
 */
#define RUN_PATIENCE_US INT64_C(8000000)

/* What is left to say when it is over. */
struct run_result {
	struct recorder_sums sums;
	uint64_t refused_opinions; /* the inspector's part of `refused` */
	uint64_t refused; /* what had no place in a table and went without; no flow is among it */
	uint64_t units;
	uint64_t restarts[PROCESS_COUNT];
	struct strangers strangers;
};

/*
 * Runs to the end of the inputs (`capture`, from capture_open(), stays the caller's; how each input went can be
 * asked of it afterwards), or until SIGINT or SIGTERM, and commits. A private database is the
 * caller's, in *ret_db, to be read. Negative errno with err filled: what was committed before stays.
 */
int run(const struct run_options *options, struct capture *capture, struct run_result *result,
        struct flowdb **ret_db, struct err *err) MUST_CHECK;

/* A number no other run of the program has, for recorder_options.session. */
uint64_t run_session(void);
/* recorder_options.how */
#define RUN_HOW 256
const char *run_how(const struct run_options *options, char buf[RUN_HOW]);

/*
 * What the sensor is told of the policy (unwrap.h): whether a host is a unit, or looks like one. Of an entry
 * that stands for many hosts only senders are: the collector of a mirror may lie in its prefix. One that stands
 * for everybody says nothing.
 */
bool run_is_unit(const void *policy, const struct addr *addr, const struct mac *mac, bool sent);

#endif
