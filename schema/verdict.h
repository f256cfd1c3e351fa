/*
 * verdict.h - what can be said of a flow: the words of judging, shared by the judge, the database
 * and every report.
 */
#ifndef SCHEMA_VERDICT_H
#define SCHEMA_VERDICT_H

#include "schema/finding_kinds.h"
#include "schema/facts.h"

enum ruling {
	RULING_NONE,
	RULING_DOCUMENTED,
	RULING_OUTSIDE,
	RULING_UNDETERMINED,
	RULING_HOUSEKEEPING
};
enum grade { GRADE_NONE, GRADE_EXACT, GRADE_UNPROVEN, GRADE_WIDE };
enum why {
	WHY_NONE,
	WHY_MIDSTREAM,
	WHY_ONE_SIDED,
	WHY_TOO_FEW_PACKETS,
	WHY_ENCRYPTED,
	WHY_ROLE_UNKNOWN,
	WHY_NO_INSPECTOR,
};
enum direction { DIRECTION_UNKNOWN, DIRECTION_OUT, DIRECTION_IN };
enum severity { SEVERITY_NONE, SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

/* clang-format off */
enum kind {
	KIND_NONE,
#define X(name, text, sentence) KIND_##name,
	FINDING_KINDS(X)
#undef X
	KIND_COUNT
};
/* clang-format on */

/* The fields of a row that can differ, in the order in which the first one names the kind. */
enum field {
	FIELD_IP_VERSION,
	FIELD_TRANSPORT,
	FIELD_DIRECTION,
	FIELD_PEER,
	FIELD_REMOTE_PORT,
	FIELD_APPLICATION,
	FIELD_LOCAL_PORT,
	FIELD_MEDIA,
	FIELD_COUNT
};

#define NEAREST_MAX 3
#define ROWS_MAX 8
#define ROW_ID_MAX 64

struct differs {
	uint8_t field; /* enum field */
	char expected
		[128]; /* "50000-50019", "rtp, rtcp or stun", "sfb-online or other-client" */
	char seen[64];
};

struct nearest {
	uint16_t row;   /* index in the policy's envelope */
	uint8_t form;   /* the reading of it that came so near */
	uint8_t fields; /* what differs: mask BIT(enum field) */
	uint8_t count;  /* ... in words; 0: nobody asked for them yet (judge_words()) */
	struct differs differs[FIELD_COUNT]; /* in the order of enum field */
};

struct verdict {
	uint8_t ruling; /* enum ruling */
	uint8_t grade;  /* enum grade; of documented alone */
	uint8_t why;  /* enum why; of undetermined, and of a grade below exact where it helps */
	uint8_t kind; /* enum kind; of outside, and blocked-* or refused beside documented */
	uint8_t severity;      /* enum severity; of whatever has a kind */
	uint8_t direction;     /* enum direction, as seen from the unit */
	uint8_t row_count;     /* documented, undetermined: all rows that tie, best first */
	uint8_t nearest_count; /* outside: best first */
	int16_t role; /* index of the role that proves the peer for rows[0] or nearest[0]; -1 */
	uint16_t rows[ROWS_MAX];
	char reason[32]; /* "" or a word of domain.md 5: vbss, peer_nat, as_written, assumed */
	struct nearest nearest[NEAREST_MAX];
};

const char *ruling_name(enum ruling ruling); /* documented outside undetermined housekeeping */
const char *grade_name(enum grade grade);    /* NULL for none; so below */
const char *why_name(enum why why);
const char *direction_name(enum direction direction); /* out in unknown */
const char *severity_name(enum severity severity);
const char *kind_name(enum kind kind);
const char *kind_sentence(enum kind kind);
const char *field_name(enum field field);
/* The word's number, or the count past the last one if there is no such word. */
enum ruling ruling_parse(const char *text);     /* 5 */
enum severity severity_parse(const char *text); /* 5 */
enum kind kind_parse(const char *text);         /* KIND_COUNT */

#endif
