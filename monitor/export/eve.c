/*
 * eve.c - see eve.h.
 */
#include "monitor/export/eve.h"
#include "monitor/json.h"
#include "schema/time.h"

#include <ctype.h>

/* Members of an object; none is the first one of its object. */
static void put_text(FILE *file, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(file, ",\"%s\":", key);
	json_put(file, text);
}

static void put_int(FILE *file, const char *key, int64_t value)
{
	fprintf(file, ",\"%s\":%lld", key, (long long)value);
}

/* "2026-11-22T12:00:00.000000+0000" */
static const char *time_eve(int64_t us, char buf[TIME_TEXT + 8])
{
	time_print(us, buf);
	buf[strcspn(buf, "Z")] = '\0';
	return strcat(buf, "+0000");
}

/* Suricata's words: those of /etc/protocols, and three digits for a protocol without one. */
static const char *proto_eve(uint8_t transport, char buf[16])
{
	const char *name = transport_name(transport);

	if (transport == TRANSPORT_ICMP6)
		return "IPv6-ICMP";
	if (!strncmp(name, "ip-", 3))
		snprintf(buf, 16, "%03u", transport);
	else
		text_copy(buf, 16, name);
	for (char *c = buf; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return buf;
}

/* Suricata's word where it has another one for the same protocol. */
static const char *app_eve(uint16_t app)
{
	switch (app) {
	case APP_NONE:
		return NULL;
	case APP_KERBEROS:
		return "krb5";
	case APP_POSTGRES:
		return "pgsql";
	case APP_VNC:
		return "rfb";
	default:
		return app_name((enum app)app);
	}
}

/* Suricata counts down: 1 is the worst. */
static int severity_eve(uint8_t severity)
{
	return severity == SEVERITY_HIGH ? 1 : severity == SEVERITY_MEDIUM ? 2 : 3;
}

static const char *state_word(uint8_t state)
{
	return state == FINDINGS_OPEN ? "open" : state == FINDINGS_WAIVED ? "waived" : "closed";
}

static void put_flow(FILE *file, const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;
	const struct endpoint *src = &facts->end[facts->initiator == 1],
			      *dest = &facts->end[facts->initiator != 1];
	bool ports = facts->transport == TRANSPORT_TCP || facts->transport == TRANSPORT_UDP;
	char text[COMMUNITY_ID_TEXT > ADDR_TEXT ? COMMUNITY_ID_TEXT : ADDR_TEXT];

	put_text(file, "src_ip", addr_print(&src->addr, text));
	if (ports)
		put_int(file, "src_port", src->port);
	put_text(file, "dest_ip", addr_print(&dest->addr, text));
	if (ports)
		put_int(file, "dest_port", dest->port);
	put_text(file, "proto", proto_eve(facts->transport, text));
	put_text(file, "app_proto", app_eve(flow->app));
	put_text(file, "community_id",
	         community_id(&src->addr, &dest->addr, facts->transport, src->port, dest->port,
	                      text));
}

static void put_alert(FILE *file, const struct finding_row *row)
{
	const char *kind = kind_name((enum kind)row->kind);
	char signature[32 + ROW_ID_MAX];

	snprintf(signature, sizeof(signature), "Teamline %s%s%s", kind ? kind : "finding",
	         *row->row ? ": " : "", row->row);
	fprintf(file,
	        ",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":%d,\"rev\":1",
	        EVE_SIGNATURES + row->kind);
	put_text(file, "signature", signature);
	put_text(file, "category", "Teamline envelope");
	put_int(file, "severity", severity_eve(row->severity));
	fputc('}', file);
}

const char *eve_tail(int64_t run, int64_t change, char buf[EVE_TAIL_TEXT])
{
	snprintf(buf, EVE_TAIL_TEXT, ",\"run\":%lld,\"change\":%lld}}\n", (long long)run,
	         (long long)change);
	return buf;
}

static void put_teamline(FILE *file, const struct change_view *change,
                         const struct flow_view *flow)
{
	const struct finding_view *finding = &change->finding;
	const struct finding_row *row = &finding->row;
	char text[EVE_TAIL_TEXT];

	fprintf(file, ",\"teamline\":{\"finding\":\"F%lld\"", (long long)finding->id);
	put_text(file, "unit", finding->unit);
	put_text(file, "kind", kind_name((enum kind)row->kind));
	put_text(file, "severity", severity_name((enum severity)row->severity));
	put_text(file, "row", row->row);
	put_text(file, "remote", row->remote);
	put_text(file, "role", row->role);
	put_text(file, "transport", row->transport ? transport_name(row->transport) : NULL);
	put_text(file, "port", row->port);
	put_text(file, "application", row->app ? app_name((enum app)row->app) : NULL);
	put_text(file, "state", state_word(change->state));
	put_text(file, "reason", row->reason);
	if (change->by && *change->by) {
		put_text(file, "by", change->by);
		put_text(file, "why", change->why);
	}
	put_text(file, "waiver", row->waiver);
	put_int(file, "flows", (int64_t)row->flows);
	put_text(file, "first", time_print(row->first_us, text));
	put_text(file, "last", time_print(row->last_us, text));
	if (flow) {
		snprintf(text, sizeof(text), "%.12s", flow->policy);
		put_text(file, "policy", text);
	}
	fputs(eve_tail(change->run, change->id, text), file);
}

void eve_put(FILE *file, const struct change_view *change, const struct flow_view *flow)
{
	char time[TIME_TEXT + 8];

	fprintf(file, "{\"timestamp\":\"%s\"", time_eve(change->time_us, time));
	if (flow)
		put_int(file, "flow_id", flow->id);
	fputs(",\"event_type\":\"alert\"", file);
	if (flow)
		put_flow(file, flow);
	put_alert(file, &change->finding.row);
	put_teamline(file, change, flow);
}
